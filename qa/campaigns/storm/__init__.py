"""Storms: faults, hands, noise and restarts by chance, and the promise looked at in every tick."""
