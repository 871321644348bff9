"""A scripted host at a device with no line between them: what one says the other hears at once."""

from collections.abc import Callable
from typing import Final, Protocol

from firmware_protocol.catalogue import PROTOCOL_MAJOR
from firmware_protocol.messages import Message, Result, Stop, Stopped
from firmware_protocol.vocabulary import Mode, Outcome, StopKind
from qa.host import ScriptedHost, greeting

STEP_S: Final = 0.005
UNTIL_MAX_S: Final = 20.0
ANSWER_MAX_S: Final = 1.0


class Device(Protocol):
    """The device's end of the line."""

    def receive(self, data: bytes, now_s: float) -> None:
        """Take bytes."""

    def outgoing(self) -> bytes:
        """Return what it says."""


class StuckError(RuntimeError):
    """What was waited for did not come."""


class LockStep(ScriptedHost):
    """Host and device, 5 ms at a time; the hand that moves the device is in its subclass."""

    def __init__(self, device: Device) -> None:
        super().__init__()
        self.now_s = 0.0
        self.line: list[bytes] = []
        """Everything that the host has written."""
        self._device = device
        self._ticks = 0

    @property
    def mode(self) -> Mode:
        """The mode of the device."""
        raise NotImplementedError

    def advance(self, now_s: float) -> None:
        """Let time pass for the device."""
        raise NotImplementedError

    # -- time --------------------------------------------------------------------------------------
    def step(self) -> None:
        """Let 5 ms pass on both ends."""
        self.advance(self.next_tick())
        self.hear(self._device.outgoing(), self.now_s)
        self.give(self.write(self.now_s))

    def next_tick(self) -> float:
        """Count one step, and return the time."""
        self._ticks += 1
        self.now_s = round(self._ticks * STEP_S, 6)
        return self.now_s

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / STEP_S)):
            self.step()

    def until(self, holds: Callable[[], bool], max_s: float = UNTIL_MAX_S) -> float:
        """Let time pass until something holds, and return how long that took, or StuckError."""
        began_s = self.now_s
        while not holds():
            if self.now_s - began_s > max_s:
                raise StuckError(f"the device stays in {self.mode.name} for {max_s:g} s")
            self.step()
        return self.now_s - began_s

    def reaches(self, mode: Mode) -> float:
        """Let time pass until the device is in a mode, and return how long that took."""
        return self.until(lambda: self.mode is mode)

    # -- bytes -------------------------------------------------------------------------------------
    def give(self, data: bytes) -> None:
        """Let any bytes arrive at the device, and hear its immediate answer."""
        if data:
            self.line.append(data)
            self._device.receive(data, self.now_s)
            self.hear(self._device.outgoing(), self.now_s)

    def ask(self, message: Message) -> Message | None:
        """Send a one-shot and return its answer; None where none comes."""
        seq = self.request(message, self.now_s)
        self.give(self.link.outgoing())
        try:
            self.until(lambda: seq in self.replies, ANSWER_MAX_S)
        except StuckError:
            return None
        return self.replies[seq]

    def result(self, message: Message) -> Result:
        """Send a one-shot that is answered by RESULT; StuckError where it is not."""
        reply = self.ask(message)
        if not isinstance(reply, Result):
            raise StuckError(f"{message} was answered by {reply}")
        return reply

    def done(self, message: Message) -> None:
        """Send a one-shot that the device must do; StuckError where it does not."""
        reply = self.result(message)
        if reply.outcome != Outcome.DONE:
            raise StuckError(f"{message} should have been done, and was answered by {reply}")

    def stop(self, kind: StopKind) -> Stopped | None:
        """Send STOP now, and return its answer."""
        self.stopped = None
        self.give(self.link.send(Stop(kind)))
        return self.stopped

    def hello(self, *, major: int = PROTOCOL_MAJOR) -> Message | None:
        """Greet the device, and return its answer; a session that it agrees to is open then."""
        return self.ask(greeting(self.nonce(), major=major))
