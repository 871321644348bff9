"""The tables of PROTOCOL.md that are made by trying: each request in each mode, each refusal."""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import cache
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from firmware_protocol.catalogue import PROTOCOL_MAJOR
from firmware_protocol.envelope import BAD_FRAMES_SHORT_MAX
from firmware_protocol.messages import (
    Arm,
    Ident,
    LogRead,
    LogRecord,
    Message,
    Reset,
    Result,
    SelfTest,
    WitnessAsk,
    WitnessHead,
    WitnessKeep,
)
from firmware_protocol.vocabulary import Cause, Mode, Refusal, StopKind
from simulator.firmware.board import RESETS_MAX
from tools.unit_trial import CONFIG, STREAM_S, TREATMENT, Trial, in_mode

EFFECT_S: Final = 0.3
PRESS_S: Final = 0.05
DAMAGED: Final = b"\x05bad\0"
KEEP: Final = WitnessKeep(1, 2, 2, 1, 2, 3, 0)


# -- each request in each mode ---------------------------------------------------------------------
def _answer(trial: Trial, ask: Callable[[], Message | None]) -> str:
    before = trial.mode
    reply = ask()
    after = trial.mode
    moved = "" if after is before else f", {after.name}"
    if reply is None:
        return "no answer"
    if isinstance(reply, LogRecord):
        return "the record"
    if isinstance(reply, WitnessHead):
        return "the row"
    refusal = Refusal(reply.refusal) if isinstance(reply, (Ident, Result)) else Refusal.NONE
    if refusal is not Refusal.NONE:
        return refusal.name
    return ("new session" if isinstance(reply, Ident) else "done") + moved


def _setpoint(trial: Trial) -> str:
    if trial.link.session == 0:
        return "no session"
    trial.streaming = True
    driven: set[str] = set()
    for _ in range(round(EFFECT_S / 0.005)):
        trial.run(0.005)
        driven |= {"pump"} if trial.drives.pump > 0.0 else set()
        driven |= {"valve"} if trial.drives.valve > 0.0 else set()
    lease = "lease" if trial.firmware.board.a.lease.live else "dropped"
    return "; ".join([lease, *sorted(driven)] if driven else [lease, "outputs off"])


def _stop(trial: Trial, kind: StopKind) -> str:
    answer = trial.stop(kind)
    return "no answer" if answer is None else Mode(answer.mode).name


REQUESTS: Final[Mapping[str, Callable[[Trial], str]]] = MappingProxyType(
    {
        "HELLO": lambda trial: _answer(trial, trial.hello),
        "CONFIG": lambda trial: _answer(trial, lambda: trial.ask(CONFIG)),
        "SELFTEST": lambda trial: _answer(trial, lambda: trial.ask(SelfTest())),
        "ARM": lambda trial: _answer(trial, lambda: trial.ask(Arm(trial.token, TREATMENT))),
        "RESET": lambda trial: _answer(trial, lambda: trial.ask(Reset(trial.firmware.board.cause))),
        "LOG_READ": lambda trial: _answer(trial, lambda: trial.ask(LogRead(1))),
        "WITNESS_KEEP": lambda trial: _answer(trial, lambda: trial.ask(KEEP)),
        "WITNESS_ASK": lambda trial: _answer(trial, lambda: trial.ask(WitnessAsk(1, 2))),
        "SETPOINT": _setpoint,
        "STOP normal": lambda trial: _stop(trial, StopKind.NORMAL),
        "STOP emergency": lambda trial: _stop(trial, StopKind.EMERGENCY),
    }
)


@cache
def tried() -> Mapping[str, Mapping[Mode, str]]:
    """Return what came of each request in each mode, with everything else as it must be."""
    return {
        name: {mode: attempt(in_mode(mode)) for mode in Mode} for name, attempt in REQUESTS.items()
    }


# -- the order of refusals -------------------------------------------------------------------------
class Wrong(Enum):
    """One thing that is not as a request needs it."""

    VERSION = "the major version or the schema is another"
    ARMED = "a treatment is armed or comes to its end"
    MODE = "the mode is another"
    TEST_FAILED = "the newest self-test has failed"
    ENVELOPE = "the configuration widens the envelope, can never flow, or names treatment or tip 0"
    UNCONFIGURED = "no CONFIG was accepted in this session"
    TREATMENT = "the treatment is another than that of CONFIG"
    TIP = "the tip that is fitted is another than that of CONFIG, or cannot be read"
    TICKET = "the token is another than that of the newest SELFTEST, or void"
    STREAM = "no lease is alive, or fewer than 18 setpoints were accepted in the last second"
    NOISE = "more corrupt frames came than the error limiter allows"
    PRESSED = "the hand switch is not released"
    LOCKED = "this cause was reset three times within ten minutes"
    CAUSE = "the cause is another than the latched one"
    STANDS = "the cause still stands, or the valve is not shut"
    BACK = (
        "a later row of this journal is kept, or another hash of this row, and nobody has decided"
    )


Wrongs = frozenset[Wrong]


def _hello(wrongs: Wrongs) -> Message | None:
    trial = in_mode(Mode.ARMED if Wrong.ARMED in wrongs else Mode.DISARMED)
    return trial.hello(major=PROTOCOL_MAJOR + (Wrong.VERSION in wrongs))


def _config(wrongs: Wrongs) -> Message | None:
    trial = in_mode(Mode.ARMED if Wrong.MODE in wrongs else Mode.DISARMED)
    flow = 0 if Wrong.ENVELOPE in wrongs else CONFIG.flow_max_mg_per_min
    return trial.ask(CONFIG._replace(flow_max_mg_per_min=flow))


def _selftest(wrongs: Wrongs) -> Message | None:
    trial = in_mode(Mode.ARMED if Wrong.MODE in wrongs else Mode.DISARMED)
    _press(trial, wrongs)
    return trial.ask(SelfTest())


def _arm(wrongs: Wrongs) -> Message | None:
    trial = Trial()
    trial.reaches(Mode.DISARMED)
    trial.hello()
    if Wrong.UNCONFIGURED not in wrongs:
        trial.configure()
    trial.streaming = True
    trial.run(STREAM_S)
    trial.done(SelfTest())
    if Wrong.TEST_FAILED in wrongs:
        trial.pressed = True
        trial.reaches(Mode.DISARMED)
        trial.pressed = False
        trial.run(PRESS_S)
    else:
        trial.reaches(Mode.READY)
    if Wrong.MODE in wrongs:
        trial.stop(StopKind.NORMAL)
    if Wrong.TIP in wrongs:
        trial.tip += 1
    if Wrong.STREAM in wrongs:
        trial.streaming = False
        trial.run(EFFECT_S)
    _press(trial, wrongs)
    if Wrong.NOISE in wrongs:
        trial.give(DAMAGED * (BAD_FRAMES_SHORT_MAX + 1))
    token = trial.token + (Wrong.TICKET in wrongs)
    return trial.ask(Arm(token, TREATMENT + (Wrong.TREATMENT in wrongs)))


def _reset(wrongs: Wrongs) -> Message | None:
    if Wrong.MODE in wrongs:  # nothing is latched there, and the rest means nothing
        return in_mode(Mode.DISARMED).ask(Reset(Cause.DWELL))
    trial = in_mode(Mode.SAFE)
    for _ in range(RESETS_MAX if Wrong.LOCKED in wrongs else 0):
        trial.ask(Reset(trial.firmware.board.cause))
        _trip(trial)
    cause = trial.firmware.board.cause
    if Wrong.STANDS in wrongs:
        trial.lost = True
    _press(trial, wrongs)
    return trial.ask(Reset(Cause.DWELL if Wrong.CAUSE in wrongs else cause))


def _witness_keep(wrongs: Wrongs) -> Message | None:
    trial = in_mode(Mode.DISARMED)
    trial.ask(KEEP)
    if Wrong.MODE in wrongs:
        trial = in_mode(Mode.ARMED)
    return trial.ask(KEEP._replace(row=KEEP.row - (Wrong.BACK in wrongs)))


def _trip(trial: Trial) -> None:
    trial.lost = True
    trial.reaches(Mode.SAFE)
    trial.lost = False
    trial.run(PRESS_S)


def _press(trial: Trial, wrongs: Wrongs) -> None:
    trial.pressed = Wrong.PRESSED in wrongs
    trial.run(PRESS_S)


_W: Final = Wrong
REFUSALS: Final[Mapping[str, tuple[Callable[[Wrongs], Message | None], Sequence[Wrong]]]] = (
    MappingProxyType(
        {
            "HELLO": (_hello, (_W.VERSION, _W.ARMED)),
            "CONFIG": (_config, (_W.MODE, _W.ENVELOPE)),
            "SELFTEST": (_selftest, (_W.MODE, _W.PRESSED)),
            "ARM": (
                _arm,
                (
                    _W.MODE, _W.TEST_FAILED, _W.UNCONFIGURED, _W.TREATMENT, _W.TIP, _W.TICKET,
                    _W.STREAM, _W.NOISE, _W.PRESSED,
                ),
            ),
            "RESET": (_reset, (_W.MODE, _W.LOCKED, _W.PRESSED, _W.CAUSE, _W.STANDS)),
            "WITNESS_KEEP": (_witness_keep, (_W.MODE, _W.BACK)),
        }
    )
)  # fmt: skip


@cache
def refusals(request: str) -> tuple[tuple[Refusal, tuple[Wrong, ...]], ...]:
    """Return the refusals of a request in their order, each with what it is for.

    Everything is wrong at first; what the answer names is mended, and the request is tried again.
    """
    attempt, wrongs = REFUSALS[request]
    of = {wrong: _refusal(attempt(frozenset({wrong}))) for wrong in wrongs}
    left, found = list(wrongs), []
    while left:
        refusal = _refusal(attempt(frozenset(left)))
        named = tuple(wrong for wrong in left if of[wrong] is refusal)
        if not named:
            raise RuntimeError(f"{request} is refused with {refusal.name} for none of {left}")
        found.append((refusal, named))
        left = [wrong for wrong in left if wrong not in named]
    return tuple(found)


def _refusal(reply: Message | None) -> Refusal:
    if isinstance(reply, (Ident, Result)):
        return Refusal(reply.refusal)
    raise RuntimeError(f"the unit answered {reply}")


# -- what makes void -------------------------------------------------------------------------------
EVENTS: Final[Mapping[str, Callable[[Trial], object]]] = MappingProxyType(
    {
        "HELLO, a new session": lambda trial: trial.hello(),
        "CONFIG": lambda trial: trial.ask(CONFIG),
        "SELFTEST": lambda trial: trial.ask(SelfTest()),
        "ARM": lambda trial: trial.ask(Arm(trial.token, TREATMENT)),
        "a request that is refused": lambda trial: trial.ask(Arm(trial.token + 1, TREATMENT)),
        "STOP normal": lambda trial: trial.stop(StopKind.NORMAL),
        "STOP emergency": lambda trial: trial.stop(StopKind.EMERGENCY),
        "a trip": _trip,
    }
)


@cache
def voids() -> Mapping[str, tuple[str, str, str]]:
    """Return what becomes of token, configuration and lease of a READY unit, by event."""
    found = {}
    for name, happen in EVENTS.items():
        trial = in_mode(Mode.READY)
        board, given = trial.firmware.board, trial.token
        happen(trial)
        token = "void" if board.token == 0 else "kept" if board.token == given else "a new one"
        kept = {True: "kept", False: "void"}
        configured = kept[board.a.setpoints.envelope.treatment != 0]
        found[name] = token, configured, kept[board.a.lease.live]
    return found


# -- how long --------------------------------------------------------------------------------------
@cache
def durations() -> Mapping[str, float]:
    """Return how long each mode that ends by itself lasts with nothing in the way, in seconds."""
    boot, test, wait, end = (
        in_mode(mode) for mode in (Mode.BOOT, Mode.SELFTEST, Mode.ARMED, Mode.STOPPING)
    )
    return {
        "BOOT": boot.reaches(Mode.DISARMED),
        "SELFTEST": test.reaches(Mode.READY),
        "ARMED": wait.reaches(Mode.DISARMED),
        "STOPPING": end.reaches(Mode.DISARMED),
    }


def distances(seconds: float) -> list[int]:
    """Return how far apart the ticks of TELEMETRY are for a while, in milliseconds."""
    trial = in_mode(Mode.DISARMED)
    ticks: list[int] = []
    end_s = trial.now_s + seconds
    while trial.now_s < end_s:
        trial.run(0.005)
        if trial.telemetry is not None and trial.telemetry.tick_ms not in ticks[-1:]:
            ticks.append(trial.telemetry.tick_ms)
    return [after - before for before, after in pairwise(ticks)]
