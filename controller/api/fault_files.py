"""The file that a fault of our own leaves for support: where it arose, and nothing of a client.

A fault is an exception that nobody expected and that the environment does not explain (`trouble`).
The file has the frames and the kind of the error. Of its text quoted parts, numbers and what was
asked for are left out, because they may be a client's. The number of files is bounded.
"""

import contextlib
import errno
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from controller.config.paths import NoStateFolderError, state_dir

FAULT: Final = "fault"
"""The code of an answer that calls itself a fault of our own."""

FOLDER: Final = "faults"
"""Of the state folder."""

FILES_MAX: Final = 20
"""Files in the folder; the oldest goes for a new one."""

FILE_MAX_CHARS: Final = 32_768
FRAMES_MAX: Final = 40
ERRORS_MAX: Final = 8
"""Causes and members of a group that are told."""

TEXT_MAX_CHARS: Final = 300
PRIVATE_MIN_CHARS: Final = 3
"""Shorter words of a request are in every text, and name nobody."""

LEFT_OUT: Final = "..."
NAMED_PARTS: Final = 3
"""So much of the end of a source file's path is told: the beginning names whose computer it is."""


def fault_sentence(error: BaseException, program: str) -> str:
    """Say that an error is a fault of ours, which kind, and where."""
    place = place_of(error)
    at = f" at {place}" if place else ""
    return f"This is a fault of {program} itself and no mistake of yours: {kind_of(error)}{at}."


def support_step(path: Path | None) -> str:
    """Say what to do about a fault: its file goes to support."""
    if path is None:
        return "Give this sentence to support: no file about it could be written."
    return f"Give the file {path} to support."


def place_of(error: BaseException) -> str:
    """Return where in our sources an error arose: file and line, or nothing."""
    trace = error.__traceback__
    if isinstance(error, BaseExceptionGroup):
        return place_of(error.exceptions[0])
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{_end_of(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"


def kind_of(error: BaseException) -> str:
    """Return the name of the error's class; that of the first member for a group."""
    if isinstance(error, BaseExceptionGroup):
        return kind_of(error.exceptions[0])
    return type(error).__name__


class Files:
    """The files that the faults of one process leave, one for each place of our sources."""

    def __init__(self, program: str, named: str | Path | None = None) -> None:
        """``named`` is the state folder where the command line names one."""
        self._program = program
        self._named = named
        self._left: dict[str, Path | None] = {}
        self._writing = threading.Lock()

    def leave(self, error: BaseException, doing: str, private: Iterable[str] = ()) -> Path | None:
        """Write the file of a fault and return its path; None where it cannot be written.

        ``private`` is what was asked for: none of these words stands in the file. A fault at a
        place that has its file already gets no other. Takes as long as the disk does.
        """
        key = f"{kind_of(error)} {place_of(error)}"
        with self._writing:
            if self._left.get(key) is None and len(self._left) < FILES_MAX:
                text = _text(error, self._program, doing, tuple(private))
                self._left[key] = _written(text, _folders(self._named))
            return self._left.get(key)


def _folders(named: str | Path | None) -> Iterator[Callable[[], Path]]:
    """Yield the folders to try: that of the state where there is one, else a temporary one."""

    def in_state() -> Path:
        state = state_dir(named)
        state.stat()  # a state folder is made by who keeps a record in it
        return _made(state / FOLDER)

    def in_temporary() -> Path:
        import tempfile  # noqa: PLC0415 - a start without a fault needs none

        return _made(Path(tempfile.gettempdir()) / f"corneum-{FOLDER}-{os.getuid()}")

    yield in_state
    yield in_temporary


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    seen = folder.lstat()
    if folder.is_symlink() or seen.st_uid != os.getuid():
        raise PermissionError(errno.EPERM, "it belongs to somebody else", str(folder))
    return folder


def _written(text: str, folders: Iterable[Callable[[], Path]]) -> Path | None:
    for folder in folders:
        with contextlib.suppress(OSError, NoStateFolderError):
            return _write(text, folder())
    return None


def _write(text: str, folder: Path) -> Path:
    from datetime import UTC, datetime  # noqa: PLC0415 - a start without a fault needs none

    known = sorted(folder.glob("fault-*.txt"))
    for oldest in known[: max(0, len(known) + 1 - FILES_MAX)]:
        with contextlib.suppress(OSError):
            oldest.unlink()
    now = datetime.now(UTC)
    path = folder / f"fault-{now:%Y%m%dT%H%M%S%f}-{os.getpid()}.txt"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8", errors="replace") as file:
        file.write(f"written: {now.isoformat(timespec='seconds')}\n{text}"[:FILE_MAX_CHARS])
    return path


def _text(error: BaseException, program: str, doing: str, private: tuple[str, ...]) -> str:
    from controller.api.software import running_software  # noqa: PLC0415 - reads metadata

    lines = [
        "A fault of Corneum's own, for support. No client and no setting is named in here.",
        f"program: {program}, {doing}",
        f"versions: corneum {running_software().corneum}, Python {sys.version.split()[0]}, "
        f"{os.uname().sysname} {os.uname().release}",
    ]
    for one, how in _errors(error):
        lines += ["", f"{how}{type(one).__name__}: {_masked(_words_of(one), private)}"]
        lines += _frames(one)
    return "\n".join(lines) + "\n"


def _errors(error: BaseException) -> Iterator[tuple[BaseException, str]]:
    """Yield an error with its causes and members, each once, and how it belongs to the others."""
    waiting: list[tuple[BaseException, str]] = [(error, "")]
    seen: set[int] = set()
    while waiting and len(seen) < ERRORS_MAX:
        one, how = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one, how
        if isinstance(one, BaseExceptionGroup):
            waiting += [(member, "member: ") for member in one.exceptions]
        if one.__cause__ is not None:
            waiting.append((one.__cause__, "because of "))
        elif one.__context__ is not None and not one.__suppress_context__:
            waiting.append((one.__context__, "while handling "))


def _frames(error: BaseException) -> list[str]:
    found = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"  {_end_of(code.co_filename)}:{trace.tb_lineno} in {code.co_qualname}")
        trace = trace.tb_next
    left = len(found) - FRAMES_MAX
    return found if left <= 0 else [f"  {left} frames before", *found[left:]]


def _end_of(file_name: str) -> str:
    return "/".join(Path(file_name).parts[-NAMED_PARTS:])


def _words_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - whatever an error is, its file is written
        return "it cannot say what it is about"


def _masked(text: str, private: tuple[str, ...]) -> str:
    import re  # noqa: PLC0415 - a start without a fault needs none

    for word in sorted(private, key=len, reverse=True):
        if len(word) >= PRIVATE_MIN_CHARS:
            text = text.replace(word, LEFT_OUT)
    masked = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"|`[^`\n]*`|\d+", LEFT_OUT, text)
    return " ".join(masked.split())[:TEXT_MAX_CHARS]
