"""The boundary of ``corneum-sim``: whatever comes out of it is a sentence, a code, and an object.

A mistake of a person or of the system is one sentence on standard error, with ``--json`` an object
on standard output, and an exit code. A fault of our own is called so and leaves a file for support.
Nobody ever reads a traceback. The controller has a boundary like this one; neither may import the
other, and the exit codes are the same.
"""

import contextlib
import errno
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NoReturn, cast

import typer

from simulator import fault_file, interrupts, output
from simulator.refusals import PORT, USAGE

NAME: Final = "corneum-sim"
FAULT: Final = 70
"""A fault of our own: EX_SOFTWARE of sysexits.h."""

Told = tuple[str, str]
"""A sentence, and what to do next."""

SHORT_OF: Final[Mapping[int | None, Told]] = MappingProxyType(
    {
        errno.EMFILE: ("This process may open no more files.", "Raise its limit: ulimit -n."),
        errno.ENFILE: ("This computer may open no more files.", "Close other programs."),
        errno.ENOMEM: ("This computer has no memory left.", "Close other programs."),
        errno.ENOSPC: ("The disk is full.", "Free space on it."),
        errno.EDQUOT: ("This account may use no more of the disk.", "Free space on it."),
        errno.EIO: ("A disk or line reports an error.", "The system's log names it."),
        errno.ENOENT: ("The folder in which this was started is gone.", "Go to another one."),
    }
)
"""What the system says without naming a file."""


def run(command: Callable[[], int | None]) -> NoReturn:
    """Run ``command`` and leave with its exit code; what went wrong has been told."""
    sys.exit(ended(command))


def ended(command: Callable[[], int | None]) -> int:
    """Run ``command`` and return its exit code; what went wrong has been told."""
    try:
        with _loose_ends_told():
            return int(command() or 0)
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - nothing that ends a command is a traceback
        return _told(error)
    finally:
        interrupts.end_at_once()


def typed(app: typer.Typer) -> int:
    """Run the command line of ``app`` and return its exit code."""
    return int(app(prog_name=NAME, standalone_mode=False) or 0)


def _told(error: BaseException) -> int:
    if _is_interrupt(error):
        return interrupts.INTERRUPTED
    if isinstance(error, _USAGE_ERROR):
        return _tell(*_misuse(error), "usage", USAGE)
    if isinstance(error, output.LostError):
        if not error.reader_gone:  # `| head` has read what it wanted
            output.complain(f"{error} Send it to a terminal or to a disk with room.")
        return PORT
    refused = _system_says(error)
    if refused is not None:
        return _tell(*refused, "environment", PORT)
    return _tell(*_fault(error), "fault", FAULT)


def _tell(sentence: str, step: str, kind: str, code: int) -> int:
    output.complain(f"{sentence} {step}".strip())
    if "--json" in sys.argv[1:]:
        problem = {"code": kind, "sentence": sentence, "next_step": step, "receipt": None}
        with contextlib.suppress(output.LostError):
            sys.stdout.write(json.dumps({"error": problem}) + "\n")
    return code


_USAGE_ERROR: Final = cast("type[Exception]", typer.BadParameter.__base__)
"""That of click, in whatever place typer keeps it."""


def _misuse(error: Any) -> Told:  # noqa: ANN401 - click's, see above
    context = getattr(error, "ctx", None)
    path = NAME if context is None else str(context.command_path)
    words = str(error.format_message())
    if "\n" in words:  # a command that needs one more word has shown all of them
        return words, ""
    sentence = words if words.endswith((".", "?")) else f"{words}."
    return sentence, f"`{path} --help` shows what there is."


def _is_interrupt(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(_is_interrupt(one) for one in error.exceptions)
    return isinstance(error, KeyboardInterrupt | typer.Abort)


def _system_says(error: BaseException) -> Told | None:
    """Return what the system refused, and what to do; None for a fault of our own."""
    if isinstance(error, MemoryError):
        return SHORT_OF[errno.ENOMEM]
    if not isinstance(error, OSError):
        return None
    if error.filename is None:
        return SHORT_OF.get(error.errno)
    why = error.strerror or error
    return f"{error.filename} cannot be used ({why}).", "Check the path and its rights."


def _fault(error: BaseException) -> Told:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    place, path = fault_file.place_of(error), fault_file.leave(error, NAME)
    at = f" at {place}" if place else ""
    step = "Give this sentence to support: no file about it could be written."
    if path is not None:
        step = f"Give the file {path} to support."
    kind = type(error).__name__
    return f"This is a fault of {NAME} itself and no mistake of yours: {kind}{at}.", step


@contextlib.contextmanager
def _loose_ends_told() -> Iterator[None]:
    """Tell what fails beside the command, in a thread or a callback of a loop, as a fault."""

    def loose(error: BaseException | None) -> None:
        if isinstance(error, Exception):  # else an interrupt, or a task that ended with its loop
            output.complain(" ".join(_fault(error)))

    class _Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info:
                loose(record.exc_info[1])
            else:
                output.complain(record.getMessage())

    log, heard = logging.getLogger(), _Heard(logging.WARNING)
    before = (threading.excepthook, sys.unraisablehook)
    threading.excepthook = lambda said: loose(said.exc_value)
    sys.unraisablehook = lambda said: loose(said.exc_value)
    log.addHandler(heard)
    try:
        yield
    finally:
        log.removeHandler(heard)
        threading.excepthook, sys.unraisablehook = before
