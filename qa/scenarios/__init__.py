"""Scenarios: a treatment, what befalls it and what has to follow, in a file, in virtual time."""
