"""The keys of the terminal during a live view: read one by one, without their echo.

Only the job in the foreground may touch its terminal: one in the background would be stopped by the
system for trying, and with it the treatment that it leads.
"""

import asyncio
import contextlib
import os
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from typing import Any, Final

KEYS_MAX: Final = 64
"""Keys that are read at a time."""

_LOCAL_FLAGS: Final = 3  # index of c_lflag in what tcgetattr returns


@contextlib.contextmanager
def keys(pressed: Callable[[str], None]) -> Iterator[None]:
    """Call ``pressed`` with each key while inside; does nothing where there is no keyboard."""
    descriptor = _keyboard()
    if descriptor is None:
        yield
        return
    keyboard, loop = _Keyboard(descriptor, pressed), asyncio.get_running_loop()
    keyboard.quiet()
    loop.add_reader(descriptor, keyboard.read)
    loop.add_signal_handler(signal.SIGCONT, keyboard.quiet)  # a shell sets modes of its own
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGCONT)
        loop.remove_reader(descriptor)
        keyboard.restore()


class _Keyboard:
    def __init__(self, descriptor: int, pressed: Callable[[str], None]) -> None:
        self._descriptor = descriptor
        self._pressed = pressed
        self._before = termios.tcgetattr(descriptor)

    def quiet(self) -> None:
        """Take keys without Enter and without echo; Ctrl-C and Ctrl-Z stay what they are."""
        before = self._before
        flags = before[_LOCAL_FLAGS] & ~(termios.ECHO | termios.ICANON | termios.ECHOCTL)
        self._set([*before[:_LOCAL_FLAGS], flags, *before[_LOCAL_FLAGS + 1 :]])

    def restore(self) -> None:
        """Leave the terminal as it was."""
        self._set(self._before)

    def read(self) -> None:
        """Read what was pressed."""
        if not _is_foreground(self._descriptor):
            return
        try:
            data = os.read(self._descriptor, KEYS_MAX)
        except OSError:
            data = b""
        if not data:  # the terminal has gone: a hang-up tells of it
            asyncio.get_running_loop().remove_reader(self._descriptor)
        for key in data.decode("ascii", "ignore"):
            self._pressed(key)

    def _set(self, attributes: list[Any]) -> None:
        if _is_foreground(self._descriptor):
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._descriptor, termios.TCSANOW, attributes)


def _keyboard() -> int | None:
    try:
        descriptor = sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):  # closed, or no file of the system
        return None
    return descriptor if os.isatty(descriptor) and _is_foreground(descriptor) else None


def _is_foreground(descriptor: int) -> bool:
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return False
