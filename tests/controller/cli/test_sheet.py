"""Tables and the live view on terminals of any width: nothing vanishes without a mark."""

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from controller.cli import live, plan, records, summary
from controller.cli.sheet import Sheet
from controller.record.asker import plan_alone
from controller.record.history import Past
from tests.controller.cli.views import ACTIVE, ALARM, CHIN, NOSE, TREATMENT

WIDTHS = (40, 50, 80, 120)
LONG = "Haut oberhalb der Augenbrauen, links"
WIDE = "左の頬と顎の下の全体"
WORD = "Nasenwurzelfaltenbehandlungsgebiet-rechts-oben"
NAMES = (LONG, WIDE, WORD)


def printed(width: int, *shown: RenderableType, height: int | None = None) -> str:
    """Return what stands on a terminal of this size; no line is wider."""
    console = Console(
        width=width, height=height, file=io.StringIO(), force_terminal=height is not None
    )
    with console.capture() as capture:
        for each in shown:
            console.print(each)
    text = console.render_str(capture.get()).plain if height is None else capture.get()
    if height is None:
        assert max(map(cell_len, text.splitlines())) <= width
    return text


def assert_whole(text: str, wanted: Sequence[str]) -> None:
    """Every word is there, in one line or going on in the next; the frame does not count."""
    joined = "".join(line.strip(" │") for line in text.splitlines())
    for word in (word for words in wanted for word in words.split()):
        assert word in text or word in joined, word


@pytest.fixture
def planned(tmp_path: Path) -> dict[str, Any]:
    """A plan of three zones with long, wide and unbroken names."""
    wish = {"program": "refresh", "client": "demo", "zones": ["nose", "chin"]}
    made = plan_alone(wish, tmp_path / "none.sqlite3")
    zone = made["zones"][0] | {"expected_contact_s": 25.2, "contact_budget_s": 31.0}
    made["zones"] = [{**zone, "zone": f"z{number}", "display": name, "ends_by": "suction dose"}
                     for number, name in enumerate(NAMES)]  # fmt: skip
    lines = made["proof"]["lines"]
    made["proof"]["lines"] = [{**line, "display": name} for name in NAMES for line in lines[:6]]
    return made


@pytest.mark.parametrize("width", WIDTHS)
def test_a_plan_shows_every_zone_every_figure_and_the_limit_that_binds(
    planned: dict[str, Any], width: int
) -> None:
    console = Console(width=width, file=io.StringIO())
    with console.capture() as capture:
        plan._show(console, planned)
    text = capture.get()
    tables, _, _ = text.partition(f"{NAMES[0]}, {NAMES[1]}")
    assert max(map(cell_len, tables.splitlines())) <= width
    assert tables.count("suction dose") >= len(NAMES)
    figures = [f"{zone['expected_bound_um']:.2f} of {zone['cap_um']:.2f} µm"
               for zone in planned["zones"]]  # fmt: skip
    margins = [f"{line['margin']:.0f}" for line in planned["proof"]["lines"]]
    assert_whole(tables, [*NAMES, "25 of 31 s", *figures, *margins])


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", NAMES)
def test_the_live_view_shows_zones_readings_alarm_and_title_whole(width: int, name: str) -> None:
    zones = (replace(NOSE, display=name), CHIN)
    treatment = replace(TREATMENT, display_name=name, client="c-" + "0" * 30, zones=zones)
    text = printed(width, live.render(replace(ACTIVE, treatment=treatment)))
    assert_whole(
        text,
        [
            name, "c-" + "0" * 30, "SIMULATED", "treating", "Chin", "12 of 31 s",
            "0.90 of 3.15 µm", "1.4 g", "26.4 kPa", "27.9 kPa", "set 28.0", "7.1 g/min",
            "switch pressed", "46 % open", "170 ms", "MEDIUM", ALARM.sentence, ALARM.next_step,
            "p pauses, Ctrl-C ends the treatment in order.",
        ],
    )  # fmt: skip


@pytest.mark.parametrize("width", WIDTHS)
def test_zones_that_are_too_many_for_the_terminal_are_counted_and_the_rest_stays(
    width: int,
) -> None:
    others = tuple(replace(CHIN, zone=f"z{number}", display=WORD) for number in range(30))
    done = replace(NOSE, zone="done", state="done")
    treatment = replace(TREATMENT, zones=(done, NOSE, *others))
    shown = live.render(replace(ACTIVE, treatment=treatment))
    text = printed(width, shown, height=30)
    assert "… 1 done, 30 waiting" in text
    assert_whole(text, ["12 of 31 s", ALARM.sentence, "27.9 kPa", "set 28.0"])
    assert WORD not in text


@pytest.mark.parametrize("width", WIDTHS)
def test_the_summary_shows_every_zone_with_all_its_figures(width: int) -> None:
    zones = tuple(replace(NOSE, display=name, state="done") for name in NAMES)
    ended = replace(TREATMENT, outcome="completed", zones=zones, display_name=LONG)
    console = Console(width=width, file=io.StringIO())
    with console.capture() as capture:
        summary.show(console, replace(ACTIVE, treatment=ended))
    text = capture.get()
    assert_whole(text, [*NAMES, "26.4, 29.5 kPa", "0.90 of 3.15 µm", "0.10 µm", "12 s", "done"])
    assert text.count("0.90 of 3.15 µm") == len(NAMES)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_list_of_treatments_is_whole(width: int) -> None:
    one = Past(
        812, "cut off, dismissed", WORD, "neck-chest", simulated=False, unit=4711, by="anna",
        begun_wall_s=1.9e9,
    )  # fmt: skip
    text = printed(width, records.sheet((one, replace(one, treatment=811, client=WIDE))))
    assert_whole(
        text, ["812", "811", WORD, WIDE, "neck-chest", "4711", "cut off, dismissed", "2030"]
    )


def test_a_table_is_drawn_where_it_fits_and_blocks_where_it_does_not() -> None:
    sheet = Sheet(("zone", "suction"), [("Nose", "28.0 kPa"), ("Chin", "26.0 kPa")])
    assert "zone " in printed(40, sheet)
    assert printed(12, sheet) == "Nose\n  suction: \n28.0 kPa\nChin\n  suction: \n26.0 kPa\n"


def test_what_has_no_value_has_no_line_in_a_block() -> None:
    sheet = Sheet(("zone", "crystals", ""), [("Nose", "", "on skin")])
    assert printed(10, sheet) == "Nose\n  on skin\n"
