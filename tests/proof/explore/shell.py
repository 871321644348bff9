"""A host around the real supervisor, as small as it can be: frames in, events; actions, frames out.

It is no scripted host: what it asks, holds and stops is decided by the supervisor that is explored.

It stands for the kernel and its handpiece client, which live on an event loop and so cannot be
explored. It performs actions in their order and repeats a STOP until the device shows that it is
safe, as they do. Rows end when the disk of this beat lets them: at once, later, or as lost; answers
come back with the number of what was asked, as late as the line makes them. The link, the
translation of telemetry and the supervisor itself are the real ones.
"""

from collections.abc import Hashable
from enum import Enum, unique
from typing import Final

from controller.device.stopping import SAFE_MODES
from controller.device.translation import reading_of
from controller.kernel.performer import config_of
from controller.safety.reading import VALVE_SHUT_PERCENT, Identity
from controller.treatment.conduct import Actions
from controller.treatment.events import (
    Commit,
    Configure,
    End,
    Event,
    Finished,
    Hold,
    Observed,
    RunSelfTest,
    SendArm,
    SendReset,
    StopNow,
    Wake,
)
from controller.treatment.states import LIVE, State
from controller.treatment.supervisor import Supervisor
from firmware_protocol.catalogue import Direction
from firmware_protocol.link import Event as LinkEvent
from firmware_protocol.link import (
    Link,
    MessageReceived,
    RequestDone,
    RequestUnknown,
)
from firmware_protocol.messages import (
    Arm,
    Message,
    Reset,
    Result,
    SelfTest,
    Stop,
    Stopped,
    Telemetry,
    g_per_min_to_mg_per_min,
    kpa_to_pa,
)
from firmware_protocol.session import SEQ_SPAN, TRIES_MAX
from firmware_protocol.vocabulary import Capability, Mode, Outcome, Refusal, StopKind, Wish
from qa.host import Wishes
from tests.proof.explore.frames import TREATMENT
from tests.proof.explore.host import BOOT_ID, WELL_SUPPLIED
from tests.proof.explore.host_clocks import NOW_S
from tests.proof.explore.plan import SERIAL, plan

STALE_BEATS_MAX: Final = 4  # beyond it the host counts telemetry as stale
ROWS_MAX: Final = 8  # rows of one beat that lead to further rows


@unique
class Disk(Enum):
    """What the disk of the record does in a beat."""

    WELL = "writes"
    SLOW = "is slow"
    FULL = "loses the rows"


class Shell:
    """The host's end."""

    __slots__ = (
        "asked", "beats_deaf", "counter", "link", "now_s", "rows", "stopping", "supervisor",
        "tick_ms", "wished_beats", "written",
    )  # fmt: skip

    def __init__(self) -> None:
        capabilities = Capability.MOTION_SENSOR | Capability.SIMULATED
        self.supervisor = Supervisor(plan(), Identity(SERIAL, BOOT_ID, "1.0", capabilities))
        self.link = Link(Direction.TO_DEVICE)
        self.counter = 0
        self.stopping: StopKind | None = None
        """The stop that the device has not confirmed."""
        self.tick_ms: int | None = None
        """The newest tick of the device, which the next setpoint echoes."""
        self.asked: dict[int, int] = {}
        """By its sequence on the line, the number of each one-shot that waits for its answer."""
        self.rows: list[int] = []
        """The numbers of the rows that are waited for and not durable yet, oldest first."""
        self.written = bytearray()
        self.now_s = 0.0
        self.beats_deaf = STALE_BEATS_MAX
        """Since the newest telemetry."""
        self.wished_beats = 0
        """Since the newest setpoint that wished for flow; counted by the world."""

    def hear(self, data: bytes, now_s: float) -> None:
        """Take what arrived in this beat."""
        self.now_s = now_s
        self.beats_deaf = min(self.beats_deaf + 1, STALE_BEATS_MAX)
        self._age()
        for event in (*self.link.receive(data, now_s), *self.link.poll(now_s)):
            self._heard(event)

    def beat(self) -> None:
        """Let the control loop beat; a stop that was not confirmed is repeated first."""
        if self.stopping is not None:
            self.written += self.link.send(Stop(self.stopping))
        self.decide(Wake())
        self.written += self.link.outgoing()

    def decide(self, event: Event) -> Actions:
        """Let the supervisor decide, and do it."""
        actions = self.supervisor.step(event, NOW_S)
        for action in actions:
            if isinstance(action, StopNow):
                self._stop(action.kind)
            elif isinstance(action, Hold):
                self._hold(action)
            elif isinstance(action, Commit):
                self.rows.append(action.number)
            elif isinstance(action, (Configure, RunSelfTest, SendArm, SendReset)):
                self._ask(action.number, _message_of(action))
        self._forget_rows()
        return actions

    def write(self, disk: Disk) -> None:
        """Let the disk do what it does in this beat to the rows that wait, and to what follows."""
        for _ in range(0 if disk is Disk.SLOW else ROWS_MAX):
            if not self.rows:
                break
            number = self.rows.pop(0)
            lost = "The disk is full." if disk is Disk.FULL else ""
            self.decide(Finished(number, End.FAILED if lost else End.DONE, lost=lost))

    def _forget_rows(self) -> None:
        """Leave out rows whose end changes nothing, which the host world tells at any time."""
        acts = self.supervisor.conduct.acts
        self.rows = [number for number in self.rows if number in acts.open]

    def take(self) -> bytes:
        """Return what was written."""
        data = bytes(self.written)
        self.written.clear()
        return data

    def waiting(self) -> Hashable:
        """Name the one-shots that wait."""
        acts = self.supervisor.conduct.acts
        return tuple(
            (type(one.message).__name__, one.unknown, self.asked.get(one.seq) in acts.open)
            for one in self.link._asker._queue
        )

    def try_again(self, *, for_the_last_time: bool) -> None:
        """Repeat in every beat what waits for its answer; when it gives up is decided outside."""
        for one in self.link._asker._queue:
            if not one.unknown:
                one.tries = TRIES_MAX if for_the_last_time else 1
                one.due_s = self.now_s

    def listens(self) -> bool:
        """Return whether it counts how old the newest telemetry is."""
        supervisor = self.supervisor
        running = supervisor.state in LIVE or supervisor.state is State.STOPPING
        return running or supervisor._preparation.streaming

    def _age(self) -> None:
        conduct = self.supervisor.conduct
        if conduct.newest is not None:
            at_s = NOW_S - self.beats_deaf * 0.05
            conduct.newest = conduct.newest._replace(at_s=at_s)

    def _ask(self, number: int, message: Message) -> None:
        self.asked[self.link.request(message, self.now_s)] = number

    def _stop(self, kind: StopKind) -> None:
        self.stopping = kind if self.stopping is None else max(kind, self.stopping)
        self.written += self.link.send(Stop(self.stopping))

    def _hold(self, hold: Hold) -> None:
        if hold.wish & Wish.FLOW:
            self.wished_beats = 0
        if self.tick_ms is None:
            return
        self.counter = (self.counter + 1) % SEQ_SPAN
        pa, mg_per_min = kpa_to_pa(hold.suction_kpa), g_per_min_to_mg_per_min(hold.flow_g_per_min)
        wishes = Wishes(pa, mg_per_min, int(hold.wish), TREATMENT, hold.exposure_left_mg)
        self.written += self.link.send(wishes.setpoint(self.counter, self.tick_ms))

    def _heard(self, event: LinkEvent) -> None:
        if isinstance(event, MessageReceived):
            self._message(event.message)
        elif isinstance(event, RequestDone) and isinstance(event.reply, Result):
            result, number = event.reply, self.asked.pop(event.seq, 0)
            end = End.DONE if result.outcome == Outcome.DONE else End.FAILED
            self.decide(Finished(number, end, Refusal(result.refusal), result.detail))
        elif isinstance(event, RequestUnknown):
            self.decide(Finished(self.asked.pop(event.seq, 0), End.UNKNOWN))

    def _message(self, message: Message) -> None:
        if isinstance(message, Stopped):
            self._confirm(Mode(message.mode), message.valve_percent)
        elif isinstance(message, Telemetry):
            self.tick_ms = message.tick_ms
            self.beats_deaf = 0
            reading = reading_of(message, NOW_S, WELL_SUPPLIED, BOOT_ID)
            self._confirm(reading.mode, reading.valve_percent)
            self.decide(Observed(reading))

    def _confirm(self, mode: Mode, valve_percent: float) -> None:
        shown = self.stopping is not None and mode in SAFE_MODES[self.stopping]
        if shown and valve_percent <= VALVE_SHUT_PERCENT:
            self.stopping = None


def _message_of(action: Configure | RunSelfTest | SendArm | SendReset) -> Message:
    match action:
        case Configure():
            return config_of(TREATMENT, action)
        case RunSelfTest():
            return SelfTest()
        case SendArm(token):
            return Arm(token, TREATMENT)
        case SendReset(cause):
            return Reset(cause)
