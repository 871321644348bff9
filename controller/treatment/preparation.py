"""The way to an armed unit: configure, self-test, prove the lease and the stream, offer ARM.

The lease is proof-tested at each arming, with outputs off: the host stops renewing it and measures
how long the unit takes to drop it. A unit that keeps it for too long is not armed. No single word
of the unit is believed: its lease has lapsed when nothing that it shows rests on one any more, its
own count, both channels and the outputs included (ADR 4 says what that can show and what not).

Every step has a bound. What goes wrong ends up in ``failed`` as the alarm that says why; the
supervisor looks at it after every call.
"""

from dataclasses import dataclass, field, replace
from enum import Enum, unique
from typing import Final

from controller.safety import defects
from controller.safety.alarm_texts import (
    LEASE_PROOF,
    NO_ANSWER,
    NOT_UNDERSTOOD,
    OF_NOTICE,
    OF_REFUSAL,
    RECORD_LOST,
    SELF_TEST,
    STREAM_NOT_HEALTHY,
    SWITCH_PRESSED,
    WRONG_MODE,
    Notice,
)
from controller.safety.alarms import Alarm
from controller.safety.jitter import JitterWatch
from controller.safety.reading import Reading
from controller.safety.shortage_texts import NO_STATUS, OF_SHORT, UNSTEADY
from controller.safety.supplies import Short, shortage
from controller.treatment.acts import Acts
from controller.treatment.events import (
    Action,
    Configure,
    End,
    Finished,
    Note,
    RunSelfTest,
    SendArm,
    Step,
)
from controller.treatment.kinds import Kind
from firmware_protocol import envelope
from firmware_protocol.vocabulary import Input, Mode, Permit, Refusal

ROW_MAX_S: Final = 3.0  # the journal itself gives a row up after 1 s; this only guards its bound
REST_MAX_S: Final = 10.0  # the purge and vent of an earlier end take 4 s, a boot less
STATUS_WAIT_MAX_S: Final = 3.0  # STATUS comes five times a second
ANSWER_MAX_S: Final = 5.0  # the client's own retries end after 1.2 s; this only guards its bound
SELF_TEST_MAX_S: Final = 10.0  # the self-test takes about 3 s
LEASE_LIVE_S: Final = 0.2  # a few renewals, so that the lapse that follows is that of the lease
LAPSE_MAX_S: Final = envelope.LEASE_DEFAULT_MS / 1000 + envelope.LEASE_MARGIN_S + 0.05
"""From the last renewal to the reading that shows the lapse: lease, margin, line and a frame."""
PROOF_S: Final = envelope.STREAM_HEALTHY_WINDOW_S + 2 * envelope.SETPOINT_PERIOD_S
TEST_SHOWS_S: Final = 0.2  # by then telemetry shows a mode from after the answer to SELFTEST
OFFERS_MAX: Final = 6  # a minute of arming in vain: nobody is there
SWITCH_WAIT_MAX_S: Final = 60.0  # somebody who is told to release the switch does it within seconds

UNSTEADY_WAIT_MAX_S: Final = 15.0
"""For a computer that is busy for a while: five windows. Who waits longer wants to know why."""
LEASE_TRIES_MAX: Final = 3
"""Proofs of the lease that a held-up computer may spoil; of a steady one the first counts."""


@unique
class Phase(Enum):
    """What the preparation waits for."""

    BEGIN = "the person who starts"
    RECORD = "the row of the beginning"
    REST = "a device at rest"
    CONFIGURE = "the answer to CONFIG"
    RELEASE = "a released hand switch, for the self-test"
    TEST = "the answer to SELFTEST"
    TESTING = "the end of the self-test"
    LEASE = "a live lease"
    LAPSE = "the lapse of the lease, which is not renewed"
    PROVE = "a healthy stream and a released switch"
    OFFERED = "the row of the arming, then the answer to ARM"
    ARMED = "nothing any more"


_WAIT_S: Final = {
    Phase.RECORD: ROW_MAX_S,
    Phase.REST: REST_MAX_S,
    Phase.CONFIGURE: ANSWER_MAX_S,
    Phase.RELEASE: SWITCH_WAIT_MAX_S,
    Phase.TEST: ANSWER_MAX_S,
    Phase.TESTING: SELF_TEST_MAX_S,
    Phase.LEASE: ANSWER_MAX_S,
    Phase.LAPSE: LAPSE_MAX_S,
    Phase.PROVE: SWITCH_WAIT_MAX_S,
    Phase.OFFERED: ANSWER_MAX_S,
}
_LATE: Final = {
    Phase.RECORD: RECORD_LOST,
    Phase.REST: WRONG_MODE,
    Phase.CONFIGURE: NO_ANSWER,
    Phase.RELEASE: SWITCH_PRESSED,
    Phase.TEST: NO_ANSWER,
    Phase.TESTING: SELF_TEST,
    Phase.LEASE: STREAM_NOT_HEALTHY,
    Phase.LAPSE: LEASE_PROOF,
    Phase.PROVE: SWITCH_PRESSED,
    Phase.OFFERED: NO_ANSWER,
}
_READY: Final = frozenset({Phase.LEASE, Phase.LAPSE, Phase.PROVE})
_AT_REST: Final = frozenset({Mode.DISARMED, Mode.READY})
_LEASE: Final = int(Permit.LEASE)
_CHANNEL_B: Final = int(Permit.CHANNEL_B)
_DRIVEN: Final = int(Input.VALVE_COMMANDED | Input.PUMP_COMMANDED)
_TRY_AGAIN: Final = frozenset({Refusal.STREAM_NOT_HEALTHY, Refusal.SWITCH_PRESSED})
"""Refusals of ARM that the next offer may not meet; the token stays good."""


@dataclass(slots=True)
class Preparation:
    """Where the preparation stands."""

    configure: Configure
    needed_g: float = 0.0
    acts: Acts = field(default_factory=Acts)
    phase: Phase = Phase.BEGIN
    since_s: float = 0.0
    token: int = 0
    renewed_s: float = 0.0
    offers: int = 0
    failed: Alarm | None = None
    jitter: JitterWatch = field(default_factory=JitterWatch)
    lease_tries: int = 0
    channel_b_lived: bool = False
    """Channel B showed its own lease in the proof under way: the hand switch was pressed."""

    @property
    def streaming(self) -> bool:
        """True while setpoints without any wish prove the line."""
        return self.phase in (Phase.LEASE, Phase.PROVE, Phase.OFFERED)

    @property
    def resting(self) -> bool:
        """True while nothing was asked of the device yet."""
        return self.phase in (Phase.BEGIN, Phase.RECORD, Phase.REST)

    @property
    def offered(self) -> bool:
        """True while the arming is asked for."""
        return self.phase is Phase.OFFERED

    @property
    def exhausted(self) -> bool:
        """True when ARM was offered as often as it may be."""
        return self.offers >= OFFERS_MAX

    def begin(self, now_s: float) -> None:
        """Wait for the row of the beginning."""
        self._enter(Phase.RECORD, now_s)

    def begun(self, now_s: float) -> None:
        """Start: CONFIG goes out once the device is at rest."""
        self._enter(Phase.REST, now_s)

    def again(self, now_s: float) -> None:
        """The device disarmed because nobody pressed: prove it anew, for its token is void."""
        self.jitter.restart()
        self.lease_tries = 0
        self._enter(Phase.RELEASE, now_s)

    def answered(self, step: Step, event: Finished, now_s: float) -> None:
        """Take the end of the one-shot that is waited for."""
        if event.end is not End.DONE:
            self._refused(step, event, now_s)
        elif step is Step.CONFIGURE:
            self._enter(Phase.RELEASE, now_s)
        elif step is Step.SELF_TEST:
            self.token = event.detail
            self._enter(Phase.TESTING, now_s)

    def arm(self) -> tuple[Action, ...]:
        """Return ARM, with the token of the self-test."""
        return (SendArm(self.token, self.acts.ask(Step.ARM)),)

    def observe(self, reading: Reading, now_s: float) -> tuple[Action, ...]:
        """Follow the device: configure it at rest, test it with a released switch, see READY."""
        self.jitter.reading(now_s)
        if self.phase is Phase.REST and reading.mode in _AT_REST:
            return self._look_at_supplies(reading, now_s)
        if self.phase is Phase.RELEASE and reading.switch_released:
            self._enter(Phase.TEST, now_s)
            return (RunSelfTest(self.acts.ask(Step.SELF_TEST)),)
        if self.phase is Phase.TESTING:
            self._watch_test(reading, now_s)
        elif self.phase in _READY and reading.mode is Mode.DISARMED:
            self.failed = OF_NOTICE[Notice.STOPPED_AT_UNIT]
        elif self.phase in (Phase.LEASE, Phase.LAPSE):
            return self._watch_lease(reading, now_s)
        return ()

    def _look_at_supplies(self, reading: Reading, now_s: float) -> tuple[Action, ...]:
        """Begin only with what the treatment needs; a unit that says nothing has a while to."""
        missing = shortage(reading.supplies, self.needed_g, now_s)
        if missing is None:
            self._enter(Phase.CONFIGURE, now_s)
            configure = replace(self.configure, number=self.acts.ask(Step.CONFIGURE))
            found = _found(reading)
            return (Note(Kind.SELF_TEST, {"found": found}), configure) if found else (configure,)
        if missing.short is not Short.STATUS:
            self.failed = OF_SHORT[missing.short].saying(missing.detail)
        elif not now_s - self.since_s <= STATUS_WAIT_MAX_S:
            self.failed = NO_STATUS
        return ()

    def _watch_lease(self, reading: Reading, now_s: float) -> tuple[Action, ...]:
        permits = int(reading.permits)
        self.channel_b_lived |= bool(permits & _CHANNEL_B)
        if self.phase is Phase.LEASE:
            if permits & _LEASE and now_s - self.since_s >= LEASE_LIVE_S:
                self.lease_tries += 1
                self._enter(Phase.LAPSE, self.renewed_s)
            return ()
        took_s = now_s - self.renewed_s
        if not _has_lapsed(reading) or not took_s <= LAPSE_MAX_S:
            return ()  # too late is the business of wake
        self._enter(Phase.PROVE, now_s)
        shown = {"took_ms": round(took_s * 1000, 1), "channel_b": self.channel_b_lived}
        self.channel_b_lived = False
        return (Note(Kind.LEASE_PROOF, {**shown, **self.jitter.measured().as_row()}),)

    def _watch_test(self, reading: Reading, now_s: float) -> None:
        if reading.mode is Mode.READY:
            self._enter(Phase.LEASE, now_s)
        elif reading.mode is not Mode.DISARMED or not now_s - self.since_s > TEST_SHOWS_S:
            return
        elif reading.switch_released or self.exhausted:
            found = _found(reading)
            self.failed = SELF_TEST.saying(f"It found: {found}." if found else "")
        else:  # pressed too early, which fails the self-test: try again when it is released
            self.offers += 1
            self._enter(Phase.RELEASE, now_s)

    def proven(self, now_s: float) -> bool:
        """True when the setpoint stream has run for long enough, and steadily, to be believed."""
        ran = self.phase is Phase.PROVE and now_s - self.since_s >= PROOF_S
        return ran and self.jitter.measured().steady

    def offer(self, now_s: float) -> None:
        """The row of the arming is asked for, and then ARM."""
        self.offers += 1
        self.jitter.interrupt()
        self._enter(Phase.OFFERED, now_s)

    def offer_again(self, now_s: float) -> None:
        """It cannot be armed at this moment: prove the stream anew, with the same token."""
        self._enter(Phase.PROVE, now_s)

    def armed(self, now_s: float) -> None:
        """The device shows that it is armed, which is the answer to ARM."""
        self.acts.drop(Step.ARM_ROW, Step.ARM)
        self._enter(Phase.ARMED, now_s)

    def held_up(self, now_s: float) -> None:
        """This process did not run: a gap as any other, and nothing is late before it is read."""
        self.jitter.beat(now_s)

    def wake(self, now_s: float) -> None:
        """See whether what is waited for takes too long; a setpoint follows while streaming."""
        self.jitter.beat(now_s)
        if self.streaming:
            self.renewed_s = now_s
        waited_s = now_s - self.since_s
        if self.phase is Phase.PROVE and not waited_s <= PROOF_S + UNSTEADY_WAIT_MAX_S:
            self._see_whether_steady()
        if self.phase in _WAIT_S and not waited_s <= _WAIT_S[self.phase]:
            self._late(now_s)

    def _see_whether_steady(self) -> None:
        gaps = self.jitter.measured()
        if not gaps.steady:
            self.failed = UNSTEADY.saying(gaps.as_text())

    def _late(self, now_s: float) -> None:
        """Fail for what did not come; a proof that this computer may have spoilt is tried again."""
        gaps = self.jitter.measured()
        if self.phase is not Phase.LAPSE or not gaps.held_up:
            self.failed = self.failed or _LATE[self.phase]
        elif self.lease_tries < LEASE_TRIES_MAX:
            self._enter(Phase.LEASE, now_s)
        else:
            self.failed = UNSTEADY.saying(gaps.as_text())

    def _refused(self, step: Step, event: Finished, now_s: float) -> None:
        if event.end is not End.FAILED:
            self.failed = NO_ANSWER
        elif step is Step.ARM and event.refusal in _TRY_AGAIN:
            self.offer_again(now_s)
        elif step is Step.SELF_TEST and event.refusal is Refusal.SWITCH_PRESSED:
            self._enter(Phase.RELEASE, now_s)
        else:
            self.failed = OF_REFUSAL.get(event.refusal, NOT_UNDERSTOOD)

    def _enter(self, phase: Phase, now_s: float) -> None:
        self.phase = phase
        self.since_s = now_s


def _has_lapsed(reading: Reading) -> bool:
    """Return whether nothing that the unit shows rests on a lease, on either channel.

    Channel B shows its own lease while the hand switch is pressed; released, it permits nothing.
    """
    permitted = int(reading.permits) & (_LEASE | _CHANNEL_B)
    driven = int(reading.inputs) & _DRIVEN
    return not permitted and not driven and reading.valve_shut and reading.lease_left_s <= 0.0


def _found(reading: Reading) -> str:
    """Return what the newest self-test that the unit has told of found, in words."""
    return "" if reading.supplies is None else defects.told(reading.supplies.defects)
