"""Campaigns of simulated treatments: how often the promise about the skin would be broken."""
