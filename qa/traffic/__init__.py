"""Traffic of the line: recorded by a tap, told in words, played back against a simulated unit."""
