"""Where a treatment is shown: a live view on a terminal, lines in a pipe, data for scripts."""

import contextlib
import sys
import termios
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.live import Live

from controller.cli import live, summary
from controller.kernel.snapshot import Snapshot

LINE_PERIOD_S: Final = 5.0
"""A line in a pipe every so often, and at every change of state."""
REFRESH_PER_S: Final = 8.0


class Screen:
    """Shows snapshots as they come. With ``as_json`` everything but data goes to standard error."""

    def __init__(self, *, as_json: bool) -> None:
        self._console = Console(file=sys.stderr if as_json else sys.stdout, highlight=False)
        self._as_json = as_json
        self._live: Live | None = None
        self._terminal = contextlib.ExitStack()
        self._hint = "Ctrl-C ends the treatment in order."
        self._said_state = ""
        self._said_at_s = -LINE_PERIOD_S

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._terminal.enter_context(_without_echo_of_keys())
            self._live = Live(console=self._console, refresh_per_second=REFRESH_PER_S)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
        self._terminal.close()

    def show(self, snapshot: Snapshot) -> None:
        """Show where the treatment stands."""
        if self._live is not None:
            self._live.update(live.render(snapshot, hint=self._hint))
            return
        now_s = time.monotonic()
        key = f"{snapshot.state} {live.current_zone(snapshot)}"
        if key != self._said_state or now_s - self._said_at_s >= LINE_PERIOD_S:
            self._said_state, self._said_at_s = key, now_s
            self._console.print(live.plain_line(snapshot), soft_wrap=True)

    def say(self, words: str) -> None:
        """Tell the person something now."""
        self._hint = words
        if self._live is None:
            self._console.print(words)

    def finish(self, snapshot: Snapshot) -> None:
        """Show the summary; with ``as_json`` the data says it all."""
        if not self._as_json:
            summary.show(self._console, snapshot)


@contextlib.contextmanager
def _without_echo_of_keys() -> Iterator[None]:
    """Keep the terminal from printing ^C into the view, which would shift it by a line."""
    if not sys.stdin.isatty():
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    quiet = [*before[:3], before[3] & ~termios.ECHOCTL, *before[4:]]
    termios.tcsetattr(descriptor, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
