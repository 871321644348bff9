"""Treatments in real time on real processes, beside competitors for the processor."""
