"""The short verbs: pause, resume, ack, reset, silence, dismiss and unlock.

Where no kernel runs, what is only written down is written into the record without one.
"""

import json
import sys
from typing import Any, Final

from controller.cli.outcome import ExitCode, Failure, failure_of
from controller.cli.session import NO_KERNEL, asked, running, who
from controller.config.paths import state_dir
from controller.safety.refusal import RefusedError

DISMISS: Final = "dismiss"
DONE_WORDS: Final = {
    "pause": "paused: no crystals until `corneum resume` and a fresh press of the hand switch.",
    "resume": "resumed: release and press the hand switch to go on.",
    "ack": "acknowledged. A latched trip still needs `corneum reset`.",
    "silence": "the sound pauses for two minutes; the light stays.",
    DISMISS: "noted; what its zones have had still counts.",
    "unlock": "unlocked; the unit's own lock goes when its power is switched off and on.",
    "reset": "the trip is reset; within 12 hours `corneum treat ... --resume` goes on.",
}


def run(
    verb: str, port: str | None, args: dict[str, bool | int | str], *, as_json: bool
) -> ExitCode:
    """Tell the running kernel and say what came of it."""
    told_port, result = _told(verb, port, args)
    if as_json:
        sys.stdout.write(json.dumps({"done": verb, "port": told_port, **result}) + "\n")
    else:
        place = "" if told_port is None else f"{told_port}: "
        sys.stdout.write(f"{place}{DONE_WORDS[verb]}\n")
    return ExitCode.DONE


def _told(
    verb: str, port: str | None, args: dict[str, bool | int | str]
) -> tuple[str | None, dict[str, Any]]:
    """Return the port of the kernel that did it, None where none runs, and what it answered."""
    try:
        address = running(port)
    except Failure as failure:
        if verb != DISMISS or failure.name != NO_KERNEL:
            raise
        return None, _dismissed(args)
    return address.port, asked(address.socket, verb, dict(args))


def _dismissed(args: dict[str, bool | int | str]) -> dict[str, Any]:
    from controller.record.offline import dismiss_here  # noqa: PLC0415 - heavy, and seldom needed

    try:
        return dismiss_here(args, who(), state_dir())
    except RefusedError as error:
        raise failure_of(error.refusal, ExitCode.REFUSED) from error
