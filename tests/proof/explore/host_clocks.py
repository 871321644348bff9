"""How the exploration treats the clocks of the supervisor, and how it names the supervisor's state.

All of them are long ones: time stands still, every wait begins anew at every step, and whether one
of them has run out by now is decided from outside, at any step. A property that holds here holds
for every length of every wait.
"""

from collections.abc import Callable, Hashable, Mapping
from enum import Enum, unique
from typing import Final

from controller.safety.exposure import ZoneLedger
from controller.safety.interlocks import RULES, SEALED_KPA
from controller.safety.jitter import BEATS_MIN, JitterWatch
from controller.safety.reading import Reading
from controller.treatment.acts import Open
from controller.treatment.preparation import LEASE_TRIES_MAX, OFFERS_MAX
from controller.treatment.states import LIVE, State
from controller.treatment.supervisor import Supervisor
from firmware_protocol.envelope import SETPOINT_PERIOD_S
from firmware_protocol.vocabulary import Mode
from tests.proof.explore.memory import Memory, Rule, skip
from tests.proof.explore.plan import BUDGET_S

NOW_S: Final = 10_000.0
LONG_S: Final = 5_000.0
ENOUGH_S: Final = 2.5  # longer than anything that must last for a while, shorter than any patience
STALE_S: Final = 0.2
SILENT_S: Final = 1.5


@unique
class Wait(Enum):
    """What has lasted until this step."""

    NONE = ""
    GRACE = "; what an interlock sees failing has failed for too long"
    ENOUGH = "; the step of the preparation has lasted for long enough"
    LATE = "; the step of the preparation has lasted for too long"
    ZONE = "; the time of the zone is up"
    LIFTED = "; the tip has been off the skin for a while"
    IDLE = "; nobody has treated for ten minutes"
    STOPPED = "; the stop was long ago"
    STALE = "; no telemetry for 200 ms"
    SILENT = "; no telemetry for 1.5 s"
    STALLED = "; the loop has stood for 200 ms"
    OFTEN = "; ARM was offered five times"
    HELD_UP = "; the computer was held up all the time"
    HELD_UP_OFTEN = "; the computer has spoilt every proof of the lease"


def settle(supervisor: Supervisor) -> None:
    """Begin every wait anew."""
    conduct, preparation, watch = supervisor.conduct, supervisor._preparation, supervisor._watch
    course = conduct.course
    preparation.since_s = preparation.renewed_s = NOW_S
    preparation.offers = preparation.offers if preparation.exhausted else 0
    preparation.lease_tries = 0
    preparation.jitter = _kept_time(SETPOINT_PERIOD_S)
    watch.failing_since_s.clear()
    supervisor._since_s = supervisor._treated_s = supervisor._exposure_noted_s = NOW_S
    if supervisor._beat_s is not None:
        supervisor._beat_s = NOW_S
    if conduct.stopped_at_s is not None:
        conduct.stopped_at_s = NOW_S
    if course._off_skin_since_s is not None:
        course._off_skin_since_s = NOW_S
    for ledger in course._ledgers[course._at :]:
        ledger.contact_s = ledger.bound_um = ledger.nominal_um = ledger.suction_kpa_s = 0.0


def hear_again(supervisor: Supervisor) -> None:
    """Let the newest reading be of now."""
    conduct = supervisor.conduct
    if conduct.newest is not None:
        conduct.newest = conduct.newest._replace(at_s=NOW_S)


def run_out(supervisor: Supervisor, wait: Wait) -> None:
    """Let something have lasted; whether it matters is up to the supervisor."""
    lasts = _LASTS.get(wait)
    if lasts is not None:
        lasts(supervisor)


def _grace(supervisor: Supervisor) -> None:
    supervisor._watch.failing_since_s = dict.fromkeys(range(len(RULES)), NOW_S - LONG_S)


def _enough(supervisor: Supervisor) -> None:
    supervisor._preparation.since_s = supervisor._since_s = NOW_S - ENOUGH_S


def _late(supervisor: Supervisor) -> None:
    preparation = supervisor._preparation
    preparation.since_s = preparation.renewed_s = NOW_S - LONG_S


def _zone(supervisor: Supervisor) -> None:
    course = supervisor.conduct.course
    if not course.done:
        course._ledgers[course._at].contact_s = BUDGET_S


def _lifted(supervisor: Supervisor) -> None:
    course = supervisor.conduct.course
    if course._off_skin_since_s is not None:
        course._off_skin_since_s = NOW_S - ENOUGH_S


def _idle(supervisor: Supervisor) -> None:
    supervisor._treated_s = NOW_S - LONG_S


def _stopped(supervisor: Supervisor) -> None:
    if supervisor.conduct.stopped_at_s is not None:
        supervisor.conduct.stopped_at_s = NOW_S - LONG_S


def _stalled(supervisor: Supervisor) -> None:
    if supervisor._beat_s is not None:
        supervisor._beat_s = NOW_S - STALE_S


def _often(supervisor: Supervisor) -> None:
    supervisor._preparation.offers = OFFERS_MAX - 1


def _held_up(supervisor: Supervisor) -> None:
    _late(supervisor)
    supervisor._preparation.jitter = _kept_time(STALE_S)


def _held_up_often(supervisor: Supervisor) -> None:
    _held_up(supervisor)
    supervisor._preparation.lease_tries = LEASE_TRIES_MAX


def _kept_time(gap_s: float) -> JitterWatch:
    """Return what is known of a computer that has beaten every ``gap_s`` until now."""
    watch = JitterWatch(_beat_s=NOW_S, _reading_s=NOW_S)
    watch._gaps_s.extend([(gap_s, gap_s)] * BEATS_MIN)
    return watch


def _silent_for(seconds: float) -> Callable[[Supervisor], None]:
    def silent(supervisor: Supervisor) -> None:
        conduct = supervisor.conduct
        if conduct.newest is not None:
            conduct.newest = conduct.newest._replace(at_s=NOW_S - seconds)

    return silent


_LASTS: Final[dict[Wait, Callable[[Supervisor], None]]] = {
    Wait.GRACE: _grace,
    Wait.ENOUGH: _enough,
    Wait.LATE: _late,
    Wait.ZONE: _zone,
    Wait.LIFTED: _lifted,
    Wait.IDLE: _idle,
    Wait.STOPPED: _stopped,
    Wait.STALE: _silent_for(STALE_S),
    Wait.SILENT: _silent_for(SILENT_S),
    Wait.STALLED: _stalled,
    Wait.OFTEN: _often,
    Wait.HELD_UP: _held_up,
    Wait.HELD_UP_OFTEN: _held_up_often,
}


def _newest(reading: Reading | None) -> Hashable:
    """Read the newest reading: what the supervisor looks at when no new one comes."""
    if reading is None:
        return None
    mode = reading.mode if reading.mode in (Mode.READY, Mode.SAFE) else None
    return mode, reading.switch_released, reading.outputs_off


def _previous(reading: Reading | None) -> Hashable:
    """Read the reading before: whether suction can have jumped or frozen since."""
    if reading is None or reading.suction_kpa is None:
        return None
    return reading.suction_kpa if reading.suction_kpa > SEALED_KPA else 0.0


def _steps(waits: Mapping[int, Open]) -> Hashable:
    """Read what is open by its steps: numbers only ever tell them apart."""
    return tuple(sorted(one.step.value for one in waits.values()))


_ALWAYS: Final[dict[str, Rule]] = {
    "Conduct.newest": _newest,
    "Conduct.stopped_at_s": lambda at_s: at_s is not None,
    "Conduct.time_to_safe_s": lambda took_s: took_s is not None,
    "Course._previous": lambda reading: reading is not None,
    "Course._off_skin_since_s": lambda since_s: since_s is not None,
    "Preparation.failed": lambda alarm: alarm is not None,
    "Supervisor._beat_s": lambda beat_s: beat_s is not None,
    "Watch.previous": _previous,
    "Acts.open": _steps,
    # told only, constant, or a clock that begins anew at every step
    **dict.fromkeys(
        (
            "Conduct.plan", "Conduct.why", "Conduct.tripped_by", "Conduct._raised",
            "Conduct.refused", "Course._stages", "Course._ledgers", "Course._tallies",
            "Preparation.configure", "Preparation.since_s", "Preparation.renewed_s",
            "Preparation.needed_g", "Preparation.jitter",
            "Supervisor._identity", "Supervisor._since_s",
            "Supervisor._exposure_noted_s", "Supervisor._treated_s", "Watch.failing_since_s",
            "Watch.apart_kpa", "Acts.newest", "Preparation.acts",
        ),
        skip,
    ),
}  # fmt: skip


def host_rules(supervisor: Supervisor, memory: Memory) -> dict[str, Rule]:
    """Return how the fields of the supervisor are read; what has no rule counts exactly.

    How a treatment was prepared counts until it is armed for the last time; what it was set to
    counts until a trip, after which nothing is set any more.
    """

    def under_way(value: object) -> Hashable:
        return memory.name(value) if supervisor.state in UNDER_WAY else None

    def until_trip(value: object) -> Hashable:
        return None if supervisor.state is State.TRIPPED else memory.name(value)

    return _ALWAYS | {
        "Supervisor._preparation": under_way,
        "Conduct.course": until_trip,
        "Supervisor._watch": until_trip,
        "Conduct.ending": lambda ending: supervisor.state is State.STOPPING and ending,
        "Conduct.stop_kind": lambda kind: supervisor.state is State.STOPPING and kind,
        "Conduct.held": lambda held: supervisor.state in UNDER_WAY and held,
        "Conduct.sent": lambda sent: (
            supervisor.state in UNDER_WAY and (sent.suction_kpa, sent.flow_g_per_min, sent.wish)
        ),
    }


UNDER_WAY: Final = LIVE | {State.PREPARING}


def ledgers(supervisor: Supervisor) -> tuple[ZoneLedger, ...]:
    """Return the ledgers of the course."""
    return supervisor.conduct.course._ledgers
