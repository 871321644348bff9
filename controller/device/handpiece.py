"""The handpiece as the kernel sees it: identity, one-shots, the lease, readings, and the stop."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from controller.device.answers import Answer, LinkNews, LinkState, StopReport
from controller.safety.reading import Identity, Reading
from firmware_protocol.envelope import LEASE_DEFAULT_MS
from firmware_protocol.messages import Config
from firmware_protocol.vocabulary import Cause, StopKind, Wish


class Holding(Protocol):
    """What the outputs shall do from now; the supervisor's Hold action is one."""

    @property
    def suction_kpa(self) -> float: ...
    @property
    def flow_g_per_min(self) -> float: ...
    @property
    def wish(self) -> Wish: ...
    @property
    def exposure_left_mg(self) -> int: ...


class HandpieceClient:
    """One unit behind one port (signatures first; the body follows)."""

    state: LinkState
    identity: Identity | None
    newest: Reading | None
    bad_frames: int
    round_trip_s: float | None

    on_reading: Callable[[Reading], None]
    on_link: Callable[[LinkNews], None]

    async def connect(self) -> Identity:
        """Open the port, say HELLO, check version and serial number. Raises DeviceError."""
        raise NotImplementedError

    async def stay_connected(self) -> None:
        """Reconnect after every loss, to the same unit; run as a task. Raises when given up."""
        raise NotImplementedError

    async def configure(self, config: Config) -> Answer:
        """Send CONFIG."""
        raise NotImplementedError

    async def self_test(self) -> Answer:
        """Send SELFTEST; the detail is the arm token."""
        raise NotImplementedError

    async def arm(self, token: int, treatment: int) -> Answer:
        """Send ARM."""
        raise NotImplementedError

    async def reset(self, cause: Cause) -> Answer:
        """Send RESET for the acknowledged cause."""
        raise NotImplementedError

    def setpoint(
        self, hold: Holding, treatment: int, loop_counter: int, lease_ms: int = LEASE_DEFAULT_MS
    ) -> bool:
        """Write one SETPOINT now (echo tick filled in); False when there is no session."""
        raise NotImplementedError

    def stop(self, kind: StopKind) -> asyncio.Future[StopReport]:
        """Write STOP before returning; the future tells how it ended. Need not be awaited."""
        raise NotImplementedError

    def limit_exceeded(self) -> bool:
        """True when the error limiter of the link says that the line is too noisy to treat."""
        raise NotImplementedError

    async def close(self) -> None:
        """Close the port; no STOP is sent."""
        raise NotImplementedError
