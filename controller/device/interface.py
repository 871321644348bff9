"""What a control loop needs of the client of a unit; `handpiece` is the one that it gets."""

import asyncio
from typing import Protocol

from controller.device.answers import Answer, DeviceError, LinkState, StopReport
from controller.device.handpiece import Holding
from controller.safety.reading import Identity, Reading
from firmware_protocol.messages import Config
from firmware_protocol.vocabulary import Cause, StopKind


class OneShots(Protocol):
    """The part of the handpiece client that answers questions."""

    async def configure(self, config: Config) -> Answer:
        """Tell the unit what this treatment may use."""
        ...

    async def self_test(self) -> Answer:
        """Let the unit prove itself; the detail is the arm token."""
        ...

    async def arm(self, token: int, treatment: int) -> Answer:
        """Arm the treatment."""
        ...

    async def reset(self, cause: Cause) -> Answer:
        """Let the unit leave SAFE."""
        ...


class Handpiece(OneShots, Protocol):
    """What the control loop needs of the handpiece client."""

    state: LinkState
    identity: Identity | None
    newest: Reading | None
    round_trip_s: float | None
    trouble: DeviceError | None
    """What keeps the host from its unit; None while it is identified."""

    @property
    def heard_at_s(self) -> float:
        """When the newest frame of a session was used; before the first one for ever ago."""
        ...

    @property
    def bad_frames(self) -> int:
        """Corrupt frames of this session."""
        ...

    def setpoint(self, hold: Holding, treatment: int, loop_counter: int) -> bool:
        """Write one SETPOINT now."""
        ...

    def stop(self, kind: StopKind) -> asyncio.Future[StopReport]:
        """Write STOP before returning."""
        ...

    def limit_exceeded(self) -> bool:
        """True when the line is too noisy to treat over."""
        ...
