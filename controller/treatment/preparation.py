"""The way to an armed unit: configure, self-test, prove the setpoint stream, offer ARM.

Every step has a bound. What goes wrong ends up in ``failed`` as the alarm that says why; the
supervisor looks at it after every call.
"""

from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from controller.safety.alarm_texts import (
    NO_ANSWER,
    NOT_UNDERSTOOD,
    OF_NOTICE,
    OF_REFUSAL,
    SELF_TEST,
    SWITCH_PRESSED,
    WRONG_MODE,
    Notice,
)
from controller.safety.alarms import Alarm
from controller.safety.reading import Reading
from controller.treatment.events import Action, Answered, Configure, RunSelfTest, Step
from firmware_protocol import envelope
from firmware_protocol.vocabulary import Mode, Refusal

REST_MAX_S: Final = 10.0  # the purge and vent of an earlier end take 4 s, a boot less
ANSWER_MAX_S: Final = 5.0  # the client's own retries end after 1.2 s; this only guards its bound
SELF_TEST_MAX_S: Final = 10.0  # the self-test takes about 3 s
PROOF_S: Final = envelope.STREAM_HEALTHY_WINDOW_S + 2 * envelope.SETPOINT_PERIOD_S
TEST_SHOWS_S: Final = 0.2  # by then telemetry shows a mode from after the answer to SELFTEST
OFFERS_MAX: Final = 6  # a minute of arming in vain: nobody is there
SWITCH_WAIT_MAX_S: Final = 60.0  # somebody who is told to release the switch does it within seconds


@unique
class Phase(Enum):
    """What the preparation waits for."""

    BEGIN = "the person who starts"
    REST = "a device at rest"
    CONFIGURE = "the answer to CONFIG"
    RELEASE = "a released hand switch, for the self-test"
    TEST = "the answer to SELFTEST"
    TESTING = "the end of the self-test"
    PROVE = "a healthy stream and a released switch"
    OFFERED = "the answer to ARM"
    ARMED = "nothing any more"


_WAIT_S: Final = {
    Phase.REST: REST_MAX_S,
    Phase.CONFIGURE: ANSWER_MAX_S,
    Phase.RELEASE: SWITCH_WAIT_MAX_S,
    Phase.TEST: ANSWER_MAX_S,
    Phase.TESTING: SELF_TEST_MAX_S,
    Phase.PROVE: SWITCH_WAIT_MAX_S,
    Phase.OFFERED: ANSWER_MAX_S,
}
_LATE: Final = {
    Phase.REST: WRONG_MODE,
    Phase.CONFIGURE: NO_ANSWER,
    Phase.RELEASE: SWITCH_PRESSED,
    Phase.TEST: NO_ANSWER,
    Phase.TESTING: SELF_TEST,
    Phase.PROVE: SWITCH_PRESSED,
    Phase.OFFERED: NO_ANSWER,
}
_AT_REST: Final = frozenset({Mode.DISARMED, Mode.READY})
_OF_STEP: Final = {
    Step.CONFIGURE: Phase.CONFIGURE,
    Step.SELF_TEST: Phase.TEST,
    Step.ARM: Phase.OFFERED,
}
_TRY_AGAIN: Final = frozenset({Refusal.STREAM_NOT_HEALTHY, Refusal.SWITCH_PRESSED})
"""Refusals of ARM that the next offer may not meet; the token stays good."""


@dataclass(slots=True)
class Preparation:
    """Where the preparation stands."""

    configure: Configure
    phase: Phase = Phase.BEGIN
    since_s: float = 0.0
    token: int = 0
    offers: int = 0
    failed: Alarm | None = None

    @property
    def streaming(self) -> bool:
        """True while setpoints without any wish prove the line."""
        return self.phase in (Phase.PROVE, Phase.OFFERED)

    @property
    def resting(self) -> bool:
        """True while nothing was asked of the device yet."""
        return self.phase in (Phase.BEGIN, Phase.REST)

    @property
    def exhausted(self) -> bool:
        """True when ARM was offered as often as it may be."""
        return self.offers >= OFFERS_MAX

    def begin(self, now_s: float) -> None:
        """Start: CONFIG goes out once the device is at rest."""
        self._enter(Phase.REST, now_s)

    def again(self, now_s: float) -> None:
        """The device disarmed because nobody pressed: prove it anew, for its token is void."""
        self._enter(Phase.RELEASE, now_s)

    def answered(self, event: Answered, now_s: float) -> None:
        """Take the answer to a one-shot; one that nobody waits for changes nothing."""
        if _OF_STEP.get(event.step) is not self.phase:
            return
        if not event.ok:
            self._refused(event, now_s)
        elif event.step is Step.CONFIGURE:
            self._enter(Phase.RELEASE, now_s)
        elif event.step is Step.SELF_TEST:
            self.token = event.detail
            self._enter(Phase.TESTING, now_s)

    def observe(self, reading: Reading, now_s: float) -> tuple[Action, ...]:
        """Follow the device: configure it at rest, test it with a released switch, see READY."""
        if self.phase is Phase.REST and reading.mode in _AT_REST:
            self._enter(Phase.CONFIGURE, now_s)
            return (self.configure,)
        if self.phase is Phase.RELEASE and reading.switch_released:
            self._enter(Phase.TEST, now_s)
            return (RunSelfTest(),)
        if self.phase is Phase.PROVE and reading.mode is Mode.DISARMED:
            self.failed = OF_NOTICE[Notice.STOPPED_AT_UNIT]
        elif self.phase is Phase.TESTING:
            self._watch_test(reading, now_s)
        return ()

    def _watch_test(self, reading: Reading, now_s: float) -> None:
        if reading.mode is Mode.READY:
            self._enter(Phase.PROVE, now_s)
        elif reading.mode is not Mode.DISARMED or not now_s - self.since_s > TEST_SHOWS_S:
            return
        elif reading.switch_released or self.exhausted:
            self.failed = SELF_TEST
        else:  # pressed too early, which fails the self-test: try again when it is released
            self.offers += 1
            self._enter(Phase.RELEASE, now_s)

    def proven(self, now_s: float) -> bool:
        """True when the setpoint stream has run for long enough to be believed."""
        return self.phase is Phase.PROVE and now_s - self.since_s >= PROOF_S

    def offer(self, now_s: float) -> None:
        """ARM is on its way."""
        self.offers += 1
        self._enter(Phase.OFFERED, now_s)

    def armed(self, now_s: float) -> None:
        """The device says that it is armed."""
        self._enter(Phase.ARMED, now_s)

    def wake(self, now_s: float) -> None:
        """See whether what is waited for takes too long."""
        if self.phase in _WAIT_S and not now_s - self.since_s <= _WAIT_S[self.phase]:
            self.failed = _LATE[self.phase]

    def _refused(self, event: Answered, now_s: float) -> None:
        if not event.known:
            self.failed = NO_ANSWER
        elif event.step is Step.ARM and event.refusal in _TRY_AGAIN:
            self._enter(Phase.PROVE, now_s)
        elif event.step is Step.SELF_TEST and event.refusal is Refusal.SWITCH_PRESSED:
            self._enter(Phase.RELEASE, now_s)
        else:
            self.failed = OF_REFUSAL.get(event.refusal, NOT_UNDERSTOOD)

    def _enter(self, phase: Phase, now_s: float) -> None:
        self.phase = phase
        self.since_s = now_s
