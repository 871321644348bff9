"""The account beside the firmware: what it was told and shown, kept without asking it.

The ghost reads bytes that were sent and samples that were shown. Where it disagrees with the
firmware to the dangerous side, a property is broken.
"""

from collections.abc import Hashable
from math import isnan
from typing import Final, NamedTuple

from firmware_protocol.envelope import FLOW_SET_MAX_MG_PER_MIN, SUCTION_TRIP_PA
from firmware_protocol.vocabulary import Cause, Mode
from simulator.firmware.firmware import Firmware
from simulator.firmware.guards import FLOW_NONE_G_PER_MIN, VALVE_AJAR_PERCENT, VALVE_SHUT_PERCENT
from simulator.firmware.modes import Policy
from simulator.plant.signals import Sensors
from tests.proof.explore.clocks import BEAT_MS, PLENTY_MG
from tests.proof.explore.frames import FLOW_MG_PER_MIN, Words

LAPSED_FLOOR_MS: Final = -BEAT_MS  # beyond the lease and its margin nothing new can be learnt
FLOW_EXCESS_MG_PER_MIN: Final = FLOW_MG_PER_MIN * 1.3 + 1_000
STOOD_MAX: Final = 6  # beats; the longest budget that is checked is 250 ms
MS_PER_MIN: Final = 60_000
SUCTION_TRIP_KPA: Final = SUCTION_TRIP_PA / 1000


class Before(NamedTuple):
    """What a step is compared with."""

    mode: Mode
    cause: Cause
    session: int
    token: int
    healthy: bool
    released: bool
    lease: bool

    @classmethod
    def of(cls, firmware: Firmware) -> "Before":
        """Return what there is before the step."""
        board = firmware.board
        a = board.a
        return cls(
            board.mode,
            board.cause,
            firmware.link.session,
            board.token,
            a.setpoints.healthy(board.tick_ms),
            a.sensors.switch_rest and not a.sensors.switch_closed,
            a.lease.live,
        )


class Ghost:
    """What must be true of the device, from outside."""

    __slots__ = (
        "ajar",
        "excess",
        "grip",
        "heard",
        "lease_ms",
        "left_mg",
        "over",
        "proven",
        "wished",
    )

    def __init__(self) -> None:
        self.lease_ms = LAPSED_FLOOR_MS
        """What is left of the newest lease; below zero, how long it has been over."""
        self.left_mg = 0.0
        """What is left of the exposure of the newest setpoint, by this account."""
        self.heard = False
        """A beat has passed in this session, so that there is a tick to echo."""
        self.wished = False
        """The newest setpoint wished for flow."""
        self.proven = False
        """A self-test has passed, and since then no stop, no trip, no new session."""
        self.grip = (False, True)
        """Both contacts of the switch in the beat before."""
        self.over = self.excess = self.ajar = 0
        """For how many beats a hazard has stood without a break."""

    def granted(self, words: Words, lease_ms: int) -> None:
        """A setpoint of the treatment has arrived in order."""
        self.lease_ms = lease_ms
        self.left_mg = float(words.left_mg)
        self.wished = bool(words.wish & 2) and words.flow_mg_per_min > 0

    def restarted(self) -> None:
        """Everything that was told is void."""
        self.lease_ms = LAPSED_FLOOR_MS
        self.wished = self.proven = self.heard = False
        self.over = self.excess = self.ajar = 0

    def moved(self, before: Mode, after: Mode, *, again: bool) -> None:
        """The mode was ``before`` and is ``after``; ``again`` tells of a new session."""
        if again:
            self.heard = False
        if before is Mode.SELFTEST and after is Mode.READY:
            self.proven = True
        elif again or (after is not before and after in (Mode.DISARMED, Mode.SAFE)):
            self.proven = False
        if after is Mode.SAFE:
            self.over = self.excess = self.ajar = 0

    def beat(self, sensors: Sensors, policy: Policy, *, commanded: bool) -> None:
        """One beat passes with this sample; ``commanded`` is the valve until now."""
        self.lease_ms = max(self.lease_ms - BEAT_MS, LAPSED_FLOOR_MS)
        self._meter(sensors)
        flow, a_kpa, b_kpa = sensors.flow_g_per_min, sensors.suction_a_kpa, sensors.suction_b_kpa
        over = any(kpa is not None and not kpa <= SUCTION_TRIP_KPA for kpa in (a_kpa, b_kpa))
        excess = policy.running and flow is not None and not flow * 1000 <= FLOW_EXCESS_MG_PER_MIN
        ajar = not (commanded or sensors.valve_percent <= VALVE_AJAR_PERCENT)
        self.over = min(self.over + 1, STOOD_MAX) if over else 0
        self.excess = min(self.excess + 1, STOOD_MAX) if excess else 0
        self.ajar = min(self.ajar + 1, STOOD_MAX) if ajar else 0

    def _meter(self, sensors: Sensors) -> None:
        flow = sensors.flow_g_per_min
        if flow is None or isnan(flow):
            mg_per_min = float(FLOW_SET_MAX_MG_PER_MIN)
        elif sensors.valve_percent <= VALVE_SHUT_PERCENT and flow <= FLOW_NONE_G_PER_MIN:
            return
        else:
            mg_per_min = max(flow * 1000, 0.0)
        self.left_mg -= mg_per_min * BEAT_MS / MS_PER_MIN


def grant_left(mg: float, ghost: Ghost) -> Hashable:
    """Read what is left for the name of a state: nothing, this much, or more than can matter."""
    if ghost.lease_ms <= 0:
        return None
    return "plenty" if mg > PLENTY_MG else max(round(mg, 3), 0.0)
