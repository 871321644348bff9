"""Writing a small file in one step: whoever reads it finds the older text or the newer one."""

import contextlib
import os
from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Put ``text`` in the place of a file that only its owner may read, durable and in one step.

    Raises:
        OSError: it cannot be written; what lay there still does, and nothing lies beside it.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, text.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        fresh.replace(path)
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink()
