"""The cases, a file for each part of the protocol; the rule of each is in its mark."""
