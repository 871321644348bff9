"""Which setpoints count, for how long, and what is in force: narrowed, and raised slowly.

A setpoint proves that its host hears by the tick that it echoes. Any number near the clock can be
made up, so only the ticks that were really sent in this session count, and each for 100 ms.

The lease of channel A is counted in the device's own 32-bit milliseconds from receipt. Once lapsed
it stays lapsed until a new grant, so a tick that wraps can never bring it back. The envelope is the
factory's, narrowed by the configuration of a treatment. Down is immediate, up is slow: 20 kPa/s of
suction and a quarter of full flow in 100 ms.
"""

from collections import deque
from enum import Enum, unique
from typing import Final, NamedTuple

from firmware_protocol.envelope import (
    ECHO_AGE_MAX_MS,
    FLOW_SET_MAX_MG_PER_MIN,
    FLOW_SET_MIN_MG_PER_MIN,
    LEASE_MAX_MS,
    LEASE_MIN_MS,
    STREAM_HEALTHY_FRAMES,
    STREAM_HEALTHY_WINDOW_S,
    SUCTION_PERMIT_MIN_PA,
    SUCTION_SET_MAX_PA,
    TELEMETRY_PERIOD_S,
    TELEMETRY_SHIFT_S,
)
from firmware_protocol.messages import Config, Setpoint
from firmware_protocol.session import age_ms, newer
from firmware_protocol.vocabulary import Wish

_MASK = 0xFFFF_FFFF


# -- the lease -------------------------------------------------------------------------------------
class Lease:
    """How long the last accepted setpoint still counts."""

    __slots__ = ("_ends_tick", "live")

    def __init__(self) -> None:
        self.live = False
        self._ends_tick = 0

    def grant(self, lease_ms: int, tick_ms: int) -> None:
        """Start anew from ``tick_ms`` for ``lease_ms``, clamped to the timing contract."""
        span_ms = min(max(lease_ms, LEASE_MIN_MS), LEASE_MAX_MS)
        self._ends_tick = (tick_ms + span_ms) & _MASK
        self.live = True

    def revoke(self) -> None:
        """End the lease now."""
        self.live = False

    def left_ms(self, tick_ms: int) -> int:
        """Return what is left at ``tick_ms``; reaching zero ends the lease for good."""
        if self.live:
            left = (self._ends_tick - tick_ms) & _MASK
            if 0 < left <= LEASE_MAX_MS:
                return left
            self.live = False
        return 0


# -- the envelope ----------------------------------------------------------------------------------
class Envelope(NamedTuple):
    """What the outputs may do at most, and the least suction that permits flow."""

    treatment: int
    suction_max_pa: int
    flow_max_mg_per_min: int
    suction_min_pa: int
    tip: int
    """What the limits were made for; arming needs this one fitted."""


UNCONFIGURED: Final = Envelope(0, 0, 0, SUCTION_PERMIT_MIN_PA, 0)
"""Before CONFIG nothing may be driven, whatever a setpoint says."""


def narrow(config: Config) -> Envelope | None:
    """Return the envelope of a treatment; None where it widens the factory's or can never flow."""
    suction_min_pa = max(config.suction_min_pa, SUCTION_PERMIT_MIN_PA)
    if not (
        config.treatment > 0
        and config.tip > 0
        and suction_min_pa <= config.suction_max_pa <= SUCTION_SET_MAX_PA
        and FLOW_SET_MIN_MG_PER_MIN <= config.flow_max_mg_per_min <= FLOW_SET_MAX_MG_PER_MIN
    ):
        return None
    return Envelope(
        config.treatment,
        config.suction_max_pa,
        config.flow_max_mg_per_min,
        suction_min_pa,
        config.tip,
    )


# -- what counts, and what is in force -------------------------------------------------------------
SUCTION_UP_PA_PER_MS: Final = 20.0
FLOW_UP_MG_PER_MIN_PER_MS: Final = FLOW_SET_MAX_MG_PER_MIN * 0.25 / 100.0
FLOW_STARVED_MG_PER_MIN: Final = 3_000.0  # a quarter of full: enough to see whether it comes
SENT_TICKS_MAX: Final = 1 + ECHO_AGE_MAX_MS // int((TELEMETRY_PERIOD_S - TELEMETRY_SHIFT_S) * 1000)
"""No more TELEMETRY than this fits into the age of an echo."""
_WINDOW_MS: Final = int(STREAM_HEALTHY_WINDOW_S * 1000)
_PUMP: Final = int(Wish.PUMP)
_FLOW: Final = int(Wish.FLOW)


@unique
class Verdict(Enum):
    """What became of a setpoint."""

    ACCEPTED = "accepted"
    LOOP_STALLED = "loop counter did not advance"
    STALE_ECHO = "echoes an old tick"
    MADE_UP_ECHO = "echoes a tick that was not sent"
    TREATMENT = "of another treatment"


class Setpoints:
    """The newest accepted setpoint and what of it is in force."""

    __slots__ = (
        "_accepted_ticks", "_goal_flow", "_goal_suction", "_sent_ticks", "envelope",
        "flow_mg_per_min", "loop_counter", "suction_pa", "wants_flow", "wants_pump",
    )  # fmt: skip

    def __init__(self) -> None:
        self.envelope: Envelope = UNCONFIGURED
        self.loop_counter: int | None = None
        self.suction_pa = 0.0
        self.flow_mg_per_min = 0.0
        self._goal_suction = 0
        self._goal_flow = 0
        self.wants_pump = False
        """The newest setpoint wants suction."""
        self.wants_flow = False
        """The newest setpoint wants crystals, and more than none."""
        self._accepted_ticks: deque[int] = deque(maxlen=STREAM_HEALTHY_FRAMES)
        self._sent_ticks: deque[int] = deque(maxlen=SENT_TICKS_MAX)

    def open_session(self) -> None:
        """Forget everything: the configuration too belongs to a session."""
        self.envelope = UNCONFIGURED
        self.loop_counter = None
        self._accepted_ticks.clear()
        self._sent_ticks.clear()
        self.withdraw()

    def withdraw(self) -> None:
        """Want nothing from now on, until the next setpoint."""
        self._goal_suction = self._goal_flow = 0
        self.wants_pump = self.wants_flow = False
        self.suction_pa = self.flow_mg_per_min = 0.0

    def configure(self, envelope: Envelope) -> None:
        """Narrow to the envelope of a treatment."""
        self.envelope = envelope
        self.withdraw()

    def sent(self, tick_ms: int) -> None:
        """Remember that TELEMETRY with this tick was sent: from now on a host can echo it."""
        self._sent_ticks.append(tick_ms)

    def offer(self, setpoint: Setpoint, tick_ms: int) -> Verdict:
        """Take a setpoint that arrived at ``tick_ms``, or say why not."""
        verdict = self._judge(setpoint, tick_ms)
        if verdict is Verdict.ACCEPTED:
            self.loop_counter = setpoint.loop_counter
            self._accepted_ticks.append(tick_ms)
            self._goal_suction = min(setpoint.suction_pa, self.envelope.suction_max_pa)
            self._goal_flow = min(setpoint.flow_mg_per_min, self.envelope.flow_max_mg_per_min)
            self.wants_pump = setpoint.wish & _PUMP != 0
            self.wants_flow = setpoint.wish & _FLOW != 0 and self._goal_flow > 0
        return verdict

    def _judge(self, setpoint: Setpoint, tick_ms: int) -> Verdict:
        if setpoint.treatment != self.envelope.treatment:
            return Verdict.TREATMENT
        if self.loop_counter is not None and not newer(setpoint.loop_counter, self.loop_counter):
            return Verdict.LOOP_STALLED
        if not age_ms(tick_ms, setpoint.echo_tick_ms) <= ECHO_AGE_MAX_MS:
            return Verdict.STALE_ECHO
        heard = setpoint.echo_tick_ms in self._sent_ticks
        return Verdict.ACCEPTED if heard else Verdict.MADE_UP_ECHO

    def healthy(self, tick_ms: int) -> bool:
        """True while enough setpoints were accepted in the last second."""
        ticks = self._accepted_ticks
        full = len(ticks) == STREAM_HEALTHY_FRAMES
        return full and age_ms(tick_ms, ticks[0]) <= _WINDOW_MS

    def follow(self, dt_ms: int, *, pumping: bool, flowing: bool, starved: bool = False) -> None:
        """Move what is in force towards the goals; an output that is off starts from zero.

        A feed that is starved asks for little, so that a clog that clears starts a ramp, no burst.
        """
        suction = self.suction_pa + SUCTION_UP_PA_PER_MS * dt_ms if pumping else 0.0
        self.suction_pa = self._goal_suction if suction > self._goal_suction else suction
        flow = self.flow_mg_per_min + FLOW_UP_MG_PER_MIN_PER_MS * dt_ms if flowing else 0.0
        if starved and flow > FLOW_STARVED_MG_PER_MIN:
            flow = FLOW_STARVED_MG_PER_MIN
        self.flow_mg_per_min = self._goal_flow if flow > self._goal_flow else flow
