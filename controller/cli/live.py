"""The live view of a treatment: what a practitioner wants at a glance, drawn from one snapshot."""

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from controller.cli.output import text
from controller.cli.words import (
    IDENTIFIED,
    READING_OLD_MS,
    bar,
    quantity,
    reading_words,
    share,
    state_words,
    unit_words,
)
from controller.kernel.snapshot import AlarmView, LiveView, Snapshot, TreatmentView, ZoneView

STATE_STYLE = {"active": "bold green", "tripped": "bold white on red", "armed": "bold yellow"}
ZONE_MARK = {"waiting": "·", "current": "▶", "done": "✓", "skipped": "-"}
PRIORITY_STYLE = {"high": "bold white on red", "medium": "black on yellow", "low": "cyan"}
OLD_STYLE = "bold white on red"


def render(
    snapshot: Snapshot,
    *,
    hint: str = "p pauses, Ctrl-C ends the treatment in order.",
    quiet_s: float = 0.0,
) -> RenderableType:
    """Return the whole view; ``quiet_s`` is how long ago the kernel sent it, 0 for just now."""
    treatment = snapshot.treatment
    ages = _ages(snapshot, quiet_s)
    if treatment is None:
        return Group(Text("no treatment"), *ages, *_alarms(snapshot), text(hint, "dim"))
    body: list[RenderableType] = [_state_line(snapshot), _zones(treatment)]
    if snapshot.live is not None:
        body.append(_live(snapshot.live))
    body += [*ages, *_alarms(snapshot)]
    body.append(text(hint, "dim"))
    return Panel(
        Group(*body), title=_title(snapshot, treatment), title_align="left", padding=(1, 2)
    )


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
    line = Text(_state_words(snapshot), style=style)
    message = snapshot.treatment.message if snapshot.treatment else None
    if message:
        line.append_text(text(f"  {message}", "not bold"))
    return line


def _state_words(snapshot: Snapshot) -> str:
    return state_words(snapshot.state, {alarm.code for alarm in snapshot.alarms})


def _zones(treatment: TreatmentView) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("", "zone", "time on skin", "exposure bound of cap", "crystals", "suction"):
        table.add_column(name, header_style="dim", no_wrap=True)
    for zone in treatment.zones:
        table.add_row(*_zone_cells(zone), style="" if zone.state == "current" else "dim")
    return table


def _zone_cells(zone: ZoneView) -> tuple[RenderableType, ...]:
    return (
        ZONE_MARK.get(zone.state, zone.state),
        text(zone.display),
        f"{bar(zone.contact_s, zone.budget_s)} {zone.contact_s:3.0f} of {zone.budget_s:.0f} s",
        f"{bar(zone.bound_um, zone.cap_um)} {zone.bound_um:.2f} of {zone.cap_um:.2f} µm",
        quantity(zone.grams, "g"),
        quantity(zone.suction_kpa_mean, "kPa"),
    )


def _live(live: LiveView) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    suction = f"{quantity(live.suction_kpa, 'kPa')}  set {live.set_suction_kpa:.1f}"
    flow = f"{quantity(live.flow_g_per_min, 'g/min')}  set {live.set_flow_g_per_min:.1f}"
    table.add_row("suction", _gauge(live.suction_kpa, live.set_suction_kpa), suction, _inputs(live))
    table.add_row(
        "crystals", _gauge(live.flow_g_per_min, live.set_flow_g_per_min), flow, _valve(live)
    )
    return table


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
    return text(f"{alarm.priority.upper()} {alarm.code}: {alarm.sentence} {alarm.next_step}")


def plain_line(snapshot: Snapshot) -> Text:
    """Return one line for a log or a pipe."""
    treatment = snapshot.treatment
    state = _state_words(snapshot)
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
    return next((zone for zone in zones if zone.state == "current"), None)
