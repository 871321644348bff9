"""Finding the kernel of a port and talking to it as the person at this terminal."""

import getpass
import os
from pathlib import Path
from typing import Any, Final

from controller.api.ask import (
    ACT_TIMEOUT_S,
    KernelAbsentError,
    KernelSilentError,
    KernelUnreachedError,
    ask,
)
from controller.api.finding import KernelAddress, Running, running_kernels, serves
from controller.cli.outcome import OF_CODE, ExitCode, Failure
from controller.config.paths import state_dir

ROLE_VARIABLE: Final = "CORNEUM_ROLE"
"""Who sits at this terminal: practitioner unless it says supervisor, technician, qa or viewer."""

NAME_MAX: Final = 64
"""Letters of an account that the kernel takes (`api.NAME_MAX`; a test compares them)."""

NAMED_MAX: Final = 8
"""Kernels that are named in one sentence."""

FOUND_MAX_S: Final = 1.0
"""How long a kernel that runs may take to say that it is there."""

NO_KERNEL: Final = "no_kernel"
"""The name of the failure that says that surely none runs."""

ROLES: Final = ("viewer", "practitioner", "supervisor", "technician", "qa")


def who() -> dict[str, str]:
    """Return who asks: the account of this terminal, local, in the role it claims."""
    role = os.environ.get(ROLE_VARIABLE, "practitioner")
    if role not in ROLES:
        raise Failure(
            f"{ROLE_VARIABLE} is {role!r}, and there is no such role.",
            f"Set it to one of {', '.join(ROLES)}, or leave it out for practitioner.",
            ExitCode.USAGE,
        )
    return {
        "name": _account()[:NAME_MAX],
        "role": role,
        "origin": "remote" if os.environ.get("SSH_CONNECTION") else "local",
    }


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def running(port: str | None) -> KernelAddress:
    """Return the kernel of ``port``, or the only one that runs; Failure otherwise."""
    found = running_kernels(state_dir())
    here = [one for one in found.here if port is None or serves(one, port)]
    if len(here) == 1:
        return here[0]
    if not here:
        raise _none(port, found)
    ports = ", ".join(address.port for address in here[:NAMED_MAX])
    raise Failure(f"{len(here)} kernels run: {ports}.", "Name one with --port.", ExitCode.USAGE)


def _none(port: str | None, found: Running) -> Failure:
    place = f" for {port}" if port else ""
    if found.blind:
        return _unseen(place, found.blind)
    near = [one.port for one in found.here]
    far = [f"{one.port} (process {one.pid})" for one in found.elsewhere]
    sentence = f"No kernel runs{place} (state folder {state_dir()})."
    if near:
        sentence += f" It has kernels for {', '.join(near[:NAMED_MAX])}."
    if far:
        others = ", ".join(far[:NAMED_MAX])
        sentence += f" Other folders or accounts have {len(far)}: {others}; anybody may stop them."
    return Failure(
        sentence,
        "Start a treatment with `corneum treat`, or name another folder in CORNEUM_STATE.",
        ExitCode.PORT,
        NO_KERNEL,
    )


def serving(port: str) -> Path | None:
    """Return the socket of the kernel that serves ``port`` already, or None where none does.

    Failure where one does and does not answer: a second one could not have the port.
    """
    for address in running_kernels(state_dir()).here:
        if serves(address, port):
            try:
                ask(address.socket, "status", timeout_s=FOUND_MAX_S)
            except KernelUnreachedError as error:
                raise _unreached(address.port, error) from error
            except KernelAbsentError:
                return None  # it has ended just now
            return address.socket
    return None


def asked(
    address: Path, do: str, args: dict[str, Any] | None = None, *, timeout_s: float = ACT_TIMEOUT_S
) -> dict[str, Any]:
    """Ask the kernel for something as this person and return the result; Failure if it refuses."""
    try:
        answer = ask(address, do, args or {}, who(), timeout_s)
    except KernelUnreachedError as error:
        raise _unreached("", error) from error
    except KernelAbsentError as error:
        said = str(error)
        raise Failure(
            f"{said[:1].upper()}{said[1:]}.",
            "It may have ended just now; `corneum status` looks again.",
            ExitCode.PORT,
            "no_kernel",
        ) from error
    if answer.get("ok") is True:
        result = answer.get("result")
        return result if isinstance(result, dict) else {}
    error_said = answer.get("error") or {}
    code = str(error_said.get("code", "refused"))
    full = answer.get("id") == 0 and code == "busy"
    raise Failure(
        str(error_said.get("sentence", "The kernel refused.")),
        str(error_said.get("next_step", "")),
        ExitCode.PORT if full else OF_CODE.get(code, ExitCode.REFUSED),
        name=code,
        receipt=error_said.get("receipt"),
    )


def _unseen(place: str, why: str) -> Failure:
    return Failure(
        f"Whether a kernel runs{place} could not be seen ({why}).",
        "Mend the rights of that file; `corneum stop` and the hand switch do not need it.",
        ExitCode.PORT,
        "kernel_unseen",
    )


def _unreached(port: str, error: KernelUnreachedError) -> Failure:
    place = f" of {port}" if port else ""
    if not isinstance(error, KernelSilentError):
        return _unseen(place, str(error))
    return Failure(
        f"A kernel{place} runs and could not be reached: {error}.",
        "It is frozen or overloaded; `corneum stop` and the hand switch do not need its answer.",
        ExitCode.PORT,
        "kernel_silent",
    )
