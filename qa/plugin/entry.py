"""What pytest loads at its start: options, markers, and fixtures that import the rest when used.

This module imports nothing of ours and nothing heavy: whoever has Corneum installed and tests
something else pays for it with a millisecond at the start and a look into a dict at each test.
"""

import inspect
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from qa.plugin.alone import Alone
    from qa.plugin.device import Device, Faults
    from qa.plugin.served import Served
    from qa.plugin.story import Setting, Story
    from qa.plugin.virtual import VirtualTime
    from qa.rig import Service

MARKERS: Final = (
    "hazard(id, ..., shows='present'): hazards that the test is about; they go into the JUnit file",
    "corneum(hand=..., seed=..., motion_sensor=..., limit_s=..., loss=..., delay_s=..., ...): "
    "how the handpiece or the service of this test is set up",
)
SEED_DEFAULT: Final = 1
DEVICES: Final = ("handpiece", "service", "real_handpiece")
SECTION: Final = "corneum"

_TOLD: Final = pytest.StashKey[Callable[[], str]]()
"""What to add to the report of a failure of this test."""


# -- pytest itself ---------------------------------------------------------------------------------
def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the one option."""
    parser.getgroup("corneum", "simulated handpieces").addoption(
        "--corneum-seed", type=int, metavar="N", default=None,
        help=f"seed of every simulated handpiece (default: the test's marker, else {SEED_DEFAULT})",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let the hazards of a test stand in the JUnit file."""
    for mark in item.iter_markers("hazard"):
        item.user_properties += [("hazard", hazard) for hazard in mark.args]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an ``async def`` test that uses a virtual fixture of ours on its virtual loop."""
    if not _is_virtual(pyfuncitem):
        return None
    test = pyfuncitem.obj
    if pyfuncitem.get_closest_marker("asyncio") is not None:  # pytest-asyncio in auto mode wraps
        test = inspect.unwrap(test)
    if not inspect.iscoroutinefunction(test):
        return None
    had: dict[str, Any] = pyfuncitem.funcargs
    names = pyfuncitem._fixtureinfo.argnames  # noqa: SLF001 - as pytest itself does it
    had["virtual_time"].run(test(**{name: had[name] for name in names}))
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add seed, command and timeline to a failure that does not tell them itself."""
    report = yield
    told = item.stash.get(_TOLD, None)
    if told is None or not report.failed or call.excinfo is None:
        return report
    if not hasattr(call.excinfo.value, "corneum_told"):
        report.sections.append((SECTION, told()))
    return report


def _is_virtual(item: pytest.Function) -> bool:
    """True where the fixture ``virtual_time`` of this test is ours and not one of the same name."""
    known: Mapping[str, Sequence[Any]] = item._fixtureinfo.name2fixturedefs  # noqa: SLF001
    found = known.get("virtual_time", ())
    ours = bool(found) and found[-1].func.__module__ == __name__
    return ours and "real_handpiece" not in item.fixturenames


# -- fixtures --------------------------------------------------------------------------------------
@pytest.fixture
def virtual_time(request: pytest.FixtureRequest) -> Iterator["VirtualTime"]:
    """The clock of this test: it jumps. ``async def`` tests run on it, others call its `run`."""
    from qa.plugin.virtual import VirtualTime  # noqa: PLC0415

    setting = _setting(request)
    with VirtualTime(setting.seed, setting.limit_s) as clock:
        yield clock


@pytest.fixture
def handpiece(request: pytest.FixtureRequest, virtual_time: "VirtualTime") -> "Alone":
    """A handpiece alone on a virtual line, with a scripted host that keeps it going where asked."""
    from qa.plugin.alone import alone  # noqa: PLC0415

    made = virtual_time.hold(alone(_setting(request).rig_spec("absent")), "handpiece")
    _tell(request, lambda: made.rig.events)
    return made


@pytest.fixture
def service(request: pytest.FixtureRequest, virtual_time: "VirtualTime") -> "Service":
    """The whole service in virtual time: kernel, line, handpiece, and a hand that works."""
    from qa.rig import service as whole  # noqa: PLC0415

    made = virtual_time.hold(whole(_setting(request).rig_spec("average")), "service")
    _tell(request, lambda: made.rig.events)
    return made


@pytest.fixture
def real_handpiece(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator["Served"]:
    """A handpiece in a process of its own, on a pty and in real time."""
    from qa.plugin.served import served  # noqa: PLC0415

    with served(tmp_path / "events.jsonl", _setting(request)) as made:
        _tell(request, made.events)
        yield made


@pytest.fixture
def device(request: pytest.FixtureRequest, virtual_time: "VirtualTime") -> "Device":
    """The device of this test, whichever fixture brought it: its hand, and what it really did."""
    from qa.plugin.device import Device, VirtualBody  # noqa: PLC0415

    names = [name for name in DEVICES if name in request.fixturenames]
    if len(names) > 1:
        raise pytest.UsageError(f"{request.node.nodeid} has {' and '.join(names)}: keep one")
    made = request.getfixturevalue(names[0] if names else "handpiece")
    body = made if names == ["real_handpiece"] else VirtualBody(made.rig, virtual_time)
    return Device(body, _story(request))


@pytest.fixture
def faults(device: "Device") -> "Faults":
    """What can be made wrong with the device of this test, by name."""
    from qa.plugin.device import Faults  # noqa: PLC0415

    return Faults(device)


def _setting(request: pytest.FixtureRequest) -> "Setting":
    from qa.plugin.story import setting_of  # noqa: PLC0415

    marks = [mark.kwargs for mark in request.node.iter_markers("corneum")]
    return setting_of(marks, request.config.getoption("corneum_seed"), SEED_DEFAULT)


def _story(request: pytest.FixtureRequest) -> "Story":
    from qa.plugin.story import Story  # noqa: PLC0415

    config = request.config
    where = None if config.invocation_params.dir == config.rootpath else config.rootpath
    return Story(_setting(request).seed, request.node.nodeid, where)


def _tell(request: pytest.FixtureRequest, events: Callable[[], Sequence[Any]]) -> None:
    story = _story(request)
    request.node.stash[_TOLD] = lambda: story.told(events())
