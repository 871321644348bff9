"""Plays the cases of a test side by side: they mostly wait, and each has its own processes."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar, cast

import pytest

C = TypeVar("C")
R = TypeVar("R")

AT_ONCE = 4  # more would compete for two cores while they start


@contextmanager
def side_by_side(
    request: pytest.FixtureRequest,
    name: str,
    play: Callable[[C, Path], R],
    folders: pytest.TempPathFactory,
    alone: Callable[[C], bool] = lambda _case: False,
) -> Iterator[Callable[[C], R]]:
    """Begin all cases of the parameter ``name`` that this run asks for; gives who returns one.

    Cases that are ``alone`` are played first, one after the other: they would hold up the others.
    """
    cases: list[C] = [
        cast("C", item.callspec.params[name])
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.getparent(pytest.Module) is request.node
        and name in item.fixturenames
    ]
    with ThreadPoolExecutor(1) as pool:
        playing = {
            case: pool.submit(play, case, folders.mktemp("case")) for case in cases if alone(case)
        }
    with ThreadPoolExecutor(AT_ONCE) as pool:
        playing |= {
            case: pool.submit(play, case, folders.mktemp("case"))
            for case in cases
            if not alone(case)
        }
        yield lambda case: playing[case].result()
