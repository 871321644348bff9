"""A scripted host at a handpiece, and what tests of the device look at."""

from typing import Self

from firmware_protocol.catalogue import PROTOCOL_MAJOR
from firmware_protocol.messages import Config, Ident, Reset, Result, Stopped
from firmware_protocol.vocabulary import Cause, Mode, StopKind
from qa.host import CONFIG, TREATMENT, way_to
from qa.lockstep import LockStep
from simulator.handpiece import BOOT_TICK_MS, Handpiece, Happening
from simulator.plant.hand import Hand, Lamp
from simulator.plant.spec import PlantSpec

__all__ = ["CONFIG", "TREATMENT", "Host"]


class Host(LockStep):
    """Everything that happened in the device is kept."""

    def __init__(
        self,
        hand: Hand | str = "absent",
        *,
        seed: int = 1,
        motion: bool = True,
        boot_tick_ms: int = BOOT_TICK_MS,
    ) -> None:
        self.happened: list[Happening] = []
        self.device = Handpiece(
            seed, hand, PlantSpec(motion_sensor=motion),
            boot_tick_ms=boot_tick_ms, events=self.happened.append,
        )  # fmt: skip
        super().__init__(self.device)

    def advance(self, now_s: float) -> None:
        self.device.advance(now_s)

    def stop(self, kind: StopKind) -> Stopped:
        answer = super().stop(kind)
        assert answer is not None
        return answer

    def hello(self, *, major: int = PROTOCOL_MAJOR) -> Ident:
        reply = super().hello(major=major)
        assert isinstance(reply, Ident)
        return reply

    # -- the way to a treatment
    def configured(self, config: Config = CONFIG) -> Self:
        """Open a session and configure it."""
        self.until(lambda: self.mode is not Mode.BOOT)
        self.hello()
        self.done(config)
        return self

    def ready(self) -> Self:
        """Go to READY, with a healthy stream."""
        return self._to(Mode.READY, 1.0)

    def armed(self) -> Self:
        """Go to ARMED."""
        return self._to(Mode.ARMED)

    def active(self) -> Self:
        """Go to ACTIVE with the tip on the skin and the valve open, by hand."""
        return self._to(Mode.ACTIVE, 1.5)

    def paused(self) -> Self:
        """Go to PAUSED by letting go."""
        return self._to(Mode.PAUSED)

    def stopping(self) -> Self:
        """Go to STOPPING."""
        return self._to(Mode.STOPPING)

    def tripped(self) -> Self:
        """Go to SAFE by silence, then talk again."""
        self.active()
        self.streaming = False
        self.reaches(Mode.SAFE)
        self.device.hand.release()
        self.device.hand.lift()
        self.streaming = True
        self.run(0.5)
        return self

    def _to(self, goal: Mode, then_s: float = 0.0) -> Self:
        for holds in way_to(goal, self, self.device, self._press, self.device.hand.release):
            self.until(holds)
        self.run(then_s)
        return self

    def _press(self) -> None:
        self.device.hand.press()
        self.device.hand.place()

    def reset(self, cause: Cause) -> Result:
        """Ask to leave SAFE."""
        return self.result(Reset(cause))

    # -- what the device is
    @property
    def mode(self) -> Mode:
        return self.device.firmware.mode

    def is_in(self, mode: Mode) -> bool:
        """Return whether the device is in a mode."""
        return self.mode is mode

    def shows(self, lamp: Lamp) -> bool:
        """Return whether the operator sees this."""
        return self.device.firmware.lamp is lamp

    @property
    def cause(self) -> Cause:
        return self.device.firmware.board.cause

    @property
    def valve_percent(self) -> float:
        return self.device.plant.truth.valve_open * 100.0

    @property
    def shut(self) -> bool:
        return self.valve_percent <= 1.0

    def of(self, kind: str) -> list[Happening]:
        """Return what happened of one kind."""
        return [happening for happening in self.happened if happening["kind"] == kind]
