"""Where a treatment is shown: a live view on a terminal, lines in a pipe, data for scripts."""

import contextlib
import json
import sys
import time
from types import TracebackType
from typing import Final, Self

from rich.live import Live

from controller.api.snapshot import Snapshot
from controller.cli import live, output, summary
from controller.cli.footer import Footer

LINE_PERIOD_S: Final = 5.0
"""A line in a pipe every so often, and at every change of state."""

SAID_S: Final = 15.0
"""For so long a view shows what was said last; an answer to a key goes with the next state."""


class Screen:
    """Shows snapshots as they come. With ``as_json`` everything but data goes to standard error.

    What cannot be written is a LostError.
    """

    def __init__(self, *, as_json: bool, footer: Footer, stream_data: bool = False) -> None:
        self.ending = 0
        """How often somebody asked the command to end."""
        self._file = sys.stderr if as_json and not stream_data else sys.stdout
        self._console = output.console(self._file)
        self._as_json = as_json
        self._data = stream_data
        self._live: Live | None = None
        self._footer = footer
        self._words = ""
        self._words_until_s = 0.0
        self._words_of: str | None = None
        """The state for which they were said; None for words of any state."""
        self._state = ""
        self._said_state = ""
        self._said_quiet = False
        self._said_at_s = -LINE_PERIOD_S

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._data:
            # Without a thread of its own: what was confirmed as shown has been written by then.
            self._live = Live(console=self._console, auto_refresh=False)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            with contextlib.suppress(output.LostError):
                self._live.stop()
            self._live = None

    @property
    def takes_more(self) -> bool:
        """Whether anything can be shown now; False while its reader or its terminal stands still.

        Raises:
            LostError: the reader has gone.
        """
        return output.takes_more(self._file)

    def show(self, snapshot: Snapshot) -> None:
        """Show where the treatment stands."""
        self._said_quiet = False
        now_s = time.monotonic()
        if self._live is not None:
            self._state = f"{snapshot.state} {' '.join(alarm.code for alarm in snapshot.alarms)}"
            if now_s >= self._words_until_s or self._words_of not in (None, self._state):
                self._words = ""
            hint = self._footer(snapshot, self.ending)
            self._live.update(live.render(snapshot, hint=hint, said=self._words), refresh=True)
            return
        alarms = " ".join(alarm.code for alarm in snapshot.alarms)
        key = f"{snapshot.state} {snapshot.link.state} {live.current_zone(snapshot)} {alarms}"
        if key != self._said_state or now_s - self._said_at_s >= LINE_PERIOD_S:
            self._said_state, self._said_at_s = key, now_s
            if self._data:
                self._console.print(json.dumps(snapshot.as_dict()), soft_wrap=True)
                return
            self._console.print(live.plain_line(snapshot), soft_wrap=True)
            for alarm in snapshot.alarms:
                self._console.print(live.alarm_line(alarm), soft_wrap=True)

    def show_old(self, snapshot: Snapshot, quiet_s: float) -> None:
        """Show that nothing has come for so long: the picture that stands here is of before."""
        if self._live is not None:
            hint = self._footer(snapshot, self.ending)
            old = live.render(snapshot, hint=hint, said=self._words, quiet_s=quiet_s)
            self._live.update(old, refresh=True)
        elif not self._said_quiet:
            self._said_quiet = True
            self.say(live.quiet_words(quiet_s))

    def say(self, words: str, *, passing: bool = False) -> None:
        """Tell the person something now; what is ``passing`` is over with the state it is for."""
        self._words, self._words_until_s = words, time.monotonic() + SAID_S
        self._words_of = self._state if passing else None
        if self._live is None and not self._data:
            self._console.print(output.text(words), soft_wrap=True)
        elif self._data:
            output.complain(words)

    def finish(self, snapshot: Snapshot) -> None:
        """Show the summary; with ``as_json`` the data says it all."""
        if not self._as_json:
            summary.show(self._console, snapshot)
