"""The exposure ledger of a zone: what was removed and sucked at, and what gates the valve."""

import math
from dataclasses import dataclass
from typing import Final

from controller.safety.removal import FLOW_WORST_G_PER_MIN, READING_MAX, Motion, RemovalModel
from firmware_protocol.envelope import BUDGET_SWITCH_S, ECHO_AGE_MAX_MS
from firmware_protocol.messages import MG_PER_G

LEFT_MAX_MG: Final = 0xFFFF  # the width of exposure_left_mg on the wire
SECONDS_PER_MIN: Final = 60.0
CHARGE_MAX_S: Final = 3600.0  # one charge; longer than any treatment is not a time but a mistake
OVERSHOOT_S: Final = ECHO_AGE_MAX_MS / 1000.0 + BUDGET_SWITCH_S
"""For so long crystals may still fall after the last that the ledger knows of has used up a zone.

The device itself meters what a setpoint leaves it, whatever becomes of host and line, and it drops
a setpoint that rests on a reading older than the first part; the second is from its decision to the
shut valve and the empty line."""

LEFT_LEAST_S: Final = BUDGET_SWITCH_S
"""A shorter time is not worth opening for: the valve takes as long to shut. A time and not an
amount of crystals, or more would be kept back at a lower flow, and what fits would not at less."""

KEPT_BACK_S: Final = OVERSHOOT_S + LEFT_LEAST_S
"""The end of a zone: what may still fall, and what is not worth opening for."""

STOP_SEEN_S: Final = 0.25
"""A tip that stands still for longer has stopped, and every such stop is charged in full. A shorter
one is the turn or the end of a stroke, no more than one more pass over that place (6 mm at 30 mm/s
take 0.2 s); of those only the longest is, as they are not all in one place."""


@dataclass(frozen=True, slots=True)
class ZoneUse:
    """What a zone has received in this treatment; also what a resumed treatment starts from."""

    nominal_um: float = 0.0
    bound_um: float = 0.0
    contact_s: float = 0.0
    grams: float = 0.0
    suction_kpa_s: float = 0.0


@dataclass(slots=True)
class ZoneLedger:
    """Adds up removal and suction in one zone; nothing ever takes away from it.

    ``bound_um`` is the 95th centile in the worst place of the zone, ``suction_kpa_s`` the suction
    dose there. Without a motion sensor the place is not known, and a larger coverage factor stands
    for it; with one, a tip that stands still is charged in full: all real stops in depth, as if
    each were in the same place, and the longest in suction, whose harm is done without a break. The
    valve may be open only while both are below their limits. What cannot be computed uses up
    everything that was left.
    """

    zone: str
    cap_um: float
    suction_max_kpa_s: float
    area_cm2: float
    model: RemovalModel
    motion_sensor: bool = False
    nominal_um: float = 0.0
    bound_um: float = 0.0
    contact_s: float = 0.0
    grams: float = 0.0
    suction_kpa_s: float = 0.0
    _stop_s: float = 0.0
    """Open valve in the present stop."""
    _stop_um: float = 0.0
    """What it costs in full, over a tip that passes; what is not charged of it is kept back."""
    _stop_paid_um: float = 0.0
    """What of it is charged."""
    _short_stop_um: float = 0.0
    """The most that one short stop has cost; already in ``bound_um``."""
    _stop_kpa_s: float = 0.0
    """What the place has had at which the tip stands now."""
    _worst_stop_kpa_s: float = 0.0
    """The most that one place has had in an unbroken stop; already in ``suction_kpa_s``."""

    def add(
        self,
        flow_g_per_min: float | None,
        suction_kpa: float | None,
        open_s: float,
        motion: Motion = Motion.STILL,
    ) -> None:
        """Charge ``open_s`` seconds of open valve on skin; an unknown reading is the worst case."""
        if not self._press(suction_kpa, open_s, motion):
            return
        rate = self.model.spread_rate_um_per_s(
            flow_g_per_min, suction_kpa, self.area_cm2, self._known(motion)
        )
        self.nominal_um += rate.nominal_um_per_s * open_s
        if self._known(motion) is Motion.STILL:
            passing = self.model.spread_rate_um_per_s(
                flow_g_per_min, suction_kpa, self.area_cm2, Motion.MOVING
            )
            self._stand(open_s, passing.bound_um_per_s, rate.bound_um_per_s)
        else:
            self._move_on()
            self.bound_um += rate.bound_um_per_s * open_s
        self.contact_s += open_s
        self.grams += _known_flow(flow_g_per_min) * open_s / SECONDS_PER_MIN

    def press(
        self, suction_kpa: float | None, sealed_s: float, motion: Motion = Motion.STILL
    ) -> None:
        """Charge ``sealed_s`` seconds of suction on skin without crystals."""
        self._press(suction_kpa, sealed_s, motion)

    def charge(
        self, seconds: float, suction_kpa: float | None = None, flow_g_per_min: float | None = None
    ) -> None:
        """Charge a time that nobody watched as if the valve had been open all through it."""
        self.add(flow_g_per_min, suction_kpa, seconds, Motion.UNSEEN)

    @property
    def left_um(self) -> float:
        """What the bound may still rise by; 0 when the cap is reached or not known."""
        left = self.cap_um - self.bound_um - (self._stop_um - self._stop_paid_um)
        return left if left > 0.0 else 0.0

    @property
    def left_kpa_s(self) -> float:
        """What the suction dose may still rise by; 0 when its limit is reached or not known."""
        left = self.suction_max_kpa_s - self.suction_kpa_s
        return left if left > 0.0 else 0.0

    @property
    def sucked_out(self) -> bool:
        """True unless there is provably something left of the suction dose."""
        return not (self.suction_kpa_s < self.suction_max_kpa_s)

    @property
    def reached(self) -> bool:
        """True unless there is provably something left of both limits."""
        return not (self.bound_um < self.cap_um) or self.sucked_out

    @property
    def use(self) -> ZoneUse:
        """A frozen copy of what was used."""
        return ZoneUse(
            self.nominal_um, self.bound_um, self.contact_s, self.grams, self.suction_kpa_s
        )

    @property
    def motion_worst(self) -> Motion:
        """What the tip may do at any moment, as far as this unit could see it."""
        return Motion.STILL if self.motion_sensor else Motion.UNSEEN

    @property
    def motion_usual(self) -> Motion:
        """What a tip in a working hand looks like to this unit."""
        return Motion.MOVING if self.motion_sensor else Motion.UNSEEN

    def ends_by_suction(self, flow_g_per_min: float, suction_kpa: float) -> bool:
        """True where it is the suction dose of both limits that leaves the shorter time."""
        um_per_s, kpa = self._worst_rates(flow_g_per_min, suction_kpa)
        return _seconds(self.left_kpa_s, kpa) < _seconds(self.left_um, um_per_s)

    def left_s(self, flow_g_per_min: float | None, suction_kpa: float | None) -> float:
        """Return the seconds with open valve that fit under both limits even if the tip stops now.

        What may still fall after them is kept back. Infinite without flow and suction.
        """
        if self.reached:
            return 0.0
        um_per_s, kpa = self._worst_rates(flow_g_per_min, suction_kpa)
        left_s = min(_seconds(self.left_um, um_per_s), _seconds(self.left_kpa_s, kpa))
        return max(0.0, left_s - OVERSHOOT_S)

    def lasts_by_depth_s(self, flow_g_per_min: float, suction_kpa: float) -> float:
        """Return the seconds of contact with a working hand after which the depth ends the zone."""
        um_per_s, _ = self._worst_rates(flow_g_per_min, suction_kpa)
        usual = self.model.spread_rate_um_per_s(
            flow_g_per_min, suction_kpa, self.area_cm2, self.motion_usual
        )
        kept_um = um_per_s * KEPT_BACK_S
        return _seconds(max(0.0, self.left_um - kept_um), usual.bound_um_per_s)

    def lasts_by_suction_s(self, flow_g_per_min: float, suction_kpa: float) -> float:
        """Return the seconds of contact with a working hand after which suction ends the zone."""
        kpa = self._worst_kpa(suction_kpa)
        usual_share = self.model.place_share(self.area_cm2, self.motion_usual)
        kept_kpa_s = kpa * KEPT_BACK_S
        usual_kpa = self.model.suction_high_kpa(suction_kpa) * usual_share
        return _seconds(max(0.0, self.left_kpa_s - kept_kpa_s), usual_kpa)

    def opens(self, flow_g_per_min: float, suction_kpa: float) -> bool:
        """Return True while enough is left to open the valve for, on the wire too."""
        left_s = self.left_s(flow_g_per_min, suction_kpa)
        return left_s >= LEFT_LEAST_S and _milligrams(left_s, _known_flow(flow_g_per_min)) > 0

    def left_mg(self, flow_g_per_min: float | None = None, suction_kpa: float | None = None) -> int:
        """Return the crystals that still fit under the limits, in whole mg, rounded down.

        This is what SETPOINT tells the device, which meters crystals by itself. At a flow of zero
        nothing fits: a setpoint without flow permits none.
        """
        flow = _known_flow(flow_g_per_min)
        if not (flow > 0.0):
            return 0
        return _milligrams(self.left_s(flow, suction_kpa), flow)

    def _stand(self, open_s: float, passing_um_per_s: float, still_um_per_s: float) -> None:
        """Charge a tip that stands still; of the short stops of a zone only the longest counts."""
        self.bound_um += passing_um_per_s * open_s
        self._stop_s += open_s
        self._stop_um += (still_um_per_s - passing_um_per_s) * open_s
        short = self._stop_s <= STOP_SEEN_S
        due_um = self._stop_um - (self._short_stop_um if short else 0.0)
        if not (due_um <= self._stop_paid_um):
            self.bound_um += due_um - self._stop_paid_um
            self._stop_paid_um = due_um

    def _move_on(self) -> None:
        """End a stop."""
        if self._stop_s <= STOP_SEEN_S:
            self._short_stop_um = max(self._short_stop_um, self._stop_um)
        self._stop_s = self._stop_um = self._stop_paid_um = 0.0

    def _press(self, suction_kpa: float | None, seconds: float, motion: Motion) -> bool:
        """Charge the suction of a time; False where it was no time, and everything is used up."""
        if not (0.0 <= seconds <= CHARGE_MAX_S):
            self.bound_um = max(self.bound_um, self.cap_um)
            self.suction_kpa_s = max(self.suction_kpa_s, self.suction_max_kpa_s)
            return False
        known = self._known(motion)
        share = self.model.place_share(self.area_cm2, known)
        added_kpa_s = self.model.suction_high_kpa(suction_kpa) * share * seconds
        if known is Motion.STILL:
            self._stop_kpa_s += added_kpa_s
            added_kpa_s = max(0.0, self._stop_kpa_s - self._worst_stop_kpa_s)
            self._worst_stop_kpa_s = max(self._worst_stop_kpa_s, self._stop_kpa_s)
        else:
            self._stop_kpa_s = 0.0
        self.suction_kpa_s += added_kpa_s
        return True

    def _known(self, motion: Motion) -> Motion:
        """Without a motion sensor nothing is known, whatever a bit may say."""
        return motion if self.motion_sensor else Motion.UNSEEN

    def _worst_rates(
        self, flow_g_per_min: float | None, suction_kpa: float | None
    ) -> tuple[float, float]:
        rate = self.model.spread_rate_um_per_s(
            flow_g_per_min, suction_kpa, self.area_cm2, self.motion_worst
        )
        return rate.bound_um_per_s, self._worst_kpa(suction_kpa)

    def _worst_kpa(self, suction_kpa: float | None) -> float:
        share = self.model.place_share(self.area_cm2, self.motion_worst)
        return self.model.suction_high_kpa(suction_kpa) * share


def _seconds(left: float, per_s: float) -> float:
    return left / per_s if per_s > 0.0 else math.inf


def _milligrams(left_s: float, flow_g_per_min: float) -> int:
    """Return what flows in ``left_s``, in whole mg, rounded down, as far as the wire can say it."""
    if not (flow_g_per_min > 0.0):
        return 0
    left_g = left_s * flow_g_per_min / SECONDS_PER_MIN
    return math.floor(min(float(LEFT_MAX_MG), left_g * MG_PER_G))


def _known_flow(flow_g_per_min: float | None) -> float:
    if flow_g_per_min is not None and 0.0 <= flow_g_per_min < math.inf:
        return min(flow_g_per_min, READING_MAX)
    return FLOW_WORST_G_PER_MIN
