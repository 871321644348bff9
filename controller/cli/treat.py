"""`corneum treat`: one treatment from start to summary, as a client of the kernel."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from controller.api.ask import TREAT_TIMEOUT_S, KernelAbsentError
from controller.api.interrupts import unwind
from controller.api.snapshot import Snapshot
from controller.cli import footer, start, summary, treat_request
from controller.cli.attached import Attached, GoneError, UnseenError
from controller.cli.outcome import ExitCode, Failure, failure_of
from controller.cli.output import complain
from controller.cli.screen import Screen
from controller.cli.session import serving
from controller.config.paths import port_name, state_dir
from controller.safety.refusal import RefusedError
from firmware_protocol.envelope import LEASE_DEFAULT_MS, LEASE_MARGIN_S


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
    hand: str | None = None
    seed: int | None = None
    """Both of the simulated handpiece."""
    configs: Path | None = None
    once: bool = False
    """A kernel that is started for it ends with this command, also while a trip stands."""


def run(wish: Wish, where: Where, *, as_json: bool) -> ExitCode:
    """Run the treatment, show it, print the summary and return the exit code."""
    unwind()
    try:
        end = _end(wish, where, as_json=as_json)
    except UnseenError as unseen:
        return _unseen(unseen, where, as_json=as_json)
    except Failure as failure:
        failure.beside = summary.beside_failure(failure)
        raise
    if as_json:
        sys.stdout.write(json.dumps(summary.as_object(end)) + "\n")
    if end.state == "tripped" and not where.simulator:
        complain(TRIP_STANDS_IN_THE_UNIT if where.once else TRIP_STANDS)
    return summary.exit_code_of(end)


TRIP_STANDS: Final = "The trip stands until `corneum ack` and `corneum reset`."
TRIP_STANDS_IN_THE_UNIT: Final = (
    "The trip stands in the unit; a kernel that was started by this command ends with it, and the "
    "next `corneum treat` or `corneum ack` and `corneum reset` find the trip there."
)


def _end(wish: Wish, where: Where, *, as_json: bool) -> Snapshot:
    _check_where(where)
    screen = Screen(as_json=as_json, footer=footer.of_treatment)
    _ = screen.takes_more  # an output that is lost already begins nothing
    with _kernel(where) as socket:
        return asyncio.run(_treat(socket, wish, where.configs, screen))


def _check_where(where: Where) -> None:
    """Refuse what names no handpiece, or more than one: nothing that was said is dropped."""
    if where.port is None and not where.simulator:
        raise Failure(
            "Say where to treat: either --port PORT or --simulator.",
            "For practice: corneum treat refresh --client demo --simulator",
            ExitCode.USAGE,
        )
    if where.port is not None and where.simulator:
        raise Failure(
            f"--port {where.port} and --simulator are two handpieces.",
            "Leave one of them out.",
            ExitCode.USAGE,
        )
    if where.port is not None and (where.hand is not None or where.seed is not None):
        raise Failure(
            f"--hand and --seed are of a simulated handpiece, and --port names {where.port}.",
            "Leave them out, or name --simulator in place of the port.",
            ExitCode.USAGE,
        )


@contextlib.contextmanager
def _kernel(where: Where) -> Iterator[Path]:
    with contextlib.ExitStack() as stack:
        keep: list[int] = []
        port = None if where.port is None else port_name(where.port)
        if port is None:
            port = stack.enter_context(
                start.simulator(hand=where.hand, seed=where.seed, keep_fd=keep)
            )
        socket = serving(port)
        if socket is None:
            arguments = ["--port", port, "--state", str(state_dir())]
            arguments.append("--once" if where.once else "--until-idle")
            if where.configs is not None:
                arguments += ["--configs", str(where.configs.absolute())]
            kernel = start.kernel(arguments, keep)
            stack.callback(kernel.end if where.simulator else kernel.leave)
            socket = start.socket_of(kernel)
        yield socket


async def _treat(socket: Path, wish: Wish, configs: Path | None, screen: Screen) -> Snapshot:
    try:
        async with Attached.open(socket, screen) as attached:

            def ended(times: int) -> None:
                words = "stopping in order; Ctrl-C again vents at once" if times == 1 else "venting"
                attached.start("stop", {"emergency": True} if times > 1 else {}, words)

            request = await treat_request.planned(attached.kernel, wish.as_args(), configs)
            with attached.ended_by(ended):  # a stop also voids what has not begun yet
                begun = await attached.kernel.ask("treat", request, TREAT_TIMEOUT_S)
                number = int(begun["treatment"])
                end = await attached.follow(lambda shown: _is_over(shown, number))
                with contextlib.suppress(Failure):  # nobody reads it; the record has it all
                    screen.finish(end)
                return end
    except RefusedError as error:
        raise failure_of(error.refusal) from error
    except (KernelAbsentError, GoneError) as error:
        raise kernel_gone(error) from error


def _is_over(shown: Snapshot, number: int) -> bool:
    treatment = shown.treatment
    return treatment is not None and treatment.id >= number and treatment.over


def kernel_gone(error: Exception) -> Failure:
    """Return what is known when the kernel cannot be reached: no guess about the valve."""
    return Failure(
        f"The kernel cannot be reached any more ({error}). A unit that hears no kernel shuts its "
        f"valve by itself within {LEASE_DEFAULT_MS + LEASE_MARGIN_S * 1000:.0f} ms.",
        "Look at the unit, then `corneum status`.",
        ExitCode.PORT,
        summary.KERNEL_GONE,
    )


def unseen_words(unseen: UnseenError) -> str:
    """Return why a screen shows nothing any more and what became of the treatment."""
    lead = f"{unseen.lost.sentence} The treatment is {unseen.outcome}"
    return f"{lead}; `corneum watch` at the unit shows it, `corneum stop` ends it."


def _unseen(unseen: UnseenError, where: Where, *, as_json: bool) -> ExitCode:
    words = unseen_words(unseen)
    if where.simulator:
        words = f"{unseen.lost.sentence} The treatment was paused and has ended with its simulator."
    complain(words)
    if as_json:
        said = summary.as_object(unseen.last)
        said |= {"outcome": unseen.outcome, **unseen.lost.as_object}
        sys.stdout.write(json.dumps(said) + "\n")
    return unseen.lost.code
