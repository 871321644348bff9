"""A plan as a picture on the terminal: per zone what is expected, what is bounded, what may be."""

from typing import Any, Final

from controller.cli.sheet import Sheet
from controller.cli.words import share

BAR_WIDTH: Final = 30
NOMINAL: Final = "█"
BOUND: Final = "▒"
ROOM: Final = "·"
CAP: Final = "|"
LEGEND: Final = f"{NOMINAL} expected depth   {BOUND} bound of it   {ROOM} room   {CAP} cap"


PROOF: Final = "Proof: the worst case of every stage, with this unit's uncertainty and latencies"


def bars(zones: list[dict[str, Any]]) -> Sheet:
    """Return the bars of all zones on one scale, each with its numbers beside it."""
    widest_um = max((zone["cap_um"] for zone in zones), default=0.0)
    rows = []
    for zone in zones:
        nominal, bound, cap = (
            zone["expected_nominal_um"], zone["expected_bound_um"], zone["cap_um"]
        )  # fmt: skip
        bar = bar_of(nominal, bound, cap, widest_um)
        rows.append((zone["display"], bar, f"{nominal:.2f} / {bound:.2f} / {cap:.2f}"))
    return Sheet(("zone", "depth, µm", "expected / bound / cap"), rows, words_at=(1,))


def bar_of(nominal_um: float, bound_um: float, cap_um: float, widest_um: float) -> str:
    """Return one bar; the kinds of depth differ by their marks, not by colour.

    The bound is rounded up and never passes the mark of the cap.
    """
    to_cap = max(1, round(share(cap_um, widest_um) * BAR_WIDTH))
    to_bound = min(to_cap, -int(-share(bound_um, widest_um) * BAR_WIDTH // 1))
    to_nominal = min(to_bound, round(share(nominal_um, widest_um) * BAR_WIDTH))
    filled = NOMINAL * to_nominal + BOUND * (to_bound - to_nominal)
    return filled + ROOM * (to_cap - to_bound) + CAP


def proof(lines: list[dict[str, Any]]) -> Sheet:
    """Return what was proved: each limit of each stage with its worst case and what is left."""
    rows = [(line["display"], *_cells(line)) for line in lines]
    names = ("stage", "limit", "worst case", "may be", "margin")
    return Sheet(names, rows, grouped=True, words_at=(1,))


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
