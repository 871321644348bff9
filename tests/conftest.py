"""What every test stands on: hypothesis profiles, hazard ids, and no loose ends of asyncio."""

import logging
import os
import signal
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REGISTER = Path(__file__).resolve().parent.parent / "docs" / "hazards.toml"
HAZARDS = frozenset(row["id"] for row in tomllib.loads(REGISTER.read_text())["hazard"])

# Where the package is installed, its pytest plugin comes by itself; elsewhere it comes from here.
if not any(entry.name == "corneum" for entry in entry_points(group="pytest11")):
    pytest_plugins = ["qa.plugin.entry"]

# No deadline anywhere: a busy machine must not turn a passing test into a failing one.
settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci", max_examples=100, deadline=None, derandomize=True, database=None, print_blob=True
)
settings.register_profile(
    "deep", max_examples=5000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse a hazard mark of no row of the register; leave long tests to ``-m nightly``."""
    for item in items:
        for mark in item.iter_markers("hazard"):
            if not mark.args or not HAZARDS.issuperset(mark.args):
                raise pytest.UsageError(f"{item.nodeid}: hazard{mark.args} is not in {REGISTER}")
    if "nightly" not in config.option.markexpr:
        long = [item for item in items if item.get_closest_marker("nightly")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


class _Complaints(logging.Handler):
    """Collects what asyncio complains about: lost exceptions, tasks destroyed while they wait."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())


@pytest.fixture(autouse=True, scope="session")
def _own_configuration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the notes and the key of whoever runs the tests out of them."""
    before = os.environ.get("XDG_CONFIG_HOME")
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path_factory.mktemp("config"))
    yield
    if before is None:
        del os.environ["XDG_CONFIG_HOME"]
    else:
        os.environ["XDG_CONFIG_HOME"] = before


@pytest.fixture(autouse=True)
def _own_ctrl_c() -> Iterator[None]:
    """Give pytest its Ctrl-C back: a command that a test runs in this process has its own."""
    before = signal.getsignal(signal.SIGINT)
    yield
    if signal.getsignal(signal.SIGINT) is not before:
        signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _no_loose_ends() -> Iterator[None]:
    """Fail a test whose tasks outlive it or whose exceptions nobody saw."""
    complaints = _Complaints()
    logger = logging.getLogger("asyncio")
    logger.addHandler(complaints)
    try:
        yield
    finally:
        logger.removeHandler(complaints)
    if complaints.heard:
        pytest.fail(f"asyncio complained: {complaints.heard[0]}")
