"""The other end of the control channel: one question, one answer, for commands and for tests."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

ANSWER_MAX_S: Final = 5.0  # an answer takes milliseconds; beyond this nobody is there
REPLY_MAX_BYTES: Final = 131_072  # the longest tail of events has about 40 KB


class NobodyThereError(Exception):
    """No simulator answers there; the text is one sentence with the next step."""


def ask(path: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer of the simulator that serves the control socket ``path``.

    Raises:
        NobodyThereError: nobody serves it, or whoever does is no simulator.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_MAX_S)
            connection.connect(str(path))
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as replies:
                reply = json.loads(replies.readline(REPLY_MAX_BYTES))
        return dict(reply)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NobodyThereError(
            f"no simulator answers on the control socket {path}: {error}; "
            "start it with corneum-sim serve --control"
        ) from error
    except (TypeError, ValueError) as error:
        raise NobodyThereError(
            f"what answers on {path} is no simulator; name the socket of corneum-sim serve "
            "--control"
        ) from error
    except OSError as error:
        raise NobodyThereError(
            f"the control socket {path} could not be used ({error}), so that it is not known "
            "whether a simulator runs there; look whether its process still answers, and try again"
        ) from error
