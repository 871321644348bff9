"""The file that a fault of our own leaves for support: the frames of an exception, and no more.

What an error says may be a client's or name a computer, so that only its kind is written. The
folder is a temporary one: a simulator keeps no record and has no other. Files are bounded.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

FILES_MAX: Final = 20
"""Files in the folder; the oldest goes for a new one."""

ERRORS_MAX: Final = 8
"""Causes that are told."""

NAMED_PARTS: Final = 3
"""So much of the end of a source file's path is told: the beginning names whose computer it is."""

_left: Final[dict[str, Path | None]] = {}
"""What this process has left already: one file for each kind and place."""


def place_of(error: BaseException) -> str:
    """Return where an error arose, as file and line; nothing where it never was raised."""
    frames = _frames(error)
    return frames[-1].partition(" in ")[0].strip() if frames else ""


def leave(error: BaseException, program: str) -> Path | None:
    """Write the file of a fault and return its path; None where it cannot be written."""
    key = f"{type(error).__name__} {place_of(error)}"
    if key not in _left and len(_left) < FILES_MAX:
        _left[key] = _written(error, program)
    return _left.get(key)


def _written(error: BaseException, program: str) -> Path | None:
    folder = Path(tempfile.gettempdir()) / f"corneum-faults-{os.getuid()}"
    now = datetime.now(UTC)
    path = folder / f"fault-{now:%Y%m%dT%H%M%S%f}-{os.getpid()}.txt"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink() or folder.lstat().st_uid != os.getuid():
            return None  # it belongs to somebody else
        for oldest in sorted(folder.glob("fault-*.txt"))[: 1 - FILES_MAX]:
            oldest.unlink()
        with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(f"written: {now.isoformat(timespec='seconds')}\n{_text(error, program)}")
    except OSError:
        return None
    return path


def _text(error: BaseException, program: str) -> str:
    lines = [
        "A fault of Corneum's own, for support. No client and no setting is named in here.",
        f"program: {program}, Python {sys.version.split()[0]}, {sys.platform}",
    ]
    for one in _errors(error):
        lines += ["", type(one).__name__, *_frames(one)]
    return "\n".join(lines) + "\n"


def _errors(error: BaseException) -> Iterator[BaseException]:
    """Yield an error with its causes and members."""
    waiting = [error]
    for _ in range(ERRORS_MAX):
        if not waiting:
            return
        one = waiting.pop(0)
        yield one
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
        cause = one.__cause__ or one.__context__
        waiting += [] if cause is None else [cause]


def _frames(error: BaseException) -> list[str]:
    found, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        name = "/".join(Path(code.co_filename).parts[-NAMED_PARTS:])
        found.append(f"  {name}:{trace.tb_lineno} in {code.co_qualname}")
        trace = trace.tb_next
    return found
