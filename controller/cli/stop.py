"""`corneum stop`: STOP to every kernel in question, before anything else is loaded or looked at.

Imports neither typer nor rich nor pydantic. Without --port it stops every kernel on this computer,
of whichever account. A mistake in the options stops first and is told afterwards. "Could not be
reached" is never told as "none runs".
"""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from controller.api.own_output import write_line
from controller.api.stop_call import ANSWER_MAX_S, Answer, Called, call
from controller.cli.outcome import BY_HAND, ExitCode, Failure, joined

if TYPE_CHECKING:
    from controller.cli.stop_older import Older

NAMED_MAX: Final = 8
"""Kernels that are named in one sentence; a person at a unit needs no longer list."""

HELP: Final = frozenset({"--help", "-h"})
_NOTHING_RAN: Final = frozenset({"idle", "completed", "stopped", "refused", "cleared"})


class Words(NamedTuple):
    """What the command line says."""

    port: str | None
    emergency: bool
    as_json: bool
    wrong: bool
    """Something else stands there too, which is told after the stop."""


class Told(NamedTuple):
    """What is said in the end."""

    code: ExitCode
    stopped: tuple[str, ...]
    missed: tuple[str, ...]
    as_object: dict[str, Any]


def run(arguments: Sequence[str]) -> int | None:
    """Stop and return the exit code; None where the full command line has to say something."""
    if HELP.intersection(arguments):
        return None
    words = read(arguments)
    if words.wrong:
        _called(words)
        return None
    return stop(words)


def stop(words: Words) -> int:
    """Stop, say what came of it, and return the exit code."""
    called = _called(words)
    from controller.cli import stop_older  # noqa: PLC0415 - only after STOP was sent

    older = stop_older.stop(words.port, called, emergency=words.emergency)
    if older.fresh:
        called = _called(words)
    told = tell(words, called, older)
    if words.as_json:
        write_line(sys.stdout, json.dumps(told.as_object))
    else:
        for line in told.stopped:
            write_line(sys.stdout, line)
    for line in told.missed:
        write_line(sys.stderr, line)
    return int(told.code)


def _called(words: Words) -> Called:
    try:
        return call(words.port, emergency=words.emergency)
    except OSError as error:  # not even a socket can be had
        raise Failure(
            f"STOP could not be sent ({error.strerror or error}).",
            BY_HAND,
            ExitCode.PORT,
            "could_not_be_reached",
        ) from error


def read(arguments: Sequence[str]) -> Words:
    """Read the options of `corneum stop`; what is not understood does not keep it from stopping."""
    port, emergency, as_json, wrong = None, False, False, False
    left = list(arguments)
    while left:
        word = left.pop(0)
        if word == "--port" and left:
            port = left.pop(0)
        elif word.startswith("--port="):
            port = word.partition("=")[2]
        elif word == "--emergency":
            emergency = True
        elif word == "--json":
            as_json = True
        else:
            wrong = True
    named = (port or "").strip()  # an empty name is none: then every kernel is stopped
    return Words(None if wrong or not named else named, emergency, as_json, wrong)


def tell(words: Words, called: Called, older: "Older") -> Told:
    """Return what to say of kernels with this way and of those that were asked another way."""
    answers = (*called.answers, *older.answers)
    stopped = tuple(_stopped(one) for one in answers if one.linked)
    missed = tuple(_missed(one) for one in answers if not one.linked)
    blind = called.blind or older.blind
    if blind and not stopped:
        missed += (f"Whether a kernel runs could not be looked at ({blind}). {BY_HAND}",)
    elif blind:  # rights of a folder make no failure of a stop that was done
        stopped += (
            f"Whether one of an older version runs, too, could not be looked at ({blind}).",
        )
    if missed:
        code, error = ExitCode.PORT, "could_not_be_reached"
    elif stopped:
        code, error = ExitCode.DONE, ""
    else:
        code, error = ExitCode.REFUSED, "no_kernel"
        missed = (_none(words.port, called),)
    return Told(code, stopped, missed, _as_object(called, answers, missed, error))


def _stopped(one: Answer) -> str:
    if one.state in _NOTHING_RAN:
        return f"{one.port}: STOP is sent to the unit; no treatment was under way."
    if one.state == "tripped":
        return f"{one.port}: STOP is sent to the unit; a safety trip has shut its valve before."
    return f"{one.port}: stopping: the valve shuts, then purge and vent."


def _missed(one: Answer) -> str:
    if one.faulty:
        return joined(
            f"{one.port}: the kernel, process {one.pid}, met a fault of its own, and whether STOP "
            "was written is not known.",
            BY_HAND,
        )
    if one.answered:
        return joined(
            f"{one.port}: the kernel, process {one.pid}, has no line to the unit, so that STOP "
            "could not be written; a unit without a line shuts its valve within 0.25 s.",
            BY_HAND,
        )
    return joined(
        f"{one.port}: the kernel, process {one.pid}, could not be reached: it has not answered for "
        f"{ANSWER_MAX_S:g} s. STOP waits for it, and a unit that it does not renew shuts its valve "
        "within 0.25 s.",
        BY_HAND,
    )


def _none(port: str | None, called: Called) -> str:
    if port is None:
        return "No kernel runs on this computer, so there was nothing to stop."
    others = ", ".join(one.port for one in called.others[:NAMED_MAX])
    if not others:
        return f"No kernel runs for {port}, nor for any other port of this computer."
    return joined(
        f"No kernel runs for {port}; {len(called.others)} for other ports: {others}.",
        "`corneum stop` without --port stops them all.",
    )


def _as_object(
    called: Called, answers: Sequence[Answer], missed: Sequence[str], error: str
) -> dict[str, Any]:
    said: dict[str, Any] = {
        "done": None if error else "stop",
        "kernels": [
            {"port": one.port, "pid": one.pid, "stopped": one.linked, "state": one.state or None}
            for one in answers
        ],
        "sent_s": called.sent_s,
    }
    if len(answers) == 1:
        said |= {"port": answers[0].port, "state": answers[0].state or None}
    if error:
        said["error"] = {"code": error, "sentence": " ".join(missed), "next_step": BY_HAND}
    return said
