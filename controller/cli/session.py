"""Finding the kernel of a port and talking to it as the person at this terminal."""

import getpass
import os
from pathlib import Path
from typing import Any, Final

from controller.cli.outcome import ExitCode, Failure
from controller.config.paths import socket_path, state_dir
from controller.kernel.ask import KernelAbsentError, KernelAddress, ask, kernels

ROLE_VARIABLE: Final = "CORNEUM_ROLE"
"""Who sits at this terminal: practitioner unless it says supervisor, technician, qa or viewer."""


def who() -> dict[str, str]:
    """Return who asks: the account of this terminal, local, in the role it claims."""
    return {
        "name": _account(),
        "role": os.environ.get(ROLE_VARIABLE, "practitioner"),
        "origin": "remote" if os.environ.get("SSH_CONNECTION") else "local",
    }


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def running(port: str | None) -> KernelAddress:
    """Return the kernel of ``port``, or the only one that runs; Failure otherwise."""
    alive = [address for address in kernels(state_dir()) if _answers(address.socket)]
    if port is not None:
        alive = [address for address in alive if _same_port(address.port, port)]
    if len(alive) == 1:
        return alive[0]
    if not alive:
        place = f" for {port}" if port else ""
        raise Failure(
            f"No kernel runs{place} (state folder {state_dir()}).",
            "Start a treatment with `corneum treat`, or name another folder in CORNEUM_STATE.",
            ExitCode.PORT,
            "no_kernel",
        )
    ports = ", ".join(address.port for address in alive)
    raise Failure(f"{len(alive)} kernels run: {ports}.", "Name one with --port.", ExitCode.USAGE)


def serving(port: str) -> Path | None:
    """Return the socket of the kernel that serves ``port`` already, or None."""
    path = socket_path(state_dir(), port)
    return path if path.exists() and _answers(path) else None


def _answers(path: Path) -> bool:
    try:
        return ask(path, "status", timeout_s=1.0).get("ok") is True
    except KernelAbsentError:
        return False
    except OSError:
        return False


def _same_port(one: str, other: str) -> bool:
    return one == other or os.path.realpath(one) == os.path.realpath(other)


def asked(
    address: Path, do: str, args: dict[str, Any] | None = None, *, timeout_s: float = 5.0
) -> dict[str, Any]:
    """Ask the kernel for something as this person and return the result; Failure if it refuses."""
    try:
        answer = ask(address, do, args or {}, who(), timeout_s)
    except KernelAbsentError as error:
        raise Failure(f"{error}.".capitalize(), code=ExitCode.PORT) from error
    if answer.get("ok") is True:
        result = answer.get("result")
        return result if isinstance(result, dict) else {}
    error_said = answer.get("error") or {}
    raise Failure(
        str(error_said.get("sentence", "The kernel refused.")),
        str(error_said.get("next_step", "")),
        name=str(error_said.get("code", "refused")),
        receipt=error_said.get("receipt"),
    )
