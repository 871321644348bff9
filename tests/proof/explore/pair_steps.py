"""The steps of host, line and device together: what may happen in one beat, few or many of them."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from controller.treatment.events import Command, Event, Person
from tests.proof.explore.clocks import Clock
from tests.proof.explore.host import HERE
from tests.proof.explore.host_clocks import Wait
from tests.proof.explore.line import Fate
from tests.proof.explore.scenes import PRESSED, RELEASED, Grip
from tests.proof.explore.shell import Disk


class Hand(NamedTuple):
    """What the hand does, and whether the valve is stuck open."""

    name: str
    on_skin: bool
    grip: Grip
    stuck: bool = False


AWAY_RELEASED: Final = Hand("off the skin, switch released", on_skin=False, grip=RELEASED)
ON_PRESSED: Final = Hand("on skin, switch pressed", on_skin=True, grip=PRESSED)
ON_RELEASED: Final = Hand("on skin, switch released", on_skin=True, grip=RELEASED)
AWAY_PRESSED: Final = Hand("off the skin, switch pressed", on_skin=False, grip=PRESSED)
STUCK: Final = Hand(
    "on skin, switch released, valve stuck open", on_skin=True, grip=RELEASED, stuck=True
)


@dataclass(frozen=True, slots=True)
class Beat:
    """One step."""

    hand: Hand
    up: Fate = Fate.WELL
    down: Fate = Fate.WELL
    wait: Wait = Wait.NONE
    clock: Clock = Clock.NONE
    person: Event | None = None
    disk: Disk = Disk.WELL

    def __str__(self) -> str:
        said = [f"50 ms: {self.hand.name}{self.clock.value}{self.wait.value}"]
        if isinstance(self.person, Person):
            said.append(f"a person: {self.person.command.value}")
        if self.disk is not Disk.WELL:
            said.append(f"the disk {self.disk.value}")
        if self.up is not Fate.WELL:
            said.append(f"frames to the host {self.up.value}")
        if self.down is not Fate.WELL:
            said.append(f"frames to the device {self.down.value}")
        return "; ".join(said)


def few() -> tuple[Beat, ...]:
    """Return the steps of the small configuration."""
    hands = (AWAY_RELEASED, ON_PRESSED)
    return (
        *(Beat(hand) for hand in hands),
        Beat(AWAY_RELEASED, wait=Wait.ENOUGH),
        Beat(AWAY_RELEASED, clock=Clock.MODE),
        Beat(ON_PRESSED, up=Fate.LOST),
        Beat(ON_PRESSED, down=Fate.LOST),
        *_people((AWAY_RELEASED,), (Command.ACK, Command.RESET), (Fate.WELL,)),
        *_people((ON_PRESSED,), (Command.STOP,), (Fate.WELL, Fate.LOST)),
        *_late((AWAY_RELEASED,), (Command.RESET,), (Disk.SLOW,)),
        Beat(AWAY_RELEASED, disk=Disk.SLOW),
        Beat(AWAY_RELEASED, person=Person(Command.STOP, HERE), disk=Disk.SLOW),
    )


def many() -> tuple[Beat, ...]:
    """Return the steps of the full configuration."""
    hands = (AWAY_RELEASED, ON_PRESSED, ON_RELEASED, AWAY_PRESSED)
    main = (AWAY_RELEASED, ON_PRESSED)
    bad = [fate for fate in Fate if fate is not Fate.WELL]
    waits = (
        Wait.ENOUGH, Wait.LATE, Wait.ZONE, Wait.LIFTED, Wait.GRACE, Wait.STOPPED, Wait.IDLE,
    )  # fmt: skip
    return (
        *(Beat(hand) for hand in (*hands, STUCK)),
        *(Beat(hand, wait=wait) for hand in main for wait in waits),
        *(Beat(hand, clock=clock) for hand in main for clock in (Clock.MODE, Clock.GUARDS)),
        *(Beat(hand, up=fate) for hand in main for fate in bad),
        *(Beat(hand, down=fate) for hand in main for fate in bad),
        *(Beat(hand, up=Fate.LOST, down=Fate.LOST) for hand in main),
        *_people(main, (Command.STOP, Command.EMERGENCY), (Fate.WELL, Fate.LOST, Fate.LATE)),
        *_people(main, (Command.PAUSE, Command.RESUME), (Fate.WELL,)),
        *_people((AWAY_RELEASED,), (Command.ACK, Command.RESET), (Fate.WELL, Fate.LOST)),
        *(Beat(hand, disk=disk) for hand in main for disk in (Disk.SLOW, Disk.FULL)),
        *_late(main, tuple(Command), (Disk.SLOW, Disk.FULL)),
    )


def _late(
    hands: tuple[Hand, ...], commands: tuple[Command, ...], disks: tuple[Disk, ...]
) -> tuple[Beat, ...]:
    return tuple(
        Beat(hand, person=Person(command, HERE), disk=disk)
        for hand in hands
        for command in commands
        for disk in disks
    )


def _people(
    hands: tuple[Hand, ...], commands: tuple[Command, ...], fates: tuple[Fate, ...]
) -> tuple[Beat, ...]:
    return tuple(
        Beat(hand, down=fate, person=Person(command, HERE))
        for hand in hands
        for command in commands
        for fate in fates
    )
