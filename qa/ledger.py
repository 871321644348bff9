"""What the device may believe of what it was sent: a second, plain reading of the same bytes.

Written beside the firmware and not from it: which setpoints could be accepted, how long the lease
they grant can last, which configuration, token and request were answered how. Nothing here is asked
of the device but the answers that it puts on the wire and the session that it is in.
"""

from collections import deque
from typing import Final

from firmware_protocol.catalogue import Direction
from firmware_protocol.codec import decode
from firmware_protocol.envelope import (
    ECHO_AGE_MAX_MS,
    LEASE_MAX_MS,
    LEASE_MIN_MS,
    STREAM_HEALTHY_FRAMES,
    STREAM_HEALTHY_WINDOW_S,
    SUCTION_PERMIT_MIN_PA,
)
from firmware_protocol.errors import BadFrameError
from firmware_protocol.frame import RETRY, Frame, FrameDecoder
from firmware_protocol.messages import (
    Arm,
    Config,
    Hello,
    Ident,
    Message,
    Reset,
    Result,
    SelfTest,
    Setpoint,
    Stop,
    Stopped,
    Telemetry,
)
from firmware_protocol.session import age_ms, newer
from firmware_protocol.vocabulary import Outcome, Refusal, Wish

TOLD_MAX: Final = 16
"""More than the TELEMETRY of the age of an echo."""
ASKED_MAX: Final = 64
"""One-shots whose answers may still come; the device answers each before it hears the next."""

_FLOW: Final = int(Wish.FLOW)
_WINDOW_MS: Final = int(STREAM_HEALTHY_WINDOW_S * 1000)
_NOTHING: Final = Config(0, 0, 0, SUCTION_PERMIT_MIN_PA, 0)


class Ledger:
    """The bytes of both directions, understood."""

    def __init__(self) -> None:
        self.session = 0
        self.seen_seq = 0
        self.seen_request = 0
        self.loop_counter: int | None = None
        self.config = _NOTHING
        self.token = 0
        self.lease_ends_ms = 0.0
        """Device milliseconds, unwrapped, at which the newest lease can last no longer."""
        self.wants_flow = False
        self.exposure_left_mg = 0
        self.accepted = 0
        """Setpoints that the device may have accepted."""
        self.armings: list[Arm] = []
        """Armings that the device said it did, since somebody last looked."""
        self.resets: list[Reset] = []
        self.stops_heard = 0
        self.stops_answered = 0
        self.frames_said = 0
        self.told_ticks: deque[int] = deque(maxlen=TOLD_MAX)
        """The newest ticks that the device has told in this session."""
        self._accepted_ms: deque[float] = deque(maxlen=STREAM_HEALTHY_FRAMES)
        self._asked: dict[int, Message] = {}
        self._to_device = FrameDecoder()
        self._to_host = FrameDecoder()

    @property
    def newest_tick(self) -> int:
        """The newest tick that the device has told in this session; 0 before the first."""
        return self.told_ticks[-1] if self.told_ticks else 0

    def hear(self, data: bytes, now_ms: float, tick_ms: int) -> None:
        """Read what the device is about to receive."""
        for run in self._to_device.feed(data):
            try:
                frame = decode(run, Direction.TO_DEVICE)
            except BadFrameError:
                continue
            self._hear(frame, now_ms, tick_ms)

    def say(self, data: bytes, session: int) -> None:
        """Read what the device has written; BadFrameError where that is not a frame."""
        for run in self._to_host.feed(data):
            frame = decode(run, Direction.TO_HOST)
            self.frames_said += 1
            message = frame.message
            if isinstance(message, Stopped):
                self.stops_answered += 1
            elif isinstance(message, Telemetry):
                self.told_ticks.append(message.tick_ms)
            elif frame.flags & RETRY:
                continue  # said before
            elif isinstance(message, Ident):
                if message.refusal == Refusal.NONE:
                    self._begin(session)
            elif isinstance(message, Result) and message.outcome == Outcome.DONE:
                self._done(message)

    def void_token(self) -> None:
        """A stop or a trip: whatever token was given is worth nothing."""
        self.token = 0

    def healthy(self, now_ms: float) -> bool:
        """True where the last second can have had enough setpoints to arm."""
        accepted = self._accepted_ms
        full = len(accepted) == STREAM_HEALTHY_FRAMES
        return full and now_ms - accepted[0] <= _WINDOW_MS + 1  # times are cut to whole ticks

    def _hear(self, frame: Frame, now_ms: float, tick_ms: int) -> None:
        message = frame.message
        if isinstance(message, Stop):
            self.stops_heard += 1
            self.void_token()
        elif isinstance(message, Hello):
            pass  # what comes of it is in the answer
        elif frame.session != self.session or frame.session == 0:
            pass
        elif isinstance(message, Setpoint):
            if newer(frame.seq, self.seen_seq):
                self.seen_seq = frame.seq
                self._offer(message, now_ms, tick_ms)
        elif newer(frame.seq, self.seen_request):
            self.seen_request = frame.seq
            if len(self._asked) >= ASKED_MAX:
                self._asked.clear()
            self._asked[frame.seq] = message

    def _offer(self, setpoint: Setpoint, now_ms: float, tick_ms: int) -> None:
        if setpoint.treatment != self.config.treatment:
            return
        counter = self.loop_counter
        if counter is not None and not newer(setpoint.loop_counter, counter):
            return
        if age_ms(tick_ms, setpoint.echo_tick_ms) > ECHO_AGE_MAX_MS:
            return
        if setpoint.echo_tick_ms not in self.told_ticks:
            return
        self.accepted += 1
        self.loop_counter = setpoint.loop_counter
        self._accepted_ms.append(now_ms)
        self.lease_ends_ms = now_ms + min(max(setpoint.lease_ms, LEASE_MIN_MS), LEASE_MAX_MS)
        self.wants_flow = setpoint.wish & _FLOW != 0 and setpoint.flow_mg_per_min > 0
        self.exposure_left_mg = setpoint.exposure_left_mg

    def _begin(self, session: int) -> None:
        self.session = session
        self.seen_seq = self.seen_request = self.token = 0
        self.loop_counter = None
        self.config = _NOTHING
        self.lease_ends_ms = 0.0
        self.wants_flow = False
        self._accepted_ms.clear()
        self.told_ticks.clear()
        self._asked.clear()

    def _done(self, result: Result) -> None:
        asked = self._asked.pop(result.request_seq, None)
        if isinstance(asked, Config):
            self.config = asked
            self.token = 0
            self.wants_flow = False
        elif isinstance(asked, SelfTest):
            self.token = result.detail
        elif isinstance(asked, Arm):
            self.armings.append(asked)
        elif isinstance(asked, Reset):
            self.resets.append(asked)
