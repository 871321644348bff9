"""Connected areas of a mask: cells that share a side belong together. Needs numpy.

Each row of the mask is cut into runs; runs of neighbouring rows that overlap are joined. The work
goes with the number of runs, which is small for what is rare and never above half of the cells.
"""

import numpy as np
from numpy.typing import NDArray


def largest_blob_cells(mask: NDArray[np.bool_]) -> int:
    """Return how many cells the largest connected area of a two-dimensional mask has."""
    if not mask.any():
        return 0
    padded = np.pad(mask.astype(np.int8), ((0, 0), (1, 1)))
    edges = np.diff(padded, axis=1)
    row_of, begin = np.nonzero(edges == 1)
    end = np.nonzero(edges == -1)[1]
    parent = _joined(row_of.tolist(), begin.tolist(), end.tolist())
    roots = np.array([_root(parent, run) for run in range(len(parent))])
    return int(np.bincount(roots, weights=end - begin).max())


def _joined(rows: list[int], begins: list[int], ends: list[int]) -> list[int]:
    """Return the parent of each run, after joining every run with those it touches above."""
    parent = list(range(len(rows)))
    above = 0
    for run, row in enumerate(rows):
        while rows[above] < row - 1 or (rows[above] == row - 1 and ends[above] <= begins[run]):
            above += 1
        other = above
        while rows[other] == row - 1 and begins[other] < ends[run]:
            parent[_root(parent, other)] = _root(parent, run)
            other += 1
    return parent


def _root(parent: list[int], run: int) -> int:
    while parent[run] != run:
        parent[run] = parent[parent[run]]
        run = parent[run]
    return run
