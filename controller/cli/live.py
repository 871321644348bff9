"""The live view of a treatment: what a practitioner wants at a glance, drawn from one snapshot.

It is drawn for the terminal as it is at that moment. What is too wide for it wraps; of what is too
high the zones that nobody treats now become a line that counts them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.segment import SegmentLines
from rich.text import Text

from controller.api.snapshot import AlarmView, LiveView, Snapshot, TreatmentView, ZoneView
from controller.cli.output import text
from controller.cli.sheet import Sheet
from controller.cli.words import (
    IDENTIFIED,
    READING_OLD_MS,
    alarm_words,
    bar,
    quantity,
    reading_words,
    share,
    state_words,
    unit_words,
)

STATE_STYLE = {"active": "bold green", "tripped": "bold white on red", "armed": "bold yellow"}
CURRENT: Final = "current"
ZONE_MARK = {"waiting": "·", CURRENT: "▶", "done": "✓", "skipped": "-"}
PRIORITY_STYLE = {"high": "bold white on red", "medium": "black on yellow", "low": "cyan"}
OLD_STYLE = "bold white on red"

TITLE_FRAME: Final = 6
"""Columns that the frame keeps beside a title in it; a longer one stands below."""

WIDE_MIN: Final = 80
"""Columns from which the view has lines to spare above and below."""


def render(
    snapshot: Snapshot,
    *,
    hint: str = "p pauses, Ctrl-C ends the treatment in order.",
    said: str = "",
    quiet_s: float = 0.0,
) -> RenderableType:
    """Return the whole view.

    ``said`` is what was told last, ``hint`` what the keys do now, and ``quiet_s`` how long ago the
    kernel sent the snapshot, 0 for just now.
    """
    treatment = snapshot.treatment
    ages = _ages(snapshot, quiet_s)
    last = [text(words, style) for words, style in ((said, ""), (hint, "dim")) if words]
    if treatment is None:
        return Group(Text("no treatment"), *ages, *_alarms(snapshot), *last)
    return _View(snapshot, treatment, ages, last)


@dataclass(frozen=True, slots=True)
class _View:
    """A treatment on a terminal of any size."""

    snapshot: Snapshot
    treatment: TreatmentView
    ages: Sequence[RenderableType]
    last: Sequence[RenderableType]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the view with all zones where it is not too high, else with the current one."""
        whole = self._drawn(options.max_width, self.treatment.zones)
        lines = console.render_lines(whole, options, pad=False)
        if not console.is_terminal or len(lines) <= options.size.height:
            yield SegmentLines(lines, new_lines=True)
        else:
            current = [zone for zone in self.treatment.zones if zone.state == CURRENT]
            yield self._drawn(options.max_width, current)

    def _drawn(self, width: int, zones: Sequence[ZoneView]) -> Panel:
        title = _title(self.snapshot, self.treatment)
        fits = cell_len(title.plain) <= width - TITLE_FRAME
        body: list[RenderableType] = [] if fits else [title]
        body += [_state_line(self.snapshot), *_alarms(self.snapshot), _zones(zones)]
        left_out = [zone.state for zone in self.treatment.zones if zone not in zones]
        if left_out:
            counts = (f"{count} {state}" for state, count in Counter(left_out).items())
            body.append(Text(f"… {', '.join(counts)}", style="dim"))
        if self.snapshot.live is not None:
            body.append(_live(self.snapshot.live))
        body += [*self.ages, *self.last]
        padding = (1 if width >= WIDE_MIN else 0, 1)
        shown = title if fits else None
        return Panel(Group(*body), title=shown, title_align="left", padding=padding)


def _ages(snapshot: Snapshot, quiet_s: float) -> list[Text]:
    """How old what is shown is: from the unit to the kernel, and from there to this screen."""
    live, there = snapshot.live, snapshot.link.state == IDENTIFIED
    said = text(unit_words(snapshot.unit, snapshot.link), "dim" if there else OLD_STYLE)
    if live is not None:
        fresh = live.age_ms <= READING_OLD_MS
        said.append_text(text(f", {reading_words(live)}", "" if fresh else OLD_STYLE))
    return [text(quiet_words(quiet_s), OLD_STYLE), said] if quiet_s > 0.0 else [said]


def quiet_words(quiet_s: float) -> str:
    """Say that the kernel tells nothing any more, so that what is shown is what was."""
    return f"OLD: the kernel has sent nothing for {quiet_s:.0f} s"


def _title(snapshot: Snapshot, treatment: TreatmentView) -> Text:
    title = text(f"{treatment.display_name} for {treatment.client}", "bold")
    if snapshot.unit is not None:
        title.append(f"  unit {snapshot.unit.serial}", style="dim")
    if treatment.simulated:
        title.append("  SIMULATED", style="bold magenta")
    return title


def _state_line(snapshot: Snapshot) -> Text:
    style = STATE_STYLE.get(snapshot.state, "bold")
    line = Text(state_words(snapshot), style=style)
    message = snapshot.treatment.message if snapshot.treatment else None
    if message:
        line.append_text(text(f"  {message}", "not bold"))
    return line


def _zones(zones: Sequence[ZoneView]) -> Sheet:
    names = ("", "zone", "time on skin", "exposure bound of cap", "crystals", "suction")
    rows = [_zone_cells(zone) for zone in zones]
    styles = ["" if zone.state == CURRENT else "dim" for zone in zones]
    return Sheet(names, rows, styles, name_at=1, framed=False)


def _zone_cells(zone: ZoneView) -> tuple[str, ...]:
    return (
        ZONE_MARK.get(zone.state, zone.state),
        zone.display,
        f"{bar(zone.contact_s, zone.budget_s)} {zone.contact_s:3.0f} of {zone.budget_s:.0f} s",
        f"{bar(zone.bound_um, zone.cap_um)} {zone.bound_um:.2f} of {zone.cap_um:.2f} µm",
        quantity(zone.grams, "g"),
        quantity(zone.suction_kpa_mean, "kPa"),
    )


def _live(live: LiveView) -> Sheet:
    suction = f"{quantity(live.suction_kpa, 'kPa')}  set {live.set_suction_kpa:.1f}"
    flow = f"{quantity(live.flow_g_per_min, 'g/min')}  set {live.set_flow_g_per_min:.1f}"
    rows = (
        ("suction", _gauge(live.suction_kpa, live.set_suction_kpa), suction, _inputs(live)),
        ("crystals", _gauge(live.flow_g_per_min, live.set_flow_g_per_min), flow, _valve(live)),
    )
    return Sheet(("",) * len(rows[0]), rows, framed=False)


def _gauge(value: float | None, target: float) -> str:
    return bar(value or 0.0, target * 1.25)


def _inputs(live: LiveView) -> str:
    contact = "on skin" if live.contact else "lifted"
    switch = "switch pressed" if live.switch else "switch released"
    return f"{contact}, {switch}"


def _valve(live: LiveView) -> str:
    valve = "shut" if live.valve_percent <= 1.0 else f"{live.valve_percent:.0f} % open"
    return f"valve {valve}, lease {live.lease_left_ms} ms"


def _alarms(snapshot: Snapshot) -> list[Text]:
    return [_alarm(alarm.priority, alarm.sentence, alarm.next_step) for alarm in snapshot.alarms]


def _alarm(priority: str, sentence: str, next_step: str) -> Text:
    style = PRIORITY_STYLE.get(priority.lower(), "bold")
    said = Text.assemble((f" {priority.upper()} ", style))
    return said.append_text(text(f" {sentence} ")).append_text(text(next_step, "bold"))


def alarm_line(alarm: AlarmView) -> Text:
    """Return an alarm as one line."""
    return text(alarm_words(alarm))


def plain_line(snapshot: Snapshot) -> Text:
    """Return one line for a log or a pipe."""
    treatment = snapshot.treatment
    state = state_words(snapshot)
    current = _current(treatment)
    if snapshot.unit is not None and snapshot.link.state != IDENTIFIED:
        state = f"{state} · {unit_words(snapshot.unit, snapshot.link)}"
    if current is None or snapshot.live is None:
        return text(state)
    live, done = snapshot.live, 100.0 * share(current.contact_s, current.budget_s)
    time = f"{done:.0f} % ({current.contact_s:.0f} of {current.budget_s:.0f} s)"
    exposure = f"exposure {current.bound_um:.2f} of {current.cap_um:.2f} µm"
    suction = f"suction {quantity(live.suction_kpa, 'kPa')} (set {live.set_suction_kpa:.1f})"
    flow = f"crystals {quantity(live.flow_g_per_min, 'g/min')} (set {live.set_flow_g_per_min:.1f})"
    old = f" · {reading_words(live)}" if live.age_ms > READING_OLD_MS else ""
    return text(f"{state} · {current.display} {time} · {exposure} · {suction} · {flow}{old}")


def current_zone(snapshot: Snapshot) -> str:
    """Return the name of the zone under treatment, or nothing."""
    zone = _current(snapshot.treatment)
    return zone.zone if zone else ""


def _current(treatment: TreatmentView | None) -> ZoneView | None:
    zones = treatment.zones if treatment else ()
    return next((zone for zone in zones if zone.state == CURRENT), None)
