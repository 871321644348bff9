"""The device side: a handpiece in software."""
