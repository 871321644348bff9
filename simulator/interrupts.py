"""Ctrl-C where nothing is under way: the process ends at once, also in the middle of an import.

An exception in the middle of an import may be swallowed, or told as a traceback by whoever was
interrupted. So the program begins with `end_at_once`, and a command that has begun what must be
ended in order asks for the exception with `unwind`.
"""

import _signal  # type: ignore[import-not-found]  # of `signal`, without 3 ms of imports
import os

INTERRUPTED = 130
"""The exit code of Ctrl-C, as shells have it: 128 and the number of SIGINT."""


def end_at_once() -> None:
    """Let Ctrl-C end this process from now on; a caller that wants it ignored has its way."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _end)


def unwind() -> None:
    """Let Ctrl-C be a KeyboardInterrupt from now on, so that what was begun is ended."""
    if _signal.getsignal(_signal.SIGINT) is _end:
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)


def _end(_number: int, _frame: object) -> None:
    os._exit(INTERRUPTED)
