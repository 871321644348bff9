"""A plan as bars on the terminal, as a table of proof, and as a picture in a file."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.cli import main as command
from controller.cli import plan_plot
from controller.cli.outcome import Failure
from controller.cli.plan_bars import BAR_WIDTH, BOUND, CAP, NOMINAL, QUANTITY_WORDS, ROOM, bar_of
from controller.record.asker import plan_alone

REFRESH = ("plan", "refresh", "--client", "demo")
depths = st.floats(0.0, 6.0)
Corneum = Callable[..., tuple[int, str, str]]


@pytest.fixture
def corneum(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Corneum:
    monkeypatch.setenv("CORNEUM_STATE", str(tmp_path / "state"))

    def _run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["corneum", *words])
        with pytest.raises(SystemExit) as ended:
            command.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return _run


@pytest.fixture
def plan(tmp_path: Path) -> dict[str, Any]:
    return plan_alone({"program": "refresh", "client": "demo"}, tmp_path / "none.sqlite3")


@given(ends=st.tuples(depths, depths, st.floats(0.1, 6.0)), wider=st.floats(1.0, 3.0))
def test_a_bar_shows_expected_bound_room_and_cap_in_this_order(
    ends: tuple[float, float, float], wider: float
) -> None:
    nominal, bound, cap = min(ends[:2]), min(max(ends[:2]), ends[2]), ends[2]
    bar = bar_of(min(nominal, bound), bound, cap, cap * wider)
    marks = [bar.count(mark) for mark in (NOMINAL, BOUND, ROOM, CAP)]
    assert bar == "".join(
        mark * count for mark, count in zip((NOMINAL, BOUND, ROOM, CAP), marks, strict=True)
    )
    assert marks[3] == 1
    assert 2 <= len(bar) <= BAR_WIDTH + 1
    assert (marks[0] + marks[1]) / BAR_WIDTH >= min(bound, cap) / (cap * wider) - 1.0 / BAR_WIDTH


def test_the_proof_is_shown_stage_by_stage_with_limit_worst_case_and_margin(
    corneum: Corneum,
) -> None:
    code, out, _ = corneum(*REFRESH)
    assert code == 0
    head, _, proof = out.partition("Proof: ")
    assert "expected / bound / cap" in head
    for label, _decimals in QUANTITY_WORDS.values():
        assert proof.count(f" {label} ") >= 2
    (depth,) = [line for line in proof.splitlines() if line.startswith(" Nose ")]
    assert depth.split() == [
        "Nose", "depth,", "bound", "1.29", "µm", "3.09", "µm", "1.79", "µm",
    ]  # fmt: skip


def test_scripts_get_the_same_proof(corneum: Corneum) -> None:
    code, out, _ = corneum(*REFRESH, "--json")
    proof = json.loads(out)["proof"]
    assert code == 0
    assert proof["holds"] is True
    assert {line["quantity"] for line in proof["lines"]} == set(QUANTITY_WORDS)
    first = proof["lines"][0]
    assert first["margin"] == pytest.approx(first["limit"] - first["worst"])
    assert set(first) == {
        "zone", "display", "quantity", "unit", "limit", "worst", "margin", "holds",
    }  # fmt: skip


def test_scripts_get_what_a_plan_means_for_each_zone_and_its_sentence(corneum: Corneum) -> None:
    code, out, _ = corneum(*REFRESH, "--json")
    said = json.loads(out)
    assert code == 0
    assert said["effect"].startswith(
        "This removes about 0.08 µm on average (bound: 0.97 µm): 0.9 %"
    )
    nose = said["zones"][0]
    effect = nose["effect"]
    assert (effect["depth_um"], effect["bound_um"]) == (
        nose["expected_nominal_um"], nose["expected_bound_um"],
    )  # fmt: skip
    assert effect["share_percent"] == pytest.approx(100.0 * effect["depth_um"] / 9.0)
    assert effect["layers"] == pytest.approx(8.0 * effect["depth_um"] / 9.0)
    assert effect["shedding_h"] == pytest.approx(14.0 * effect["layers"])
    assert effect["seen_by"] == []


@pytest.mark.parametrize(
    ("name", "starts"), [("plan.svg", b"<?xml"), ("plan.PNG", b"\x89PNG"), ("plan.png", b"\x89PNG")]
)
def test_a_plan_is_drawn_into_a_file(
    corneum: Corneum, tmp_path: Path, name: str, starts: bytes
) -> None:
    pytest.importorskip("matplotlib")
    code, out, err = corneum(*REFRESH, "--plot", str(tmp_path / name))
    assert (code, err) == (0, "")
    assert "Nose" in out
    assert (tmp_path / name).read_bytes().startswith(starts)


def test_the_same_plan_gives_the_same_picture_with_its_words(
    plan: dict[str, Any], tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    for name in ("one.svg", "two.svg"):
        plan_plot.draw(plan, tmp_path / name)
    text = (tmp_path / "one.svg").read_text()
    assert text == (tmp_path / "two.svg").read_text()
    for words in ("Refresh for demo", "Chin", "cap of the zone", "95th centile"):
        assert words in text


@pytest.mark.parametrize("name", ["plan.pdf", "plan", "plan.svg.txt"])
def test_another_kind_of_file_is_refused_in_one_sentence(
    corneum: Corneum, tmp_path: Path, name: str
) -> None:
    code, out, err = corneum(*REFRESH, "--plot", str(tmp_path / name))
    assert (code, out) == (1, "")
    assert err == (f"A plan cannot be drawn as {name}. Name a file that ends in .svg or .png.\n")
    assert not (tmp_path / name).exists()


def test_a_place_that_cannot_be_written_is_told(corneum: Corneum, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    code, _, err = corneum(*REFRESH, "--plot", str(tmp_path / "none" / "plan.svg"))
    assert code == 1
    assert "cannot be drawn into" in err
    assert "No such file or directory" in err
    assert len(err.splitlines()) == 1


def test_without_matplotlib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(Failure) as caught:
        plan_plot.check(Path("plan.svg"))
    assert caught.value.words == (
        "Drawing needs matplotlib, which is not installed. "
        "Install it with: pip install 'corneum[reports]'."
    )
