"""Simulated skin: how thick it is from place to place, and what crystals take off it."""
