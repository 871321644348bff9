import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.skin.blobs import largest_blob_cells

MASKS = st.integers(1, 9).flatmap(
    lambda width: st.lists(
        st.lists(st.booleans(), min_size=width, max_size=width), min_size=1, max_size=9
    )
)


def flooded(mask: list[list[bool]]) -> int:
    """The largest area by flooding, cell by cell."""
    dry = {(r, c) for r, row in enumerate(mask) for c, cell in enumerate(row) if cell}
    largest = 0
    while dry:
        wet, size = [dry.pop()], 0
        while wet:
            r, c = wet.pop()
            size += 1
            near = {(r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)} & dry
            dry -= near
            wet += near
        largest = max(largest, size)
    return largest


@given(MASKS)
def test_the_largest_area_is_the_one_that_flooding_finds(mask: list[list[bool]]) -> None:
    assert largest_blob_cells(np.array(mask)) == flooded(mask)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.6, 0.9])
def test_it_holds_for_large_random_masks_too(share: float) -> None:
    mask = np.random.default_rng(1).random((60, 60)) < share
    assert largest_blob_cells(mask) == flooded(mask.tolist())


def test_cells_that_touch_at_a_corner_are_apart() -> None:
    assert largest_blob_cells(np.eye(5, dtype=np.bool_)) == 1


def test_a_spiral_is_one_area_and_an_empty_mask_none() -> None:
    spiral = np.array([[1, 1, 1, 1], [0, 0, 0, 1], [1, 1, 0, 1], [1, 1, 1, 1]], dtype=np.bool_)
    assert largest_blob_cells(spiral) == int(spiral.sum())
    assert largest_blob_cells(np.zeros((3, 3), dtype=np.bool_)) == 0
