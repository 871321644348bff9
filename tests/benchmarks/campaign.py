"""Simulated treatments: handpiece-seconds in one second of one core, and a plain peer. JSON.

The peer is what comes to mind first: suction, valve and crystal flow of a block of units by Euler
steps of 1 ms in numpy, and nothing else.
"""

import json
import statistics
import sys
import time

import numpy as np

from controller.config.locate import shipped_configs
from qa.campaigns.exposure.rows import Group, Row, cell_of
from qa.campaigns.exposure.treatments import treat

ROUNDS = 3
CLIENTS = 1500
UNITS = 10_000
STEP_S = 0.001
STEPS = 200


def ours(seed: int) -> float:
    """Treat clients with the standard program and return handpiece-seconds per second."""
    cell = cell_of(Row(Group.PRESET), shipped_configs())
    began_s = time.process_time()
    done = treat(cell, CLIENTS, np.random.default_rng(seed))
    return done.handpiece_s / (time.process_time() - began_s)


def euler() -> float:
    """Integrate the air and the crystals of a block of units and return the same figure."""
    suction, valve, flow = (np.zeros(UNITS) for _ in range(3))
    began_s = time.process_time()
    for _ in range(STEPS):
        root = np.sqrt(suction + 0.25)
        suction += STEP_S / 0.5 * (0.6 * (65.0 - suction) - 0.3 * root)
        valve += np.clip(0.5 - valve, -STEP_S / 0.04, STEP_S / 0.06)
        flow += (16.0 * valve * root / 5.5 - flow) * STEP_S / 0.027
    return UNITS * STEPS * STEP_S / (time.process_time() - began_s)


def main() -> None:
    """Measure both in turns and print the medians."""
    treat(cell_of(Row(Group.PRESET), shipped_configs()), 20, np.random.default_rng(0))  # tables
    speeds, peers = [], []
    for seed in range(ROUNDS):
        speeds.append(ours(seed))
        peers.append(euler())
    told = {"ours": statistics.median(speeds), "euler": statistics.median(peers)}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
