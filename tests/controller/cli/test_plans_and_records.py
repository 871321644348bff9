"""A plan for a port without a kernel, a plan as a picture, and the words of the record."""

import errno
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from matplotlib.figure import Figure

from controller.api.ask import KernelUnreachedError
from controller.cli import plan, plan_bars, plan_plot, session, start, verify
from controller.cli.outcome import ExitCode, Failure
from controller.cli.session import asked
from controller.config.locate import shipped_configs
from controller.config.paths import journal_path
from controller.record.asker import plan_beside
from controller.record.planner import Purpose
from controller.record.whole import Accepted
from controller.safety.refusal import Refusal, RefusedError
from tests.controller.cli.acting_kernel import acting
from tests.controller.cli.conftest import Corneum
from tests.controller.cli.views import PLAN, on
from tests.controller.record import damage, years
from tests.controller.record.years import Years

REFRESH = ("plan", "refresh", "--client", "demo", "--zones", "nose", "--json")


# -- plans -----------------------------------------------------------------------------------------
@pytest.mark.realtime
@pytest.mark.parametrize("named", [True, False])
def test_a_plan_for_a_port_without_a_kernel_starts_one_and_ends_it(
    corneum: Corneum, state: Path, monkeypatch: pytest.MonkeyPatch, *, named: bool
) -> None:
    begun: list[list[str]] = []
    ended: list[str] = []
    purposes: list[Purpose] = []
    beside = plan_beside

    def planned(said: Any, wish: Any, purpose: Purpose, configs: Path | None) -> Any:  # noqa: ANN401
        purposes.append(purpose)
        return beside(said, wish, purpose, configs)

    with acting(state) as kernel:
        kernel.answers["status"] = on(state).as_dict()

        def started(arguments: list[str]) -> SimpleNamespace:
            begun.append(arguments)
            said = {"socket": str(kernel.socket)}
            return SimpleNamespace(said=said, end=lambda: ended.append("it"))

        monkeypatch.setattr(start, "kernel", started)
        monkeypatch.setattr(plan, "plan_beside", planned)
        configs = ["--configs", str(shipped_configs())] if named else []
        done = corneum(*REFRESH, "--port", "/dev/ttyNEW", *configs)
        assert (done.code, [zone["zone"] for zone in done.said["zones"]]) == (0, ["nose"])
        assert begun == [["--port", "/dev/ttyNEW", "--state", str(state), "--once", *configs]]
        assert (ended, purposes) == (["it"], [Purpose.LOOK])
        other = str(state.parent / "other")
        refused = corneum(*REFRESH, "--port", "/dev/ttyNEW", "--configs", other)
        assert "and another folder was named" in refused.err
        assert ended == ["it", "it"]


def test_a_plan_that_is_refused_shows_the_chain_of_limits_that_refused_it(
    corneum: Corneum, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        receipt = {"quantity": "suction"}
        raise RefusedError(Refusal("limit", "It is too much.", "Lower it.", receipt))

    monkeypatch.setattr(plan, "plan_alone", refused)
    ended = corneum(*REFRESH)
    assert ended.code == ExitCode.REFUSED
    assert ended.said["error"] == {
        "code": "limit", "sentence": "It is too much.", "next_step": "Lower it.",
        "receipt": {"quantity": "suction"},
    }  # fmt: skip


def test_a_plan_without_zones_has_no_bars() -> None:
    assert plan_bars.bars([]).rows == []


def test_a_picture_shows_depth_bound_and_cap_of_each_zone_on_one_scale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Figure] = []
    save = Figure.savefig

    def kept(figure: Figure, *words: Any, **named: Any) -> None:  # noqa: ANN401
        drawn.append(figure)
        save(figure, *words, **named)

    monkeypatch.setattr(Figure, "savefig", kept)
    plan_plot.draw(PLAN, tmp_path / "plan.svg")
    (figure,) = drawn
    (axes,) = figure.axes
    assert tuple(figure.get_size_inches()) == pytest.approx((8.0, 1.6 + 2 * 0.42))
    assert "Constrained" in type(figure.get_layout_engine()).__name__
    bars = [
        (bar.get_width(), bar.get_height(), bar.get_y() + bar.get_height() / 2)  # type: ignore[attr-defined]
        for bar in axes.patches
    ]
    figures = [(um, 0.6, row) for um in (2.38, 0.25) for row in (0, 1)]
    assert [tuple(bar) for bar in bars] == [pytest.approx(each) for each in figures]
    assert [bar.get_hatch() for bar in axes.patches] == ["///", "///", None, None]
    (caps,) = axes.collections
    marks = [segment.tolist() for segment in caps.get_segments()]  # type: ignore[attr-defined]
    assert marks == [[[3.09, -0.4], [3.09, 0.4]], [[3.09, 0.6], [3.09, 1.4]]]
    assert caps.get_edgecolor().tolist() == [[0.0, 0.0, 0.0, 1.0]]  # type: ignore[union-attr]
    assert axes.get_xlim() == pytest.approx((0.0, 1.3 * 3.09))
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Nose", "Chin"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # in the order of the treatment, from above
    assert [note.get_text() for note in axes.texts] == ["0.25 / 2.38 / 3.09"] * 2
    assert axes.get_xlabel() == "depth, µm"
    title = "Refresh for demo: expected depth, its bound, and the cap"
    assert axes.get_title(loc="left") == title
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {
        "bound: 95th centile in the worst place",
        "expected depth, mean of the zone",
        "cap of the zone",
    }
    svg = (tmp_path / "plan.svg").read_text()
    assert title in svg
    assert "<dc:date>" not in svg
    plan_plot.draw(PLAN, tmp_path / "plan.png")
    assert (tmp_path / "plan.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_drawn_says_so(tmp_path: Path) -> None:
    with pytest.raises(Failure) as caught:
        plan_plot.check(tmp_path / "plan.pdf")
    assert caught.value.words == (
        "A plan cannot be drawn as plan.pdf. Name a file that ends in .svg or .png."
    )
    file = tmp_path / "none" / "plan.svg"
    with pytest.raises(Failure) as caught:
        plan_plot.draw(PLAN, file)
    assert caught.value.words == (
        f"The plan cannot be drawn into {file} ({os.strerror(errno.ENOENT)}). Name another file."
    )


# -- the record ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("who", "words"),
    [
        ({"name": "anna", "role": "technician"}, "accepted by anna (technician) at —: read"),
        ({}, "accepted by somebody () at —: read"),
    ],
)
def test_a_decision_names_who_made_it(who: dict[str, str], words: str) -> None:
    assert verify._decision(Accepted(7, "it is wrong", who, "read", 1e30)) == words


def test_what_is_wrong_with_a_record_is_told_with_each_way_out(
    corneum: Corneum, state: Path
) -> None:
    record = journal_path(state)
    years.write(record, Years(treatments=4, clients=2)).close()
    damage.lost_entry(record, 1)
    damage.other_json(record, 7)
    lines = corneum("records", "verify").out.splitlines()
    assert "  row 7: its content is not what was written" in lines
    assert (
        "Put the newest backup back (journal.sqlite3 together with its -wal and -shm), or decide as"
        " a technician: `corneum records accept row N --reason TEXT`."
    ) in lines


def test_lists_that_do_not_fit_are_told_with_what_makes_them_anew(
    corneum: Corneum, state: Path
) -> None:
    record = journal_path(state)
    years.write(record, Years(treatments=4, clients=2)).close()
    damage.lost_entry(record, 1)
    lines = corneum("records", "verify").out.splitlines()
    assert "Make indexes and lists anew from the rows: `corneum records recover`." in lines


def test_a_record_without_treatments_says_so(corneum: Corneum, state: Path) -> None:
    years.write(journal_path(state), Years(treatments=0, clients=0)).close()
    assert corneum("records", "list").out == f"No treatment is on record in {state}.\n"
    assert corneum("records", "list", "--client", "c-9").out == (
        f"No treatment of c-9 is on record in {state}.\n"
    )


def test_a_kernel_whose_socket_may_not_be_opened_is_not_told_as_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def denied(*_: object) -> None:
        raise KernelUnreachedError("/x could not be reached (Permission denied)")

    monkeypatch.setattr(session, "ask", denied)
    with pytest.raises(Failure) as caught:
        asked(Path("/x"), "status")
    assert caught.value.words == (
        "Whether a kernel runs could not be seen (/x could not be reached (Permission denied)). "
        "Mend the rights of that file; `corneum stop` and the hand switch do not need it."
    )
