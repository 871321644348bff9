"""The boundary of every command: whatever comes out of one is a sentence, a code, and an object.

A mistake of a person or of the environment is one sentence on standard error, with ``--json`` an
object on standard output, and an exit code. A fault of our own is called so, in one sentence too,
and leaves a file for support. Nobody ever reads a traceback.
"""

import contextlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

from controller.api import interrupts
from controller.api.fault_files import FAULT, Files, fault_sentence, support_step
from controller.api.trouble import trouble_of
from controller.cli import output
from controller.cli.outcome import ExitCode, Failure, failure_of, joined

if TYPE_CHECKING:
    import typer

JSON: Final = "--json"
COMMANDS: Final = 2
"""Words of a command line that may name a command; what follows may be a client's."""


def run(name: str, command: Callable[[], int | None], beside: str = "") -> NoReturn:
    """Run ``command`` of the program ``name`` and leave with its exit code.

    ``beside`` is what a person should do where it meets a fault of our own.
    """
    sys.exit(ended(name, command, beside))


def ended(name: str, command: Callable[[], int | None], beside: str = "") -> int:
    """Run ``command`` and return its exit code; what went wrong has been told."""
    files = Files(name)
    try:
        return int(command() or ExitCode.DONE)
    except SystemExit:
        raise
    except Failure as failure:
        return tell(failure)
    except BaseException as error:  # noqa: BLE001 - nothing that ends a command is a traceback
        if _is_interrupt(error):
            return ExitCode.INTERRUPTED
        return tell(_unforeseen(error, name, files, beside))
    finally:
        interrupts.end_at_once()


def typed(app: "typer.Typer", name: str) -> int:
    """Run the command line of ``app`` and return its exit code; a mistake in it is a Failure."""
    import typer  # noqa: PLC0415 - `stop` must send before that is loaded

    usage_error = cast("type[Exception]", typer.BadParameter.__base__)  # click's, in its new place
    try:
        with _loose_ends_told(name):
            return int(app(prog_name=name, standalone_mode=False) or ExitCode.DONE)
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    except usage_error as error:
        raise _misused(error, name) from error


def tell(failure: Failure) -> int:
    """Tell a failure, to people and to scripts, and return its exit code."""
    output.prepare()
    gone = isinstance(failure, output.LostError) and failure.reader_gone
    if not gone:  # `| head` has read what it wanted
        output.complain(failure.words)
    if JSON in sys.argv[1:]:
        with contextlib.suppress(output.LostError):
            sys.stdout.write(json.dumps(failure.as_object) + "\n")
    return int(failure.code)


def _misused(error: Any, name: str) -> Failure:  # noqa: ANN401 - click's, in whatever place it is
    context = getattr(error, "ctx", None)
    path = name if context is None else str(context.command_path)
    words = str(error.format_message())
    if "\n" in words:  # a command that needs one more word has shown all of them
        return Failure(words, code=ExitCode.USAGE)
    sentence = words if words.endswith((".", "?")) else f"{words}."
    return Failure(sentence, f"`{path} --help` shows what there is.", ExitCode.USAGE)


def _is_interrupt(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(_is_interrupt(one) for one in error.exceptions)
    return isinstance(error, KeyboardInterrupt)


def _unforeseen(error: BaseException, name: str, files: Files, beside: str) -> Failure:
    trouble = trouble_of(error)
    if trouble is not None:
        return failure_of(trouble)
    path = files.leave(error, _verb(), _private())
    step = joined(support_step(path), beside)
    return Failure(fault_sentence(error, name), step, ExitCode.FAULT, FAULT)


def _verb() -> str:
    """Return the command and the names of its options, without what was said to them."""
    said = [word for word in sys.argv[1 : COMMANDS + 1] if word.isalpha()]
    said += [word.partition("=")[0] for word in sys.argv[1:] if word.startswith("--")]
    return " ".join(said)


def _private() -> tuple[str, ...]:
    """Return what was said on the command line: it may name a client."""
    return tuple(part for word in sys.argv[1:] for part in word.split("=") if part)


@contextlib.contextmanager
def _loose_ends_told(name: str) -> Iterator[None]:
    """Tell what fails beside the command, in a thread or a callback of a loop, as a fault."""
    import logging  # noqa: PLC0415 - `stop` must send before that is loaded

    files, log = Files(name), logging.getLogger()

    def loose(error: BaseException | None) -> None:
        if not isinstance(error, Exception):
            return  # an interrupt, an exit, or a task that was cancelled as its loop ended
        path = files.leave(error, _verb(), _private())
        output.complain(joined(fault_sentence(error, name), support_step(path)))

    class _Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info:
                loose(record.exc_info[1])
            else:
                output.complain(record.getMessage())

    heard, before = _Heard(logging.WARNING), (threading.excepthook, sys.unraisablehook)
    threading.excepthook = lambda said: loose(said.exc_value)
    sys.unraisablehook = lambda said: loose(said.exc_value)
    log.addHandler(heard)
    try:
        yield
    finally:
        log.removeHandler(heard)
        threading.excepthook, sys.unraisablehook = before
