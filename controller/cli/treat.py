"""`corneum treat`: one treatment from start to summary, as a client of the kernel."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from controller.cli import start, summary, treat_request
from controller.cli.outcome import ExitCode, Failure
from controller.cli.screen import Screen
from controller.cli.session import serving, who
from controller.config.paths import state_dir
from controller.kernel.ask import KernelAbsentError
from controller.kernel.client import AnswerError, KernelClient
from controller.kernel.snapshot import Snapshot

BEGIN_MAX_S: Final = 10.0
"""From the request to the kernel's answer, which waits for a durable record."""
STOP_MAX_S: Final = 2.0
QUIET_MAX_S: Final = 10.0
"""A kernel that says nothing for so long is gone; it sends ten snapshots a second."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to treat."""

    program: str
    client: str
    zones: tuple[str, ...] | None
    suction_kpa: float | None
    flow_g_per_min: float | None
    reason: str | None
    resume: bool
    tip: str | None = None

    def as_args(self) -> dict[str, Any]:
        """Return the arguments of the API request."""
        lower = {"suction_kpa": self.suction_kpa, "flow_g_per_min": self.flow_g_per_min}
        asked = {name: value for name, value in lower.items() if value is not None}
        return {
            "program": self.program,
            "client": self.client,
            "zones": None if self.zones is None else list(self.zones),
            "lower": asked or None,
            "reason": self.reason,
            "resume": self.resume,
            "tip": self.tip,
        }


@dataclass(frozen=True, slots=True)
class Where:
    """On which handpiece."""

    port: str | None
    simulator: bool
    hand: str
    seed: int
    configs: Path | None = None


def run(wish: Wish, where: Where, *, as_json: bool) -> ExitCode:
    """Run the treatment, show it, print the summary and return the exit code."""
    try:
        end = _end(wish, where, as_json=as_json)
    except Failure as failure:
        if as_json:
            sys.stdout.write(json.dumps(summary.failed_object(failure)) + "\n")
        raise
    if as_json:
        sys.stdout.write(json.dumps(summary.as_object(end)) + "\n")
    return summary.exit_code_of(end)


def _end(wish: Wish, where: Where, *, as_json: bool) -> Snapshot:
    if (where.port is None) is (not where.simulator):
        raise Failure(
            "Say where to treat: either --port PORT or --simulator.",
            "For practice: corneum treat refresh --client demo --simulator",
            ExitCode.USAGE,
        )
    with _kernel(where) as socket:
        return asyncio.run(_treat(socket, wish, where.configs, Screen(as_json=as_json)))


@contextlib.contextmanager
def _kernel(where: Where) -> Iterator[Path]:
    with contextlib.ExitStack() as stack:
        keep: list[int] = []
        port = where.port
        if port is None:
            port = stack.enter_context(
                start.simulator(hand=where.hand, seed=where.seed, keep_fd=keep)
            )
        socket = serving(port)
        if socket is None:
            arguments = ["--port", port, "--state", str(state_dir()), "--once"]
            if where.configs is not None:
                arguments += ["--configs", str(where.configs.absolute())]
            kernel = start.kernel(arguments, keep)
            stack.callback(kernel.end if where.simulator else kernel.leave)
            socket = start.socket_of(kernel)
        yield socket


async def _treat(socket: Path, wish: Wish, configs: Path | None, screen: "Screen") -> Snapshot:
    try:
        async with await KernelClient.open(socket, who()) as kernel:
            request = await treat_request.planned(kernel, wish.as_args(), configs)
            with _interrupts(kernel, screen):  # a stop also voids what has not begun yet
                begun = await kernel.ask("treat", request, BEGIN_MAX_S)
                return await _watch(kernel, int(begun["treatment"]), screen)
    except AnswerError as error:
        code = start.exit_code_of(error.code)
        raise Failure(error.sentence, error.next_step, code, error.code, error.receipt) from error
    except KernelAbsentError as error:
        raise Failure(
            f"The kernel is gone ({error}); the unit has shut its valve by itself.",
            "Look at the unit, then `corneum status`.",
            ExitCode.PORT,
            summary.KERNEL_GONE,
        ) from error


async def _watch(kernel: KernelClient, treatment: int, screen: "Screen") -> Snapshot:
    newest: Snapshot | None = None
    with screen:
        stream = aiter(kernel.watch())
        while True:
            try:
                said = await asyncio.wait_for(anext(stream), QUIET_MAX_S)
            except (TimeoutError, StopAsyncIteration):
                raise KernelAbsentError("it has stopped telling") from None
            newest = Snapshot.from_dict(said)
            if newest.treatment is None or newest.treatment.id != treatment:
                continue
            screen.show(newest)
            if newest.treatment.over:
                break
    screen.finish(newest)
    return newest


@contextlib.contextmanager
def _interrupts(kernel: KernelClient, screen: "Screen") -> Iterator[None]:
    """Ctrl-C asks for an orderly stop; a second one vents at once."""
    loop = asyncio.get_running_loop()
    presses = 0
    running: set[asyncio.Task[None]] = set()

    async def ask(*, emergency: bool) -> None:
        try:
            await kernel.ask("stop", {"emergency": True} if emergency else {}, STOP_MAX_S)
        except (AnswerError, KernelAbsentError) as error:
            screen.say(f"stop was not confirmed: {error}")

    def pressed() -> None:
        nonlocal presses
        presses += 1
        screen.say("stopping in order; Ctrl-C again vents at once" if presses == 1 else "venting")
        task = loop.create_task(ask(emergency=presses > 1), name="stop")
        running.add(task)
        task.add_done_callback(running.discard)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, pressed)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
