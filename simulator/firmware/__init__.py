"""The device's own modes and interlocks, in two channels."""
