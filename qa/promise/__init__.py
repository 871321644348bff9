"""The promise of the whole service: each clause stated once, and what the simulator shows of it."""
