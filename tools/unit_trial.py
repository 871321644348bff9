"""One unit and one host in lock-step, for the tables of PROTOCOL.md that are made by trying.

The firmware is the simulator's own. Its sensors follow its drives at once; there is no plant and no
line between the two ends, so that what is tried is what the firmware answers and nothing else.
"""

from itertools import count
from typing import Final

from firmware_protocol.codec import encode
from firmware_protocol.messages import Arm, Config, Hello, Message, SelfTest, Setpoint
from firmware_protocol.vocabulary import Mode, StopKind, Wish
from qa.host import Wishes
from qa.lockstep import ANSWER_MAX_S, STEP_S, LockStep
from simulator.firmware.firmware import Firmware
from simulator.firmware.memory import Identity, Memory
from simulator.plant.signals import Drives, Sensors

TIP: Final = 1
TREATMENT: Final = 7
CONFIG: Final = Config(TREATMENT, 30_000, 6_000, 8_000, TIP)
SETPOINT: Final = Setpoint(200, 0, 0, 25_000, 4_000, Wish.ALL, TREATMENT, 2_000)
"""Of a treatment; the trial fills in the counter, the echo and the treatment."""
SPREAD: Final = 2_654_435_761  # makes of consecutive numbers some whose bits look drawn
REACHED: Final = 0.9  # of the suction that is set, so that the pump has something to do
NOISE: Final = 0.01
STREAM_S: Final = 1.1  # until the setpoints of a whole second were accepted


class Trial(LockStep):
    """A unit that does as it should, and a host that knows how to treat."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.tip = TIP
        self.lost = self.pressed = self.sealed = False
        self.moving = True
        self.drives = Drives()
        self._flow = self._suction = 0.0
        numbers = count(1)
        identity = Identity(1, 1, boot_tick_ms=0)
        self.firmware = Firmware(
            identity, lambda: next(numbers) * SPREAD, self._sample(), Memory(), 0.0
        )
        super().__init__(self.firmware)
        self.streaming = False
        self.wishes = Wishes(
            SETPOINT.suction_pa, SETPOINT.flow_mg_per_min, Wish.ALL,
            exposure_left_mg=SETPOINT.exposure_left_mg,
        )  # fmt: skip

    @property
    def mode(self) -> Mode:
        """The mode of the unit."""
        return self.firmware.mode

    def advance(self, now_s: float) -> None:
        """Let a tick of the unit pass."""
        self.drives = self.firmware.tick(now_s, self._sample())
        setpoints = self.firmware.board.a.setpoints
        self._flow = setpoints.flow_mg_per_min / 1000
        self._suction = setpoints.suction_pa / 1000 * REACHED

    def _sample(self) -> Sensors:
        noise = NOISE if round(self.now_s / STEP_S) % 2 else 0.0
        suction = (self._suction if self.drives.vent_closed else 0.0) + noise
        is_open = self.drives.valve > 0.0
        return Sensors(
            suction_a_kpa=None if self.lost else suction, suction_b_kpa=suction,
            flow_g_per_min=(self._flow if is_open else 0.0) + noise,
            valve_percent=50.0 if is_open else 0.0, contact=self.sealed,
            motion=self.moving, switch_closed=self.pressed, switch_rest=not self.pressed,
            hopper_g=100.0, waste_percent=10.0, filter_kpa=1.0, pump_deg_c=25.0, supply_v=24.0,
            tip=self.tip,
        )  # fmt: skip

    def ask(self, message: Message) -> Message | None:
        """Send a one-shot, outside of a session too, and return its answer; None where none is."""
        if self.link.session or isinstance(message, Hello):
            return super().ask(message)
        said = len(self.replies)
        self.give(encode(message, 1, 1))
        self.run(ANSWER_MAX_S)
        return None if len(self.replies) == said else self.replies[1]

    def configure(self) -> None:
        """Configure the treatment and stream setpoints for it."""
        self.done(CONFIG)
        self.streaming = True


def in_mode(mode: Mode) -> Trial:  # noqa: C901, PLR0911 - one step a line
    """Return a trial whose unit is in a mode, by the way that leads there."""
    trial = Trial()
    if mode is Mode.BOOT:
        return trial
    trial.reaches(Mode.DISARMED)
    trial.hello()
    trial.configure()
    trial.run(STREAM_S)
    if mode is Mode.DISARMED:
        return trial
    trial.done(SelfTest())
    if mode is Mode.SELFTEST:
        return trial
    trial.reaches(Mode.READY)
    if mode is Mode.READY:
        return trial
    trial.done(Arm(trial.token, TREATMENT))
    if mode is Mode.ARMED:
        return trial
    if mode is Mode.SAFE:
        trial.lost = True
        trial.reaches(Mode.SAFE)
        trial.lost = False
        trial.run(0.1)
        return trial
    trial.sealed = trial.pressed = True
    trial.until(lambda: trial.drives.valve > 0.0)
    if mode is Mode.PAUSED:
        trial.pressed = False
        trial.reaches(Mode.PAUSED)
    elif mode is Mode.STOPPING:
        trial.stop(StopKind.NORMAL)
    return trial
