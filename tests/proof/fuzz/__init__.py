"""Fuzzing of one handpiece: hostile bytes in, and the promise checked at every tick."""
