"""A plan as a picture on the terminal: per zone what is expected, what is bounded, what may be."""

from typing import Any, Final

from rich import box
from rich.table import Table

from controller.cli.words import share

BAR_WIDTH: Final = 30
NOMINAL: Final = "█"
BOUND: Final = "▒"
ROOM: Final = "·"
CAP: Final = "|"
LEGEND: Final = f"{NOMINAL} expected depth   {BOUND} bound of it   {ROOM} room   {CAP} cap"


def bars(zones: list[dict[str, Any]]) -> Table:
    """Return the bars of all zones on one scale, each with its numbers beside it."""
    table = Table(title=LEGEND, title_justify="left", box=box.SIMPLE, pad_edge=False)
    table.add_column("zone", min_width=18)
    table.add_column("depth, µm", no_wrap=True)
    table.add_column("expected / bound / cap", no_wrap=True, justify="right")
    widest_um = max((zone["cap_um"] for zone in zones), default=0.0)
    for zone in zones:
        nominal, bound, cap = (
            zone["expected_nominal_um"], zone["expected_bound_um"], zone["cap_um"]
        )  # fmt: skip
        numbers = f"{nominal:.2f} / {bound:.2f} / {cap:.2f}"
        table.add_row(zone["display"], bar_of(nominal, bound, cap, widest_um), numbers)
    return table


def bar_of(nominal_um: float, bound_um: float, cap_um: float, widest_um: float) -> str:
    """Return one bar; the kinds of depth differ by their marks, not by colour.

    The bound is rounded up and never passes the mark of the cap.
    """
    to_cap = max(1, round(share(cap_um, widest_um) * BAR_WIDTH))
    to_bound = min(to_cap, -int(-share(bound_um, widest_um) * BAR_WIDTH // 1))
    to_nominal = min(to_bound, round(share(nominal_um, widest_um) * BAR_WIDTH))
    filled = NOMINAL * to_nominal + BOUND * (to_bound - to_nominal)
    return filled + ROOM * (to_cap - to_bound) + CAP


def proof_table(lines: list[dict[str, Any]]) -> Table:
    """Return what was proved: each limit of each stage with its worst case and what is left."""
    table = Table(
        title="Proof: the worst case of every stage, with this unit's uncertainty and latencies",
        title_justify="left",
        box=box.SIMPLE,
        pad_edge=False,
    )
    table.add_column("stage", min_width=18)
    table.add_column("limit", no_wrap=True)
    for name in ("worst case", "may be", "margin"):
        table.add_column(name, no_wrap=True, justify="right")
    before = ""
    for line in lines:
        stage = line["display"] if line["display"] != before else ""
        before = line["display"]
        table.add_row(stage, *_cells(line))
    return table


def _cells(line: dict[str, Any]) -> tuple[str, ...]:
    label, decimals = QUANTITY_WORDS[line["quantity"]]
    numbers = (line["worst"], line["limit"], line["margin"])
    return label, *(f"{number:.{decimals}f} {line['unit']}" for number in numbers)


QUANTITY_WORDS: Final = {
    "depth_um": ("depth, bound", 2),
    "suction_kpa_s": ("suction dose", 0),
    "suction_kpa": ("suction", 1),
    "flow_g_per_min": ("crystal flow", 2),
    "contact_s": ("contact", 1),
    "dwell_s": ("in one place", 2),
}
