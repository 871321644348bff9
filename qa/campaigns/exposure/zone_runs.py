"""Many runs of one zone at a time: hand, valve, ledger and interlocks, stroke by stroke.

The controller of these runs is arithmetic on the numbers of the plan (`ZoneSetting`), because one
million handpiece-seconds a second leave no time for more. A test holds it against the full service
on a shared sample: contact, crystals, bound, end and depth map.
"""

from dataclasses import dataclass
from enum import IntEnum, unique
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qa.campaigns.exposure.settings import Arm, ZoneSetting
from qa.campaigns.exposure.strokes import Strokers, Strokes
from qa.skin.truth import ANGLE_LN_SD

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

VALVE_DELAY_S: Final = 0.15
"""From touching the skin to an open valve: contact and suction first. Measured on the service."""
FLOW_LOSS_S: Final = 0.15
"""What the rise of the flow costs each stroke, less what comes after it. Measured likewise."""
CONTROL_PERIOD_S: Final = 0.05  # the controller decides at each setpoint
CLOSE_S: Final = 0.1  # decision, line, valve shut and crystals on their way: the device's budget
DWELL_TRIP_S: Final = 2.0  # the interlock on a tip that does not move
SEAL_TRIP_S: Final = 8.0  # the interlock on unbroken seal, with and without a motion sensor
STROKES_MAX: Final = 2000  # no zone of any program takes a tenth of it with any hand
TIRED_FACTOR: Final = 3.0  # without interlocks a hand ends after so many times the planned contact


class Crystals(NamedTuple):
    """One stroke of each run, as far as crystals flowed."""

    from_mm: Floats
    speed_mm_per_s: Floats
    stroke_s: Floats
    sideways_mm: Floats
    moved_s: Floats
    """Seconds of full flow while the tip moved."""
    still_s: Floats
    """Seconds of full flow while it stood still in the middle of the stroke."""
    before_s: Floats
    """Seconds of full flow in this zone before this stroke."""
    angle: Floats
    """Factor of the angle at which the tip was held."""


@unique
class End(IntEnum):
    """What ended a zone."""

    RUNNING = 0
    TIME = 1
    CAP = 2
    DWELL = 3
    SEAL = 4
    HAND = 5
    FAULT = 6


@dataclass(frozen=True, slots=True)
class FaultCourse:
    """A fault as the skin sees it, from a moment on that differs from run to run."""

    after_s: Floats
    """Seconds of full flow before it begins; infinite where it begins in another zone."""
    true_gain: Floats
    """Removal under the tip, over that before the fault."""
    seen_gain: Floats
    """What the ledger charges, over that before the fault."""
    lasts_s: Floats
    """Seconds of full flow until the valve is shut for good; infinite where nobody notices."""

    def part(self, which: slice) -> "FaultCourse":
        """Return some of the runs."""
        return FaultCourse(
            self.after_s[which], self.true_gain[which], self.seen_gain[which], self.lasts_s[which]
        )


@dataclass(slots=True)
class ZoneRuns:
    """What happened in each of many runs of one zone."""

    elapsed_s: Floats
    contact_s: Floats
    """Open valve on skin, as the ledger counts it."""
    dose_s: Floats
    """Full flow on skin."""
    bound_um: Floats
    still_max_s: Floats
    """The longest time that the tip stood still with crystals flowing."""
    end: NDArray[np.int8]
    running: Bools
    crystals: Crystals
    """Where crystals went: strokes by runs."""

    @staticmethod
    def begun(n: int) -> "ZoneRuns":
        """Return ``n`` runs in which nothing has happened yet."""
        elapsed_s, contact_s, dose_s, bound_um, still_max_s = np.zeros((5, n), np.float32)
        return ZoneRuns(
            elapsed_s, contact_s, dose_s, bound_um, still_max_s,
            np.zeros(n, np.int8), np.ones(n, np.bool_), Crystals(*np.zeros((8, 0, n), np.float32)),
        )  # fmt: skip


def run_zone(  # noqa: PLR0913 - the last two switch off what a question is not about
    setting: ZoneSetting,
    hands: Strokers,
    arm: Arm,
    rng: np.random.Generator,
    fault: FaultCourse | None = None,
    *,
    trips_dwell: bool = True,
    angles: bool = True,
) -> ZoneRuns:
    """Treat the zone once for each of the hands, each stroke at an angle of its own."""
    runs = ZoneRuns.begun(hands.n)
    crystals: list[Crystals] = []
    judge = _Judge(setting, arm, hands, rng, fault, trips_dwell=trips_dwell)
    for _ in range(STROKES_MAX):
        if not runs.running.any():
            break
        stroke = hands.next()
        before_s = runs.dose_s.copy()
        moved_s, still_s = judge.allow(runs, stroke)
        runs.still_max_s = np.maximum(runs.still_max_s, still_s)
        runs.dose_s += moved_s + still_s
        spread = np.float32(ANGLE_LN_SD if angles else 0.0)
        angle = np.exp(spread * rng.standard_normal(hands.n, np.float32))
        crystals.append(
            Crystals(
                stroke.from_mm, stroke.speed_mm_per_s, stroke.stroke_s, stroke.sideways_mm,
                moved_s, still_s, before_s, angle,
            )
        )  # fmt: skip
    runs.crystals = Crystals(*(np.stack(each) for each in zip(*crystals, strict=True)))
    return runs


class _Judge:
    """Who may let crystals flow, and for how long in this stroke."""

    def __init__(
        self,
        setting: ZoneSetting,
        arm: Arm,
        hands: Strokers,
        rng: np.random.Generator,
        fault: FaultCourse | None,
        *,
        trips_dwell: bool,
    ) -> None:
        self._set = setting
        self._arm = arm
        self._hands = hands
        self._rng = rng
        self._fault = fault
        self._trips_dwell = trips_dwell and setting.motion_sensor

    def allow(self, runs: ZoneRuns, stroke: Strokes) -> tuple[Floats, Floats]:
        """Return the seconds of full flow while moving and while standing still.

        The tip moves for half of the stroke, stops where it does, and moves on.
        """
        running = runs.running.copy()
        half_s = np.maximum(stroke.stroke_s - VALVE_DELAY_S, 0.0) / 2.0
        pause_s = stroke.pause_s
        if self._arm is Arm.NONE:
            moved, still = 2.0 * half_s, pause_s
            ended = np.zeros_like(running)
            self._end_by_hand(runs, stroke)
        else:
            moved, still, ended = self._held(runs, half_s, pause_s)
        runs.contact_s += np.where(running, moved + still, 0.0).astype(np.float32)
        whole_s = stroke.stroke_s + pause_s + stroke.rest_s
        took_s = np.where(ended, moved + still + VALVE_DELAY_S, whole_s)
        runs.elapsed_s += np.where(running, took_s, 0.0).astype(np.float32)
        late_s = self._rng.random(moved.size, np.float32) * CONTROL_PERIOD_S + CLOSE_S
        stopped_still = ended & (still < pause_s)
        flowed = np.maximum(moved - FLOW_LOSS_S, 0.0) + np.where(ended & ~stopped_still, late_s, 0)
        stood = still + np.where(stopped_still, late_s, 0.0)
        zero = np.float32(0.0)
        flowed = np.where(running, flowed, zero).astype(np.float32)
        stood = np.where(running, stood, zero).astype(np.float32)
        return flowed, stood

    def _end_by_hand(self, runs: ZoneRuns, stroke: Strokes) -> None:
        covered = self._hands.along_mm >= self._set.passes * self._hands.pass_mm
        tired = runs.contact_s >= TIRED_FACTOR * self._set.contact_budget_s
        done = runs.running & (covered | tired)
        runs.end[done] = End.HAND
        runs.running &= ~done

    def _held(
        self, runs: ZoneRuns, half_s: Floats, pause_s: Floats
    ) -> tuple[Floats, Floats, Bools]:
        """Cut the stroke where the first of the limits is reached."""
        setting = self._set
        clock = _Clock(runs, setting, self._arm, self._seen(runs), self._fault_ends_s(runs))
        first = clock.run(half_s, setting.moving_um_per_s, FLOW_LOSS_S)
        dwell = DWELL_TRIP_S if self._trips_dwell else np.inf
        still = clock.run(pause_s, setting.still_um_per_s, 0.0, dwell=dwell)
        second = clock.run(half_s, setting.moving_um_per_s, 0.0)
        clock.settle()
        return first + second, still, clock.ended

    def _seen(self, runs: ZoneRuns) -> Floats | float:
        if self._fault is None:
            return 1.0
        begun = runs.dose_s >= self._fault.after_s
        return np.where(begun, self._fault.seen_gain, np.float32(1.0))

    def _fault_ends_s(self, runs: ZoneRuns) -> Floats | None:
        """Return the seconds until the interlocks have noticed the fault."""
        if self._fault is None:
            return None
        left_s: Floats = np.maximum(self._fault.after_s + self._fault.lasts_s - runs.dose_s, 0.0)
        return left_s


class _Clock:
    """What is left of each limit, while one stroke runs through its parts."""

    def __init__(
        self,
        runs: ZoneRuns,
        setting: ZoneSetting,
        arm: Arm,
        seen: Floats | float,
        fault_ends_s: Floats | None,
    ) -> None:
        self._runs = runs
        self._set = setting
        self._interlocked = arm is Arm.INTERLOCKED
        self._seen = seen
        self._fault_ends_s = fault_ends_s
        self._sealed_s = np.full(runs.end.size, VALVE_DELAY_S, np.float32)
        self._contact_s = runs.contact_s.copy()
        self.ended = np.zeros(runs.end.size, np.bool_)

    def run(self, wish_s: Floats, um_per_s: float, loss_s: float, dwell: float = np.inf) -> Floats:
        """Return how much of ``wish_s`` is allowed, and book it."""
        runs, setting = self._runs, self._set
        going = runs.running & ~self.ended
        limits = [(End.TIME, np.maximum(setting.contact_budget_s - self._contact_s, 0.0))]
        if self._interlocked:
            left_um = np.maximum(setting.cap_um - runs.bound_um, 0.0)
            limits.append((End.CAP, left_um / (um_per_s * self._seen) + loss_s))
            limits.append((End.SEAL, SEAL_TRIP_S - self._sealed_s))
            if self._fault_ends_s is not None:
                limits.append((End.FAULT, self._fault_ends_s + loss_s))
            if np.isfinite(dwell):
                limits.append((End.DWELL, np.full_like(wish_s, dwell)))
        allowed = np.where(going, wish_s, 0.0)
        for end, left_s in limits:
            cut = going & (left_s <= allowed)
            allowed = np.where(cut, left_s, allowed)
            runs.end[cut] = end
            self.ended |= cut
        self._sealed_s += allowed
        self._contact_s += allowed
        charged_s = np.maximum(allowed - loss_s, 0.0)
        if self._fault_ends_s is not None:
            self._fault_ends_s = np.maximum(self._fault_ends_s - charged_s, 0.0)
        runs.bound_um += (um_per_s * self._seen * charged_s).astype(np.float32)
        result: Floats = allowed.astype(np.float32)
        return result

    def settle(self) -> None:
        """Take those that ended out of the running."""
        self._runs.running &= ~self.ended
