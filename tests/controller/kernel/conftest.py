"""Every row that a kernel writes in these tests is one of the table of kinds."""

from collections.abc import Iterator

import pytest

from tests.row_forms import rows_watched


@pytest.fixture(autouse=True)
def _rows_are_of_the_table() -> Iterator[None]:
    with rows_watched() as misfits:
        yield
    assert not misfits
