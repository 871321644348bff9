"""How the exploration treats the clocks of the firmware, and how it names the firmware's state.

Short clocks (the lease, and whatever trips within 150 ms) run exactly, in beats of 50 ms. Long ones
(from 300 ms up: dwell, purge, self-test, the wait for the first press, a held switch) never run out
by themselves; instead, at every beat and in every state, the environment may decide that one group
of them runs out now. That is more than can happen, so a property that holds here holds for every
length of these clocks; a trace through such a step has to be read with that in mind.
"""

from collections.abc import Hashable, Iterable
from enum import Enum, unique
from typing import Final

from firmware_protocol.envelope import LEASE_DEFAULT_MS
from firmware_protocol.vocabulary import Cause
from simulator.firmware.board import Board
from simulator.firmware.channel_b import SENSOR_FROZEN_MAX_MS
from simulator.firmware.contact import HELD_MAX_MS
from simulator.firmware.firmware import ARM_WAIT_MS, Firmware
from simulator.firmware.guards import (
    DWELL_MAX_MS,
    GUARDS,
    ONSET_MAX_MS,
    SEAL_MAX_MS,
    SUCKED_MAX_MS,
    SUCTION_TRIP_KPA,
    VALVE_AJAR_PERCENT,
)
from simulator.firmware.modes import Trigger, allows
from simulator.firmware.outputs import CLOSED_MIN_MS, PURGE_MS
from simulator.firmware.selftest import VENT_WAIT_MAX_MS, WINDOW_MS, SelfTest
from simulator.firmware.setpoints import Lease
from simulator.plant.signals import Sensors
from tests.proof.explore.memory import Rule, skip, there
from tests.proof.explore.scenes import FROZEN_FLOW, FROZEN_KPA

BEAT_MS: Final = 50
LONG_MS: Final = 300
PLENTY_MG: Final = 1_000.0  # in one lease of at most 200 ms no more than 67 mg can pass
_LONG_ROWS: Final = {
    number: guard.after_ms for number, guard in enumerate(GUARDS) if guard.after_ms >= LONG_MS
}
_SHORT_MS: Final = [max(guard.after_ms, BEAT_MS) for guard in GUARDS]


@unique
class Clock(Enum):
    """Which of the long clocks run out in this beat."""

    NONE = ""
    GUARDS = "; what stands has stood for its full time"
    HELD = "; the switch has been held for two minutes"
    MODE = "; the time of the mode is up"


def settle(firmware: Firmware) -> None:
    """Set every long clock back, and drop what is only told.

    While the lease opens no way it does not run down; that it lapses is then decided from outside.
    In SAFE the short ones too: after a reset a guard counts from its first beat. That differs from
    the firmware by one beat, and only in how soon it would trip again.
    """
    board = firmware.board
    a = board.a
    firmware._in_mode_ms = 0
    a.dwell.still_ms = a.dwell.sealed_ms = a.dwell.sucked_ms = 0
    a.switch.held_ms = 0
    a.scene.unchanged_ms = a.scene.flow_unchanged_ms = 0
    a._feed._missing_ms = board.b._same_ms = 0
    a._feed._shut_ms = CLOSED_MIN_MS
    a.ending._left_ms = PURGE_MS
    board.selftest.begin()
    stood_ms = a._guards._stood_ms
    if is_idle(firmware) and a.lease.live:
        a.lease.grant(LEASE_DEFAULT_MS, board.tick_ms)
        board.b.renewed(LEASE_DEFAULT_MS)
    if board.policy.latched:
        a._guards._stood_ms = {}
        a.switch.disagree_ms = 0
        board.b._over_ms = board.b._lost_ms = board.b._open_ms = 0
    elif stood_ms:
        a._guards._stood_ms = {row: ms for row, ms in stood_ms.items() if row not in _LONG_ROWS}
    if board._resets and not (board.policy.latched and board.locked):
        board._resets.clear()
    if not board.memory.storming:
        board.memory.settled()
    if not firmware.link.limit_exceeded(board.now_s):
        firmware.link._limiter._newest_s.clear()
    board.notes.clear()
    firmware._outgoing.clear()


def run_out(firmware: Firmware, clock: Clock, before: Iterable[Sensors]) -> None:
    """Put a group of clocks right before its end; whether it matters is up to the firmware.

    ``before`` is what the sensors showed until now, for the window of a self-test.
    """
    a = firmware.board.a
    if clock is Clock.GUARDS:
        a.dwell.still_ms = DWELL_MAX_MS
        a.dwell.sealed_ms = SEAL_MAX_MS
        a.dwell.sucked_ms = SUCKED_MAX_MS
        a.scene.unchanged_ms = a.scene.flow_unchanged_ms = ONSET_MAX_MS
        firmware.board.b._same_ms = SENSOR_FROZEN_MAX_MS
        a._guards._stood_ms = {**a._guards._stood_ms, **_LONG_ROWS}
    elif clock is Clock.HELD:
        a.switch.held_ms = HELD_MAX_MS
    elif clock is Clock.MODE:
        firmware._in_mode_ms = ARM_WAIT_MS
        a.ending._left_ms = 0
        _watch_window(firmware.board.selftest, before)


def _watch_window(selftest: SelfTest, before: Iterable[Sensors]) -> None:
    for sensors in before:
        selftest.sample(BEAT_MS, sensors, released=True)
    selftest._waited_ms = VENT_WAIT_MAX_MS
    selftest._window_ms = WINDOW_MS


def next_request_seq(firmware: Firmware) -> int:
    """Return the newest sequence of a one-shot that the device has seen."""
    return firmware.link._answerer._seen_seq


def newest_seq(firmware: Firmware) -> int:
    """Return the newest sequence of a periodic frame that the device has seen."""
    return firmware.link._seen_seq


def newest_tick(firmware: Firmware) -> int:
    """Return the newest tick that was sent in this session; the present one before the first."""
    sent = firmware.board.a.setpoints._sent_ticks
    return sent[-1] if sent else firmware.board.tick_ms


def stream_stands(firmware: Firmware) -> None:
    """Let the setpoint stream of the last second be a healthy one."""
    ticks = firmware.board.a.setpoints._accepted_ticks
    ticks.clear()
    ticks.extend([firmware.board.tick_ms] * (ticks.maxlen or 0))


def stream_broke(firmware: Firmware) -> None:
    """Let the setpoint stream of the last second have had a gap."""
    firmware.board.a.setpoints._accepted_ticks.clear()


def reset_often(firmware: Firmware) -> None:
    """Let the latched cause have been reset three times in the last ten minutes."""
    board = firmware.board
    board._resets.extend([(board.cause, board.tick_ms)] * (board._resets.maxlen or 0))


def lapse(firmware: Firmware) -> None:
    """Let the lease run down."""
    firmware.board.a.lease.revoke()
    firmware.board.b.revoke()


def resets_forgotten(firmware: Firmware) -> None:
    """Let ten minutes pass since the last reset."""
    firmware.board._resets.clear()


def limiter_forgets(firmware: Firmware) -> None:
    """Let the corrupt frames lie an hour back."""
    firmware.link._limiter._newest_s.clear()


def device_rules(firmware: Firmware) -> dict[str, Rule]:
    """Return how the fields of the firmware are read; what has no rule counts exactly.

    Much counts only where something can come of it: goals and exposure only as long as the lease
    that they came with.
    """

    def leased(value: Hashable) -> Hashable:
        return value if firmware.board.a.lease.live and wishes_count(firmware) else None

    def lease_left(lease: Lease) -> Hashable:
        left_ms = lease.left_ms(firmware.board.tick_ms)
        return left_ms > 0 if is_idle(firmware) else left_ms

    def unlatched(value: Hashable) -> Hashable:
        return None if firmware.board.policy.latched else value

    def running(value: Hashable) -> Hashable:
        return firmware.board.policy.running and value

    def treating(value: Hashable) -> Hashable:
        return firmware.board.policy.valve and value

    def stood(ms_by_row: dict[int, int]) -> Hashable:
        return tuple((row, min(ms, _SHORT_MS[row])) for row, ms in ms_by_row.items())

    never: dict[str, Rule] = dict.fromkeys(_NEVER, skip)
    return never | {
        "Firmware._deferred": there,
        "Firmware._last_mode": lambda mode: is_timed(firmware) and mode is firmware.mode,
        "Firmware._wanted_flow": treating,
        "Board.token": there,
        "Board._resets": lambda _: firmware.board.policy.latched and firmware.board.locked,
        "ChannelA.lease": lease_left,
        "ChannelA.switch": lambda switch: (switch.released, switch.pressed, switch.disagree_ms),
        "ChannelA.sensors": lambda _: _remembered(firmware.board),
        "ChannelA.valve": there,
        "ChannelB._lease_left_ms": lambda ms: ms > 0 if is_idle(firmware) else ms,
        "Scene.pumping": running,
        "Setpoints.loop_counter": lambda counter: counter is not None,
        "Setpoints.flow_mg_per_min": there,
        "Setpoints._accepted_ticks": lambda _: (
            may_arm(firmware) and firmware.board.a.setpoints.healthy(firmware.board.tick_ms)
        ),
        "Setpoints._sent_ticks": there,
        "Setpoints._goal_flow": leased,
        "Setpoints._goal_suction": leased,
        "Setpoints._wish": leased,
        "Totals.left_mg": lambda mg: leased("plenty" if mg > PLENTY_MG else max(round(mg, 3), 0.0)),
        "Guards._stood_ms": stood,
        "ChannelB.cause": unlatched,
        "ChannelB._last_kpa": lambda kpa: unlatched(kpa == FROZEN_KPA),
        "Board.memory": lambda memory: (
            firmware.board.cause is Cause.RESET_STORM and memory.storming
        ),
        "Link.session": there,
        "Link._limiter": lambda _: (
            may_arm(firmware) and firmware.link.limit_exceeded(firmware.board.now_s)
        ),
    }


def may_arm(firmware: Firmware) -> bool:
    """Return whether the present mode takes ARM at all."""
    return allows(firmware.mode, Trigger.ARM)


def wishes_count(firmware: Firmware) -> bool:
    """Return whether anything can come of what the newest setpoint wished for.

    Where treatment can only begin anew, READY is on the way, and there every wish may come again.
    """
    policy = firmware.board.policy
    return policy.armed or policy.latched or may_arm(firmware)


def is_idle(firmware: Firmware) -> bool:
    """Return whether the lease opens no way: the treatment is neither armed nor ready to be."""
    return not (firmware.board.policy.running or may_arm(firmware))


def is_timed(firmware: Firmware) -> bool:
    """Return whether the present mode ends by time."""
    policy = firmware.board.policy
    return policy.waiting or policy.ending or policy.testing or policy.booting


def _remembered(board: Board) -> Hashable:
    """What of the last sample still matters: in SAFE whether RESET would work, else what froze."""
    sensors = board.a.sensors
    if board.policy.running:
        a_frozen = sensors.suction_a_kpa in (None, FROZEN_KPA)
        return a_frozen, sensors.flow_g_per_min in (None, FROZEN_FLOW)
    if not board.policy.latched:
        return None
    b_kpa = sensors.suction_b_kpa
    b_well = b_kpa is not None and b_kpa <= SUCTION_TRIP_KPA
    shut = sensors.valve_percent <= VALVE_AJAR_PERCENT
    return b_well and shut and board.a.gone(board.cause)


APART: Final = frozenset(
    {
        "Board.identity", "Board.log", "Board.nonces", "ChannelA.sensors", "Firmware._drives",
        "Firmware._requests", "Link._asker", "Memory.log",
        "Scene.dwell", "Scene.sensors", "Scene.switch",
    }
)  # fmt: skip
"""Written only, constant, or the same object as another field."""

_NEVER: Final = (
    # told or driven and made anew before it is used again; clocks; counters that frames go after
    "Board._boot_tick", "Board._pending", "Board._stop_tick", "Board.cause_tick", "Board.defects",
    "Board.identity", "Board.log", "Board.memory", "Board.nonces", "Board.notes", "Board.now_s",
    "Board.selftest", "Board.selftest_failed", "Board.tick_ms", "ChannelA._feed", "ChannelA._pump",
    "ChannelA.dwell", "ChannelA.lease_left_ms", "ChannelA.permits", "ChannelA.pump",
    "ChannelA.vent_closed", "ChannelB._last_kpa", "ChannelB._same_ms", "ChannelB.enable",
    "ChannelB.power", "Ending._left_ms", "Ending.suction_pa", "Firmware._coins",
    "Firmware._contact", "Firmware._drives", "Firmware._in_mode_ms", "Firmware._leased",
    "Firmware._outgoing", "Firmware._powered_ms", "Firmware._requests", "Firmware._shift_ms",
    "Firmware._status_ms", "Firmware._telemetry_ms", "Firmware._ticked_ms", "Firmware._verdict",
    "Firmware.lamp", "Firmware.pulses", "Link._abandoned", "Link._answerer", "Link._asker",
    "Link._decoder", "Link._seen_seq", "Link._sent_seq", "Link.bad_frames", "Scene.asked",
    "Scene.dwell", "Scene.flow_unchanged_ms", "Scene.lease", "Scene.left_mg", "Scene.sensors",
    "Scene.set_flow_g_per_min", "Scene.suction_min_kpa", "Scene.switch", "Scene.tip",
    "Scene.unchanged_ms", "Setpoints.suction_pa", "Totals._contact_ms", "Totals._total_mg",
)  # fmt: skip
"""Left out of the name of a state, because nothing that comes later depends on it."""


def restart(firmware: Firmware, boots: int, now_s: float) -> None:
    """Start the unit anew, after ``boots`` others within a minute; only its memory is kept."""
    board = firmware.board
    board.memory._write(boots)
    firmware.__init__(board.identity, board.nonces, board.a.sensors, board.memory, now_s)  # type: ignore[misc]


def up_for_long(firmware: Firmware) -> None:
    """Let the unit have been up for a minute."""
    firmware.board.memory.settled()
