"""The kit under pytest: its options, and one unit for all cases; ``-p`` with this name loads it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.device.answers import PortError
from qa.conformance.bench import Bench
from qa.conformance.places import place
from qa.conformance.verdicts import UnitLostError


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the words of ``corneum-sim conformance``."""
    group = parser.getgroup("conformance")
    group.addoption("--handpiece", metavar="URL", help="The port of the unit, or sim:")
    group.addoption("--control", type=Path, help="Control socket of the simulator on that port.")
    group.addoption("--tip", type=int, default=1, help="Number of the tip that is fitted.")


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    """One loop for all cases: the unit's line stays open."""
    with asyncio.Runner() as made:
        yield made


@pytest.fixture(scope="session")
def bench(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Iterator[Bench]:
    """Give the unit that was asked for."""
    option = request.config.getoption
    if not option("--handpiece"):
        pytest.fail("name the unit: --handpiece URL, or --handpiece sim: for a simulator")
    opened = place(option("--handpiece"), option("--control"), option("--tip"))
    try:
        unit = runner.run(opened.__aenter__())
    except (PortError, UnitLostError) as error:
        pytest.exit(str(error), returncode=3)
    yield unit
    runner.run(opened.__aexit__(None, None, None))
