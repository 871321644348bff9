"""What the host looks for while it commands nothing: suction, flow or an open valve all the same.

A treatment is watched up to its end, and a safe state that was reached may be left by itself: a
vent that sticks holds the skin, a valve leaks. The rules are those of the treatment, asked with the
belief that nothing is wished for; the graces are theirs too. So the suction that an ordinary vent
leaves has `VENT_GRACE_S` to go, and a tip on the skin of an idle unit, which sucks nothing, is none
of it.
"""

from collections.abc import Iterable
from typing import Final

from controller.safety.alarm_texts import OF_INTERLOCK
from controller.safety.alarms import Alarm
from controller.safety.interlocks import RULES, VENT_GRACE_S, Belief, Interlock, Watch
from controller.safety.reading import Reading
from firmware_protocol.vocabulary import Mode

EFFECTS: Final = frozenset(
    {Interlock.FLOW_WHILE_SHUT, Interlock.STOP_WITHOUT_EFFECT, Interlock.SUCTION_WHILE_OFF}
)
"""Of the table of interlocks, what means something though nobody commands anything."""

_RULES: Final = tuple(rule for rule in RULES if rule.interlock in EFFECTS)

EFFECT_CODES: Final = frozenset(OF_INTERLOCK[effect].code for effect in EFFECTS)

CALM_S: Final = 2.0 * VENT_GRACE_S
"""So long nothing is found before an alarm goes: twice the longest grace, in which whatever still
stands is found anew, so that a reading at the border writes two rows in this time and no flood."""

NOTHING_WISHED: Final = Belief(
    treating=False,
    stopped=True,
    modes=frozenset(Mode),
    set_suction_kpa=0.0,
    set_flow_g_per_min=0.0,
    flow_wished=False,
    motion_sensor=False,
    boot_id=0,
)
"""Everything was stopped; which unit and which mode it is, is the business of others."""

TREATED: Final = NOTHING_WISHED._replace(stopped=False)
"""A treatment is under way: its supervisor judges, here only the time of the vent is taken."""


class OffWatch:
    """Looks at every reading and remembers when an effect was found last on an idle unit.

    The vent at the end of a treatment is looked at too: what it has had of its grace is not given
    once more when the unit is idle.
    """

    __slots__ = ("_found_at_s", "_watch")

    def __init__(self) -> None:
        self._watch = Watch(_RULES)
        self._found_at_s: dict[Alarm, float] = {}

    def pass_by(self, reading: Reading, now_s: float) -> None:
        """Take note of a reading of a treatment."""
        self._watch.judge(reading, TREATED, now_s)

    def look(self, reading: Reading, now_s: float) -> Iterable[Alarm]:
        """Return the alarms whose condition stands on the idle unit at ``now_s``."""
        for broken in self._watch.judge(reading, NOTHING_WISHED, now_s):
            self._found_at_s[OF_INTERLOCK[broken]] = now_s
        self._found_at_s = {
            alarm: found_s
            for alarm, found_s in self._found_at_s.items()
            if now_s - found_s < CALM_S
        }
        return self._found_at_s.keys()
