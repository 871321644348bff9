"""Busy processes of ordinary priority, which want all of the processor that they can get."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

END_MAX_S: Final = 5.0
SPIN: Final = "import os\nwhile os.getppid() == {parent}:\n    for _ in range(100_000): pass"
"""It looks for its parent every few milliseconds, so that none is left behind by a kill."""


@contextlib.contextmanager
def competitors(count: int) -> Iterator[None]:
    """Keep ``count`` of them while the block runs, each in a session of its own.

    Linux may share the processor among sessions first: all in one would get the share of one.
    """
    words = [sys.executable, "-c", SPIN.format(parent=os.getpid())]
    with contextlib.ExitStack() as ends:
        for _ in range(count):
            one = subprocess.Popen(words, start_new_session=True)  # noqa: S603 - ourselves
            ends.callback(one.wait, END_MAX_S)
            ends.callback(one.kill)
        yield
