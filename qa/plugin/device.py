"""The device of a test: its hand, its faults, and assertions about what it really did.

Assertions judge the device's own record (see docs/QA.md), never the controller. One about a time
that has not come yet lets it pass where it can: in a plain function and with a real handpiece. In a
coroutine nobody but ``await`` lets time pass, and an assertion that comes too early says so.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, NoReturn, Protocol

from qa.plugin import timeline
from qa.plugin.story import Story
from qa.plugin.virtual import VirtualTime
from qa.rig import Rig
from simulator.control_verbs import Answer, RefusedError, Request, Verbs
from simulator.handpiece import Happening

AROUND_S: Final = 1.0  # of the timeline, before and after what matters
_SLACK_S: Final = 1e-6  # times of events are rounded to microseconds

Moment = float | str
"""Device seconds as an action returned them, or a kind of event: then the newest one counts."""


class DeviceAssertionError(AssertionError):
    """The device did something else; the text says what, when, and how to see it again."""

    corneum_told = True


class Body(Protocol):
    """Where a device is: in this process or in another one."""

    def ask(self, request: Request) -> Answer:
        """Ask on the control channel; RefusedError with what is allowed."""

    def events(self) -> Sequence[Happening]:
        """Return everything that happened up to now."""

    def reach(self, t_s: float) -> None:
        """Let device time come to ``t_s``, where that is possible from here."""


class VirtualBody:
    """A device on the virtual loop of this test."""

    def __init__(self, rig: Rig, clock: VirtualTime) -> None:
        self._rig = rig
        self._clock = clock
        self._verbs = Verbs(rig.device)

    def ask(self, request: Request) -> Answer:
        """Ask the device."""
        return self._verbs.act(request)

    def events(self) -> Sequence[Happening]:
        """Return its events."""
        return self._rig.events

    def reach(self, t_s: float) -> None:
        """Let virtual time pass, unless a coroutine of the test is running."""
        left_s = t_s - self._rig.handpiece.now_s
        if left_s > 0.0 and not self._clock.running:
            self._clock.run(asyncio.sleep(left_s + _SLACK_S))


class Device:
    """One device under test."""

    def __init__(self, body: Body, story: Story) -> None:
        self._body = body
        self._story = story

    # -- the hand, and questions -------------------------------------------------------------------
    def ask(self, do: str, **fields: Any) -> Answer:  # noqa: ANN401 - as docs/CONTROL.md says
        """Ask anything of the control channel."""
        return self._body.ask({"do": do, **fields})

    def press(self) -> float:
        """Press the hand switch; this and the next five return the device's time."""
        return self._moved("press")

    def release(self) -> float:
        """Let go of the hand switch."""
        return self._moved("release")

    def place(self) -> float:
        """Set the tip on the skin and stroke."""
        return self._moved("place")

    def lift(self) -> float:
        """Lift the tip off the skin."""
        return self._moved("lift")

    def hold_still(self) -> float:
        """Stop moving, without lifting."""
        return self._moved("hold_still")

    def auto(self) -> float:
        """Give the handpiece back to the hand that the test was set up with."""
        return self._moved("auto")

    @property
    def now_s(self) -> float:
        """Device seconds since it was switched on."""
        return float(self.ask("state")["t_s"])

    @property
    def mode(self) -> str:
        """The mode of the firmware, such as ACTIVE."""
        return str(self.ask("state")["mode"])

    @property
    def valve_percent(self) -> float:
        """How far the crystal valve really is open."""
        return float(self.ask("state")["valve_percent"])

    def events(self, kind: str | None = None, since: float = 0.0) -> list[Happening]:
        """Return what happened up to now, of one kind if named."""
        self.ask("state")  # brings the device up to now
        found = self._body.events()
        if kind is not None:
            return timeline.matching(found, kind, since)
        return [event for event in found if timeline.time_of(event) >= since]

    # -- assertions --------------------------------------------------------------------------------
    def assert_valve_shut_within(self, seconds: float, *, of: Moment) -> None:
        """The open valve is shut at most ``seconds`` after ``of``; it has to be open until then."""
        __tracebackhide__ = True
        of_s = self._moment(of)
        expected = f"the valve shut within {seconds:.3f} s of {self._named(of, of_s)}"
        percent = timeline.open_percent_at(self.events(), of_s)
        if not timeline.is_open(percent):
            self._fail(expected, "the valve was not open then, so this shows nothing", of_s)
        self._reach(of_s + seconds, expected, of_s, lambda: self._shut_s(of_s))
        shut_s = self._shut_s(of_s)
        if shut_s is None:
            after_s = self.now_s - of_s
            still = f"the valve was {percent:.0f} % open then, and is open {after_s:.3f} s later"
            self._fail(expected, still, of_s)
        if not shut_s - of_s <= seconds + _SLACK_S:
            self._fail(expected, f"it was shut after {shut_s - of_s:.3f} s", of_s)

    def assert_safe_within(self, seconds: float, *, of: Moment) -> None:
        """The device has tripped or stopped and the valve is shut, at most ``seconds`` after.

        A valve that is itself jammed never shuts: there ask `assert_happened_within("safe", ...)`,
        which is what the firmware believes.
        """
        __tracebackhide__ = True
        of_s = self._moment(of)
        expected = f"safe within {seconds:.3f} s of {self._named(of, of_s)}"
        self._reach(of_s + seconds, expected, of_s, lambda: self._safe_s(of_s))
        safe_s = self._safe_s(of_s)
        if safe_s is None:
            percent = timeline.open_percent_at(self.events(), of_s + seconds)
            told = "" if self.events("safe", of_s) else ", and neither tripped nor stopped"
            self._fail(expected, f"the valve was {percent:.0f} % open at the end{told}", of_s)
        if not safe_s - of_s <= seconds + _SLACK_S:
            self._fail(expected, f"it was safe after {safe_s - of_s:.3f} s", of_s)

    def assert_valve_stays_shut(self, *, since: Moment = 0.0) -> None:
        """The valve has not been open from ``since`` until now."""
        __tracebackhide__ = True
        since_s = self._moment(since)
        expected = f"the valve shut from {self._named(since, since_s)} on"
        percent = timeline.open_percent_at(self.events(), since_s)
        if timeline.is_open(percent):
            self._fail(expected, f"it was {percent:.0f} % open at that moment", since_s)
        opened = timeline.openings(self.events(), since_s)
        if opened:
            at_s = timeline.time_of(opened[0])
            self._fail(expected, f"it opened {at_s - since_s:.3f} s later", at_s)

    def assert_happened_within(
        self, kind: str, seconds: float, *, of: Moment, **values: object
    ) -> None:
        """An event of this kind and with these values came at most ``seconds`` after ``of``."""
        __tracebackhide__ = True
        of_s = self._moment(of)
        what = _wanted(kind, values)
        expected = f"{what} within {seconds:.3f} s of {self._named(of, of_s)}"
        self._reach(of_s + seconds, expected, of_s, lambda: self._first_s(kind, of_s, values))
        at_s = self._first_s(kind, of_s, values)
        if at_s is None:
            self._fail(expected, f"no {what} until {self.now_s:.3f} s", of_s)
        if not at_s - of_s <= seconds + _SLACK_S:
            self._fail(expected, f"it came after {at_s - of_s:.3f} s", of_s)

    def assert_happened_once(self, kind: str, *, since: Moment = 0.0, **values: object) -> None:
        """Exactly one such event came from ``since`` until now."""
        __tracebackhide__ = True
        self._count(kind, self._moment(since), values, 1)

    def assert_never(self, kind: str, *, since: Moment = 0.0, **values: object) -> None:
        """No such event came from ``since`` until now."""
        __tracebackhide__ = True
        self._count(kind, self._moment(since), values, 0)

    # -- inside ------------------------------------------------------------------------------------
    def _moved(self, action: str) -> float:
        return float(self.ask("hand", action=action)["t_s"])

    def _count(self, kind: str, since_s: float, values: dict[str, object], wanted: int) -> None:
        __tracebackhide__ = True
        what = _wanted(kind, values)
        found = timeline.matching(self.events(), kind, since_s, **values)
        if len(found) != wanted:
            times = ("never", "once")[wanted]
            expected = f"{what} {times} from {since_s:.3f} s on"
            when = ", ".join(f"{timeline.time_of(event):.3f} s" for event in found[:5])
            did = f"it came {len(found)} times, at {when}" if found else "it never came"
            at_s = timeline.time_of(found[0]) if found else since_s
            self._fail(expected, did, at_s)

    def _moment(self, of: Moment) -> float:
        if isinstance(of, str):
            found = self.events(of)
            if not found:
                self._fail(f"an event {of} to measure from", "there is none", self.now_s)
            return timeline.time_of(found[-1])
        return of

    def _named(self, of: Moment, of_s: float) -> str:
        return f"{of_s:.3f} s" if not isinstance(of, str) else f"{of} at {of_s:.3f} s"

    def _first_s(self, kind: str, since_s: float, values: dict[str, object]) -> float | None:
        found = timeline.matching(self.events(), kind, since_s, **values)
        return timeline.time_of(found[0]) if found else None

    def _shut_s(self, of_s: float) -> float | None:
        return timeline.shut_s(self.events(), of_s)

    def _safe_s(self, of_s: float) -> float | None:
        told_s, shut_s = self._first_s("safe", of_s, {}), self._shut_s(of_s)
        return None if told_s is None or shut_s is None else max(told_s, shut_s)

    def _reach(self, limit_s: float, expected: str, of_s: float, found: "Found") -> None:
        """Let time come to ``limit_s``, unless what is looked for is there already."""
        __tracebackhide__ = True
        if found() is not None:
            return
        self._body.reach(limit_s)
        left_s = limit_s - self.now_s
        if found() is None and left_s > _SLACK_S:
            early = f"it is too early to tell: `await asyncio.sleep({left_s:.3f})` before asking"
            self._fail(expected, early, of_s)

    def _fail(self, expected: str, did: str, here_s: float) -> NoReturn:
        __tracebackhide__ = True
        around = timeline.rendered(self.events(), here_s - AROUND_S, here_s + AROUND_S, here_s)
        raise DeviceAssertionError(
            f"expected: {expected}\nthe device: {did}\n{around}\n{self._story.way_back}"
        )


class Found(Protocol):
    """Looks for something and returns its time."""

    def __call__(self) -> float | None:
        """Return when it was, or None."""


class Faults:
    """What can be wrong with the device: by name, and refused where there is no such fault."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def inject(self, name: str) -> float:
        """Make a fault active and return the device's time; RefusedError for an unknown name."""
        return float(self._device.ask("fault", name=name)["t_s"])

    def clear(self, name: str) -> float:
        """End a fault and return the device's time; RefusedError as above."""
        return float(self._device.ask("fault", name=name, clear=True)["t_s"])

    def line(self, **weather: float) -> float:
        """Make the line silent (``silent=True``) or lossy, or perfect again with no argument."""
        asked = weather or {"silent": False, "loss": 0.0}
        return float(self._device.ask("line", **asked)["t_s"])

    @property
    def active(self) -> list[str]:
        """The faults that are active now."""
        return list(self._device.ask("faults")["active"])


def _wanted(kind: str, values: dict[str, object]) -> str:
    return " ".join([kind, *(f"{name}={value}" for name, value in values.items())])


__all__ = ("Device", "DeviceAssertionError", "Faults", "RefusedError", "VirtualBody")
