"""The evidence bundle: `python -m tools.evidence`."""
