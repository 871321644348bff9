"""What all parts of the device have in common: mode, latch, token, log, and how they change."""

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from firmware_protocol.session import age_ms, tick_of
from firmware_protocol.vocabulary import Cause, Defect, LogCode, Mode, StopKind
from simulator.firmware.channel_a import ChannelA
from simulator.firmware.channel_b import ChannelB
from simulator.firmware.guards import FLOW_NONE_G_PER_MIN, VALVE_SHUT_PERCENT
from simulator.firmware.memory import STORM_SPAN_MS, Identity, Memory
from simulator.firmware.modes import POLICY, Policy, Trigger, step
from simulator.firmware.selftest import SelfTest, at_power_on
from simulator.firmware.watchdog import STALL_MAX_MS
from simulator.plant.signals import Sensors

NOTES_MAX: Final = 1024  # undrained notes are dropped from the oldest; a tick writes a handful

Value = str | int | float | bool


class Note(NamedTuple):
    """One thing that happened."""

    t_s: float
    kind: str
    values: tuple[tuple[str, Value], ...] = ()


STOP_NOTE_MS: Final = 1000  # repeats of one STOP within this are one event
RESETS_MAX: Final = 3  # resets of one cause within RESETS_SPAN_MS; more need a power cycle
RESETS_SPAN_MS: Final = 600_000
VENTED_MAX_KPA: Final = 3.0
_OF_POWER_ON: Final = Defect.MEMORY_SPOILT | Defect.WATCHDOG
_STOPS: Final = {
    StopKind.NORMAL: Trigger.STOP_NORMAL,
    StopKind.EMERGENCY: Trigger.STOP_EMERGENCY,
}


class Board:
    """The state of the device as a whole."""

    __slots__ = (
        "_boot_tick", "_pending", "_resets", "_stop_tick", "a", "b", "cause", "cause_tick",
        "defects", "identity", "log", "memory", "mode", "nonces", "notes", "now_s", "policy",
        "selftest", "selftest_failed", "tick_ms", "token",
    )  # fmt: skip

    def __init__(
        self,
        identity: Identity,
        nonces: Callable[[], int],
        sensors: Sensors,
        memory: Memory,
        now_s: float,
    ) -> None:
        self.identity = identity
        self.nonces = nonces
        self.memory = memory
        self.now_s = now_s
        self.tick_ms = self._boot_tick = tick_of(now_s, identity.boot_tick_ms)
        self.mode = Mode.BOOT
        self.policy: Policy = POLICY[Mode.BOOT]
        self.cause = Cause.NONE
        self.cause_tick = 0
        self.token = 0
        """What ARM must show; 0 accepts none."""
        self.defects = Defect.NONE
        """What the newest self-test found."""
        self.selftest = SelfTest()
        self.selftest_failed = False
        self.a = ChannelA(sensors)
        self.b = ChannelB()
        self.log = memory.log
        self.notes: deque[Note] = deque(maxlen=NOTES_MAX)
        self._pending: tuple[str, int] | None = None
        self._stop_tick: int | None = None
        self._resets: deque[tuple[Cause, int]] = deque(maxlen=RESETS_MAX)

    def boot(self) -> None:
        """Say that the unit starts, and why it may not go on."""
        memory, identity = self.memory, self.identity
        memory.booted()
        if memory.spoilt:
            self.defects |= Defect.MEMORY_SPOILT
        if memory.stalled:
            self.defects |= Defect.WATCHDOG
        self.log.add(self.tick_ms, LogCode.BOOT, identity.boot_id)
        self.note("boot", boot_id=identity.boot_id, serial=identity.serial)
        if memory.stalled:
            memory.stalled = False
            self.log.add(self.tick_ms, LogCode.TRIP, Cause.LOOP_STALL)
            self._await_safe(Cause.LOOP_STALL.name, STALL_MAX_MS)
        if memory.storming:
            self.trip(Cause.RESET_STORM)

    def prove_power_on(self, sensors: Sensors) -> None:
        """Test what can be tested at power-on, and say what was found."""
        kept = self.defects & _OF_POWER_ON
        self.tested(at_power_on(sensors, released=self.a.switch.released) | kept)

    def tested(self, found: Defect) -> None:
        """Take what a self-test found; what only a power-on can show stays until the next one."""
        self.defects = found | (self.defects & _OF_POWER_ON)
        self.log.add(self.tick_ms, LogCode.SELF_TEST, found)
        names = ", ".join(str(defect.name) for defect in found)
        self.note("selftest", passed=not found, failed=names)

    def settle(self) -> None:
        """Forget the boots once the unit has been up for long enough."""
        if age_ms(self.tick_ms, self._boot_tick) > STORM_SPAN_MS:
            self.memory.settled()

    def note(self, kind: str, **values: Value) -> None:
        """Tell whoever records."""
        self.notes.append(Note(self.now_s, kind, tuple(values.items())))

    def fire(self, trigger: Trigger) -> None:
        """Move by the table; NoRowError changes nothing."""
        before = self.mode
        self.mode = step(before, trigger)
        if self.mode is before:
            return
        self.policy = POLICY[self.mode]
        self.log.add(self.tick_ms, LogCode.MODE, self.mode)
        self.note("mode", mode=self.mode.name, **{"from": before.name})
        if self.policy.ending:
            setpoints = self.a.setpoints
            self.a.ending.begin(setpoints.suction_pa, setpoints.envelope.suction_max_pa)

    def trip(self, cause: Cause, onset_ms: int = 0) -> None:
        """Latch the first cause; ``onset_ms`` is how long it had stood before it was believed."""
        first = not self.policy.latched
        self.token = 0
        self.fire(Trigger.TRIP)
        if first:
            self.cause = cause
            self.cause_tick = self.tick_ms
            self.log.add(self.tick_ms, LogCode.TRIP, cause)
            self.note("trip", cause=cause.name)
            self._await_safe(cause.name, onset_ms)

    def stop(self, kind: StopKind) -> None:
        """Stop, in whatever mode; repeats of a STOP are one event."""
        before = self.policy
        self.token = 0
        self.fire(_STOPS[kind])
        repeated = self._stop_tick is not None and (
            age_ms(self.tick_ms, self._stop_tick) < STOP_NOTE_MS
        )
        self._stop_tick = self.tick_ms
        if repeated and self.policy is before:
            return
        self.log.add(self.tick_ms, LogCode.STOP, kind)
        self.note("stop", stop_kind=kind.name)
        if before.running:
            self._await_safe("STOP", 0)

    def open_session(self, session: int) -> None:
        """Start a new session: everything of the old one is void."""
        self.fire(Trigger.SESSION)
        self.token = 0
        self.selftest_failed = False
        self.a.open_session()
        self.b.revoke()
        self.log.add(self.tick_ms, LogCode.SESSION, session)
        self.note("session", session=session)

    def reset(self) -> None:
        """Leave SAFE; whoever calls has checked that nothing stands any more."""
        self.fire(Trigger.RESET)
        self.log.add(self.tick_ms, LogCode.RESET, self.cause)
        self.note("reset", cause=self.cause.name)
        self._resets.append((self.cause, self.tick_ms))
        self.cause = Cause.NONE
        self._pending = None

    def gone(self, cause: Cause) -> bool:
        """Return whether nothing of the latched cause stands any more, on either channel."""
        if cause is not self.cause or not self.a.gone(cause):
            return False
        if cause is Cause.RESET_STORM and self.memory.storming:
            return False
        sensors = self.a.sensors
        return self.b.reset(sensors.suction_b_kpa, sensors.valve_percent)

    @property
    def locked(self) -> bool:
        """True when the latched cause was reset too often in too short a time."""
        recent = [
            cause for cause, tick in self._resets if age_ms(self.tick_ms, tick) <= RESETS_SPAN_MS
        ]
        return recent.count(self.cause) >= RESETS_MAX

    def _await_safe(self, why: str, onset_ms: int) -> None:
        self._pending = (why, (self.tick_ms - onset_ms) % 2**32)
        self.watch_safe(self.a.sensors)

    @property
    def awaits_safe(self) -> bool:
        """True while something that stopped is not known to be safe yet."""
        return self._pending is not None

    def watch_safe(self, sensors: Sensors) -> None:
        """Tell once how long it took until the valve was shut, or nothing could carry crystals."""
        if self._pending is None or not _is_safe(sensors):
            return
        why, since_tick = self._pending
        self._pending = None
        took_ms = age_ms(self.tick_ms, since_tick)
        self.log.add(self.tick_ms, LogCode.SAFE_REACHED, took_ms)
        self.note("safe", cause=why, took_s=took_ms / 1000)


def _is_safe(sensors: Sensors) -> bool:
    if sensors.valve_percent <= VALVE_SHUT_PERCENT:
        return True
    suction_kpa, flow = sensors.suction_b_kpa, sensors.flow_g_per_min
    vented = suction_kpa is not None and suction_kpa <= VENTED_MAX_KPA
    return vented and flow is not None and flow <= FLOW_NONE_G_PER_MIN
