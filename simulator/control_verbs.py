"""What can be asked of a running simulator beside its line: hand, faults, line, and questions.

Each verb is one row of a table: its fields, what it does, and a sentence; docs/CONTROL.md is made
from it. Whatever is not in the table is refused with what is, and nothing is half done: a request
is checked as a whole before anything moves. All of this is of the simulator and not of the device.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from types import MappingProxyType
from typing import Any, Final

from simulator.handpiece import Happening
from simulator.host import DeviceHost
from simulator.line import Weather
from simulator.plant.faults import FAULTS, UnknownFaultError

EVENTS_MAX: Final = 200  # what the tail keeps; some seconds of a busy treatment
EVENTS_DEFAULT: Final = 20
ZONE_MAX_CM2: Final = 1000.0  # a whole back is 800
LINE_FAULT: Final = 0
"""The number of the line in the unit's event log; the catalogue of faults counts from 1."""
CALM: Final = Weather()
WEATHER: Final = tuple(each.name for each in fields(Weather))
HAND_ACTIONS: Final = ("press", "release", "place", "lift", "hold_still", "auto")

Request = Mapping[str, Any]
Answer = dict[str, Any]


class RefusedError(Exception):
    """The request cannot be done; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One word of the channel."""

    fields: tuple[str, ...]
    """What a request may carry beside ``do``; everything else is refused."""
    summary: str


VERBS: Final[Mapping[str, Verb]] = MappingProxyType(
    {
        "hand": Verb(("action",), f"moves the hand; `action` is one of {', '.join(HAND_ACTIONS)}"),
        "zone": Verb(
            ("area_cm2",), "tells the hand that the next zone begins, and how large it is"
        ),
        "fault": Verb(("name", "clear"), "makes a fault active, or with `clear` true ends it"),
        "line": Verb(
            ("silent", *WEATHER),
            "lets the line be silent or lossy in both directions; of the weather, what is not "
            "named is as on a perfect line; without fields it only tells",
        ),
        "state": Verb((), "tells the mode, the lease, the valve and what is injected"),
        "sensors": Verb((), "tells what the firmware's converter reads; null is a rail"),
        "truth": Verb((), "tells what really is in the plant, which the firmware never sees"),
        "faults": Verb((), "tells which faults are active, and the whole catalogue"),
        "events": Verb(
            ("last", "kind"),
            f"tells the newest events, at most `last` of 1 to {EVENTS_MAX}, of one `kind` if named",
        ),
    }
)


class Verbs:
    """Does for one device what the table says; `act` is all there is to call."""

    def __init__(self, host: DeviceHost) -> None:
        self._host = host
        self._events: deque[Happening] = deque(maxlen=EVENTS_MAX)
        self._sink = host.handpiece.events
        host.handpiece.record_to(self._record)
        hand = host.handpiece.hand
        moves = (hand.press, hand.release, hand.place, hand.lift, hand.hold_still, hand.auto)
        self._actions: Mapping[str, Callable[[], None]] = dict(
            zip(HAND_ACTIONS, moves, strict=True)
        )
        acts = (
            self._hand, self._zone, self._fault, self._line, self._state, self._sensors,
            self._truth, self._faults, self._tail,
        )  # fmt: skip
        self._acts: Mapping[str, Callable[[Request], Answer]] = dict(zip(VERBS, acts, strict=True))

    def act(self, request: Request) -> Answer:
        """Do what a request asks, at the device's present time. RefusedError: nothing was done."""
        do = request.get("do")
        if not isinstance(do, str) or do not in VERBS:
            raise RefusedError(unknown("do", do, VERBS))
        allowed = VERBS[do].fields
        for name in request:
            if name != "do" and name not in allowed:
                may = f"one of {', '.join(allowed)}" if allowed else "nothing beside do"
                raise RefusedError(f"'{do}' takes {may}, and not {name!r}")
        self._host.advance()
        t_s = round(self._host.handpiece.now_s, 6)
        reply = self._acts[do](request)
        self._host.flush()
        return {"t_s": t_s, **reply}

    # -- what moves something ----------------------------------------------------------------------
    def _hand(self, request: Request) -> Answer:
        action = request.get("action")
        if not isinstance(action, str) or action not in self._actions:
            raise RefusedError(unknown("action", action, self._actions))
        self._actions[action]()
        self._emit("hand", action=action)
        return {}

    def _zone(self, request: Request) -> Answer:
        area_cm2 = request.get("area_cm2")
        if isinstance(area_cm2, bool) or not isinstance(area_cm2, int | float):
            raise RefusedError(f"area_cm2 is {area_cm2!r}, and must be a number")
        if not 0.0 < area_cm2 <= ZONE_MAX_CM2:
            raise RefusedError(
                f"area_cm2 is {area_cm2}, and must be above 0 and at most {ZONE_MAX_CM2:g}"
            )
        self._host.handpiece.hand.begin_zone(float(area_cm2))
        self._emit("zone", area_cm2=float(area_cm2))
        return {"area_cm2": float(area_cm2)}

    def _fault(self, request: Request) -> Answer:
        handpiece = self._host.handpiece
        name, clear = request.get("name"), _flag(request, "clear", default=False)
        try:
            act = handpiece.clear_fault if clear else handpiece.set_fault
            fault = act(str(name))
        except UnknownFaultError as error:
            raise RefusedError(str(error)) from error
        return {"name": fault.name, "hazards": fault.hazards, "active": self._active()}

    def _line(self, request: Request) -> Answer:
        host = self._host
        silent = _flag(request, "silent", default=host.silent)
        asked = {name: request[name] for name in WEATHER if name in request}
        weather = _weather(asked) if asked else None
        if weather is not None:
            host.set_weather(weather)
        host.silent = silent
        now = CALM if host.to_device is None else host.to_device.weather
        said = {"silent": silent, **asdict(now)}
        if len(request) > 1:  # something was asked for beside the verb itself
            host.handpiece.log_injected(LINE_FAULT, active=silent or now != CALM)
            self._emit("line", **said, simulated=True)
        return said

    # -- what only tells ---------------------------------------------------------------------------
    def _state(self, _: Request) -> Answer:
        host = self._host
        handpiece = host.handpiece
        board, truth = handpiece.firmware.board, handpiece.plant.truth
        return {
            "lagged_s": round(host.lagged_s, 6),
            "mode": board.mode.name,
            "cause": board.cause.name,
            "lamp": handpiece.firmware.lamp.name,
            "session": handpiece.firmware.link.session,
            "bad_frames": handpiece.firmware.link.bad_frames,
            "lease_left_ms": board.a.lease_left_ms,
            "valve_percent": round(truth.valve_open * 100.0, 1),
            "suction_kpa": round(truth.suction_kpa, 3),
            "flow_g_per_min": round(truth.flow_g_per_min, 3),
            "contact": truth.seal,
            "through_valve_g": round(truth.through_valve_g, 4),
            "hopper_g": round(truth.hopper_g, 3),
            "faults": self._active(),
            "silent": host.silent,
        }

    def _sensors(self, _: Request) -> Answer:
        return {"sensors": _plain(self._host.handpiece.plant.sensors)}

    def _truth(self, _: Request) -> Answer:
        return {"truth": _plain(self._host.handpiece.plant.truth)}

    def _faults(self, _: Request) -> Answer:
        known = {fault.name: fault.hazards for fault in FAULTS.values()}
        return {"active": self._active(), "known": known}

    def _tail(self, request: Request) -> Answer:
        last, kind = request.get("last", EVENTS_DEFAULT), request.get("kind")
        if isinstance(last, bool) or not isinstance(last, int) or not 1 <= last <= EVENTS_MAX:
            raise RefusedError(f"last is {last!r}, and must be a whole number of 1 to {EVENTS_MAX}")
        if kind is not None and not isinstance(kind, str):
            raise RefusedError(f"kind is {kind!r}, and must be a word such as valve")
        found: Sequence[Happening] = [
            event for event in self._events if kind in {None, event["kind"]}
        ]
        return {"events": found[-last:]}

    # -- inside ------------------------------------------------------------------------------------
    def _active(self) -> list[str]:
        return sorted(self._host.handpiece.plant.faults.active)

    def _record(self, happening: Happening) -> None:
        self._events.append(happening)
        self._sink(happening)

    def _emit(self, kind: str, **values: Any) -> None:  # noqa: ANN401 - what an event may carry
        handpiece = self._host.handpiece
        handpiece.events({"t_s": round(handpiece.now_s, 6), "kind": kind, **values})


def unknown(what: str, said: object, known: Mapping[str, object]) -> str:
    """Return the sentence that refuses a word and names those that exist."""
    return f"'{what}' is {said!r}, and must be one of {', '.join(known)}"


def _flag(request: Request, name: str, *, default: bool) -> bool:
    said = request.get(name, default)
    if not isinstance(said, bool):
        raise RefusedError(f"{name} is {said!r}, and must be true or false")
    return said


def _weather(asked: Mapping[str, Any]) -> Weather:
    for name, value in asked.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RefusedError(f"{name} is {value!r}, and must be a number")
    try:
        return Weather(**{name: float(value) for name, value in asked.items()})
    except (OverflowError, ValueError) as error:
        raise RefusedError(str(error)) from error


def _plain(value: object) -> Answer:
    """Return the numbers and flags of a dataclass for JSON, which has no infinity: that is null."""
    found: Answer = {}
    for each in fields(value):  # type: ignore[arg-type]  # both callers pass one
        said = getattr(value, each.name)
        if isinstance(said, float):
            said = round(said, 6) if math.isfinite(said) else None
        found[each.name] = said
    return found
