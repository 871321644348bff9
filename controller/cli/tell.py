"""The short verbs: pause, resume, ack, reset, silence, dismiss and unlock."""

import json
import sys
from typing import Final

from controller.cli.outcome import ExitCode
from controller.cli.session import asked, running

DONE_WORDS: Final = {
    "pause": "paused: no crystals until `corneum resume` and a fresh press of the hand switch.",
    "resume": "resumed: release and press the hand switch to go on.",
    "ack": "acknowledged. A latched trip still needs `corneum reset`.",
    "silence": "the sound pauses for two minutes; the light stays.",
    "dismiss": "noted; what its zones have had still counts.",
    "unlock": "unlocked; the unit's own lock goes when its power is switched off and on.",
    "reset": "the trip is reset; within 12 hours `corneum treat ... --resume` goes on.",
}


def run(
    verb: str, port: str | None, args: dict[str, bool | int | str], *, as_json: bool
) -> ExitCode:
    """Tell the running kernel and say what came of it."""
    address = running(port)
    result = asked(address.socket, verb, dict(args))
    if as_json:
        sys.stdout.write(json.dumps({"done": verb, "port": address.port, **result}) + "\n")
    else:
        sys.stdout.write(f"{address.port}: {DONE_WORDS[verb]}\n")
    return ExitCode.DONE
