"""The control channel: a unix socket, apart from the line, that moves hand, faults and line.

One JSON object a line in, one out: ``{"ok": true, "t_s": when, ...}``, with the device seconds at
which it was done, or ``{"ok": false, "error": sentence}``.
It is of the simulator, not of the device: nothing on the serial line can reach it.
"""

import asyncio
import json
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from simulator.host import DeviceHost
from simulator.line import Weather
from simulator.plant.faults import UnknownFaultError

LINE_MAX_BYTES: Final = 4096
CLIENTS_MAX: Final = 8
ZONE_MAX_CM2: Final = 1000.0  # a whole back is 800
OTHERS: Final = 0o177  # what the umask takes away: everything but reading and writing by the owner
_WEATHER: Final = ("loss", "delay_s", "jitter_s", "flip_rate", "duplicate", "reorder")

Request = Mapping[str, Any]
Answer = dict[str, Any]


class RefusedError(Exception):
    """The request cannot be done; the text is one sentence."""


class Control:
    """Answers the requests of the control channel for one device."""

    def __init__(self, host: DeviceHost) -> None:
        self._host = host
        self._clients = 0
        self._server: asyncio.Server | None = None
        self._verbs: Mapping[str, Callable[[Request], Answer]] = {
            "hand": self._hand,
            "fault": self._fault,
            "state": self._state,
            "zone": self._zone,
            "line": self._line,
        }
        hand = host.handpiece.hand
        self._actions: Mapping[str, Callable[[], None]] = {
            "press": hand.press,
            "release": hand.release,
            "place": hand.place,
            "lift": hand.lift,
            "still": hand.hold_still,
            "auto": hand.auto,
        }

    def answer(self, text: bytes) -> Answer:
        """Do what one line asks; never raises for what it says."""
        try:
            request = _parsed(text)
            verb = self._verbs.get(str(request.get("do")))
            if verb is None:
                raise RefusedError(_unknown("do", request.get("do"), self._verbs))
            self._host.advance()
            t_s = round(self._host.handpiece.now_s, 6)
            reply = verb(request)
            self._host.flush()
        except RefusedError as error:
            return {"ok": False, "error": str(error)}
        return {"ok": True, "t_s": t_s, **reply}

    async def start(self, path: Path) -> None:
        """Listen on a unix socket that only this user may open; OSError where that fails."""
        self._server = await asyncio.start_unix_server(
            self._serve, sock=_private_socket(path), limit=LINE_MAX_BYTES
        )

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients += 1
        try:
            while self._clients <= CLIENTS_MAX:
                line = await reader.readline()
                if not line:
                    break
                writer.write(json.dumps(self.answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            pass  # hung up, or sent a line beyond the bound: either way there is nobody to answer
        finally:
            self._clients -= 1
            writer.close()

    def _hand(self, request: Request) -> Answer:
        action = self._actions.get(str(request.get("action")))
        if action is None:
            raise RefusedError(_unknown("action", request.get("action"), self._actions))
        action()
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
        return {"area_cm2": float(area_cm2)}

    def _fault(self, request: Request) -> Answer:
        name, clear = request.get("name"), request.get("clear", False)
        if not isinstance(clear, bool):
            raise RefusedError(f"clear is {clear!r}, and must be true or false")
        handpiece = self._host.handpiece
        try:
            act = handpiece.clear_fault if clear else handpiece.set_fault
            fault = act(str(name))
        except UnknownFaultError as error:
            raise RefusedError(str(error)) from error
        active = sorted(handpiece.plant.faults.active)
        return {"name": fault.name, "hazards": fault.hazards, "active": active}

    def _line(self, request: Request) -> Answer:
        host = self._host
        silent = request.get("silent", host.silent)
        if not isinstance(silent, bool):
            raise RefusedError(f"silent is {silent!r}, and must be true or false")
        asked = {name: request[name] for name in _WEATHER if name in request}
        if asked:
            host.set_weather(_weather(asked))
        host.silent = silent
        return {"silent": silent}

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
            "faults": sorted(handpiece.plant.faults.active),
            "silent": host.silent,
        }


def _private_socket(path: Path) -> socket.socket:
    """Return a socket bound to ``path`` that never was open to others."""
    bound = socket.socket(socket.AF_UNIX)
    umask_before = os.umask(OTHERS)
    try:
        bound.bind(str(path))
    except OSError as error:
        bound.close()
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        os.umask(umask_before)
    return bound


def _parsed(text: bytes) -> Request:
    try:
        request = json.loads(text)
    except ValueError as error:
        raise RefusedError(f"that is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise RefusedError("a request is one JSON object")
    return request


def _weather(asked: Mapping[str, Any]) -> Weather:
    for name, value in asked.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RefusedError(f"{name} is {value!r}, and must be a number")
    try:
        return Weather(**{name: float(value) for name, value in asked.items()})
    except ValueError as error:
        raise RefusedError(str(error)) from error


def _unknown(what: str, said: object, known: Mapping[str, object]) -> str:
    return f"'{what}' is {said!r}, and must be one of {', '.join(known)}"
