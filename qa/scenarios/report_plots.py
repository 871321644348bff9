"""The plots of one run as SVG, drawn by matplotlib (the extra ``reports``)."""

import importlib.util
import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from qa.scenarios.story import Played, Story
from qa.scenarios.timeline import Timeline, Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH_IN: Final = 10.0
HEIGHT_IN: Final = 7.2
LANES: Final = (
    # Subject, and the value that makes it a bar; "" shows every value.
    ("valve", "open"),
    ("tip", "on-skin"),
    ("switch", "pressed"),
    ("mode", ""),
    ("state", ""),
    ("trip", ""),
    ("kernel", ""),
    ("line", ""),
)
UNREMARKABLE: Final = {"kernel": "running", "line": "whole"}
INK: Final = "#37474f"
BLUE: Final = "#1565c0"
COLOURS: Final = {
    "valve": "#1565c0", "tip": "#6d4c41", "switch": "#2e7d32", "mode": "#b0bec5",
    "state": "#cfd8dc", "trip": "#ef9a9a", "kernel": "#ffcc80", "line": "#ffe082",
    "fault": "#ef5350",
}  # fmt: skip
BAR: Final = 0.8


def can_draw() -> bool:
    """Return True where matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def plots(played: Played) -> str:
    """Return suction, flow, exposure per zone, and states and faults over time, as one SVG."""
    import matplotlib as mpl  # noqa: PLC0415  half a second that only a report needs
    from matplotlib.figure import Figure  # noqa: PLC0415

    settings: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": played.scenario.name,
        "font.size": 8.0,
    }
    with mpl.rc_context(settings):
        figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), layout="constrained")
        axes = figure.subplots(
            4, 1, sharex=True, gridspec_kw={"height_ratios": [1.0, 1.0, 1.0, 1.9]}
        )
        _suction(axes[0], played.story)
        _flow(axes[1], played.story)
        _exposure(axes[2], played)
        _lanes(axes[3], played.story.timeline)
        for each in axes[:3]:
            each.grid(visible=True, linewidth=0.3)
            each.set_ylim(bottom=0.0)
        axes[3].set_xlim(0.0, max(played.virtual_s, 1.0))
        axes[3].set_xlabel("seconds since power-on")
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]


def _suction(axes: "Axes", story: Story) -> None:
    axes.plot(_times(story), [each.suction_kpa for each in story.samples], color=BLUE, lw=0.8)
    axes.set_ylabel("suction, kPa")


def _flow(axes: "Axes", story: Story) -> None:
    axes.plot(_times(story), [each.flow_g_per_min for each in story.samples], color=BLUE, lw=0.8)
    axes.set_ylabel("crystals, g/min")


def _times(story: Story) -> list[float]:
    return [sample.t_s for sample in story.samples]


def _exposure(axes: "Axes", played: Played) -> None:
    """The bound of each zone as a line, its nominal value dotted, its cap dashed."""
    for number, ((treatment, zone), doses) in enumerate(sorted(played.story.doses.items())):
        colour = f"C{number % 10}"
        times = [*(dose.t_s for dose in doses), played.virtual_s]
        bounds = [dose.bound_um for dose in doses]
        nominal = [dose.nominal_um for dose in doses]
        label = zone if treatment == 1 else f"{zone} ({treatment})"
        axes.step(times, [*bounds, bounds[-1]], where="post", color=colour, lw=1.0, label=label)
        axes.step(times, [*nominal, nominal[-1]], where="post", color=colour, lw=0.7, ls=":")
        axes.axhline(doses[-1].cap_um, color=colour, lw=0.7, ls="--")
    if played.story.doses:
        axes.legend(loc="upper left", fontsize=7, frameon=False)
    axes.set_ylabel("exposure, µm")


def _lanes(axes: "Axes", timeline: Timeline) -> None:
    faults = sorted(
        {
            name
            for _, value in timeline.values["fault"]
            if not isinstance(value, str)
            for name in value
        }
    )
    names = [subject for subject, _ in LANES] + faults
    for row, (subject, wanted) in enumerate(LANES):
        _bars(axes, row, subject, wanted, timeline)
    for row, fault in enumerate(faults, len(LANES)):
        pairs = [(t_s, fault if fault in value else "") for t_s, value in timeline.values["fault"]]
        for begin_s, end_s, _ in _runs(pairs, timeline.end_s):
            axes.barh(row, end_s - begin_s, BAR, begin_s, color=COLOURS["fault"])
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)


def _bars(axes: "Axes", row: int, subject: str, wanted: str, timeline: Timeline) -> None:
    for begin_s, end_s, value in _runs(timeline.values[subject], timeline.end_s):
        if (wanted and value != wanted) or value == UNREMARKABLE.get(subject):
            continue
        axes.barh(row, end_s - begin_s, BAR, begin_s, color=COLOURS[subject], ec="white", lw=0.5)
        if not wanted and end_s - begin_s > 0.012 * len(value) * timeline.end_s:
            middle_s = (begin_s + end_s) / 2
            axes.text(middle_s, row, value, ha="center", va="center", fontsize=6, color=INK)


def _runs(pairs: Sequence[tuple[float, Value]], end_s: float) -> list[tuple[float, float, str]]:
    """Return from when to when each value stood, without those that are nothing."""
    ends = [t_s for t_s, _ in pairs[1:]] + [math.inf]
    return [
        (begin_s, min(until_s, end_s), str(value))
        for (begin_s, value), until_s in zip(pairs, ends, strict=True)
        if value
    ]
