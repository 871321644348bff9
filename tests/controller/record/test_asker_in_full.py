"""Planning beside a kernel, argument by argument: whose files and record, which unit, and when."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from controller.api.requests import TreatArgs
from controller.config.locate import shipped_configs
from controller.planning.steps import finished
from controller.record import asker, tips, treatments
from controller.record.asker import plan_alone, plan_beside
from controller.record.chain import Stamped
from controller.record.journal import canonical
from controller.record.past import Asked, past_of
from controller.record.plan_json import effects_told
from controller.record.planner import (
    ANY_SIMULATED,
    Handset,
    Proved,
    Purpose,
    planned,
    reading,
)
from controller.record.store import BrokenRowError, RecordError, Store
from controller.record.verify import Break
from controller.safety.refusal import RefusedError
from controller.safety.timeline import Moment
from controller.treatment.kinds import Kind
from tests.controller.record.crashed import HAD, begun
from tests.controller.record.plans import PROVED
from tests.controller.record.test_asker import shown

WISH: Final[dict[str, Any]] = {"program": "refresh", "client": "demo", "zones": ["nose"]}
THEN: Final = Moment("a boot", 77.5, 1_900_000_000.25)
NOTES: Final = ["Wipe it dry."]
TOLD: Final = {**effects_told(PROVED.plan, PROVED.as_dict()), "chance": None}


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a plan is made of, as it is passed on; the plan itself is a known one."""
    found: list[Any] = []

    def ask(path: Path, question: Callable[[Store], Proved]) -> Proved:
        found.append(path)
        return question(Store(None))

    def plan(_store: Store, *passed: object) -> Proved:
        found.extend(passed)
        return PROVED

    monkeypatch.setattr(asker, "ask_record", ask)
    monkeypatch.setattr(asker, "planned", plan)
    monkeypatch.setattr(asker, "moment", lambda: Moment("now", 1.0, 2.0))
    return found


def snapshot(**kernel: object) -> dict[str, Any]:
    made = shown(record={"path": "/r/journal.sqlite3", "rows": 3})
    made["kernel"] |= {"boot": "a boot", "up_s": 77.5, "wall_s": 1_900_000_000.25} | kernel
    made["unit"] |= {"serial": 4711, "simulated": False, "motion_sensor": True}
    return made


UNIT: Final = Handset(4711, simulated=False, motion_sensor=True)


def asked_of(at: Moment, unit: Handset) -> Asked:
    return Asked(TreatArgs(**WISH), unit.serial, simulated=unit.simulated, at=at)


@pytest.mark.parametrize("purpose", Purpose)
def test_beside_a_kernel_all_is_read_where_it_reads_as_of_its_instant(
    heard: list[Any], purpose: Purpose
) -> None:
    plan = plan_beside(snapshot(configs="/etc/c"), WISH, purpose)
    assert heard == [
        Path("/r/journal.sqlite3"), Path("/etc/c"), asked_of(THEN, UNIT), UNIT, purpose,
    ]  # fmt: skip
    assert plan == TOLD


@pytest.mark.parametrize("missing", ["up_s", "wall_s"])
def test_a_kernel_that_does_not_tell_its_clocks_is_planned_for_now(
    heard: list[Any], missing: str
) -> None:
    plan_beside(snapshot(**{missing: None}), WISH, Purpose.START)
    assert heard[2] == asked_of(Moment("now", 1.0, 2.0), UNIT)


def test_a_kernel_that_names_no_folder_reads_what_is_shipped(heard: list[Any]) -> None:
    plan_beside(snapshot(configs=""), WISH, Purpose.START, shipped_configs())
    assert heard[1] == shipped_configs()


def test_a_folder_is_the_kernels_by_whatever_name(heard: list[Any], tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    named = plan_beside(
        snapshot(configs=str(tmp_path / "real")), WISH, Purpose.START, tmp_path / "link"
    )
    assert named == TOLD
    assert heard[1] == tmp_path / "real"
    with pytest.raises(RefusedError) as caught:
        plan_beside(snapshot(configs=str(tmp_path / "real")), WISH, Purpose.START, tmp_path)
    port = snapshot()["kernel"]["port"]
    assert (caught.value.code, caught.value.sentence, caught.value.next_step) == (
        "config",
        f"The kernel of {port} reads {tmp_path / 'real'}, and another folder was named: "
        f"{tmp_path}.",
        "Leave --configs out, or end that kernel first.",
    )


def test_what_is_wrong_with_the_kernels_record_is_the_last_note(heard: list[Any]) -> None:
    made = snapshot()
    made["record"]["trouble"] = "It lacks row 7."
    plan = plan_beside(made, WISH, Purpose.LOOK)
    assert plan == TOLD | {"notes": [*NOTES, "Before treating: It lacks row 7."]}
    assert heard


@pytest.mark.parametrize(
    ("changes", "sentence", "step"),
    [
        (
            {"unit": None},
            "The unit does not answer at the moment.",
            "Check its cable and power; `corneum doctor` looks closer.",
        ),
        (
            {
                "link": {
                    "state": "disconnected", "bad_frames": 0, "trouble": "no such port",
                    "next_step": "plug it in",
                }
            },
            "The unit does not answer (no such port).",
            "Plug it in.",
        ),
    ],
)  # fmt: skip
def test_a_unit_that_does_not_answer_is_told_as_the_link_tells_it(
    changes: dict[str, Any], sentence: str, step: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        plan_beside(shown(**changes), WISH, Purpose.LOOK)
    assert (caught.value.code, caught.value.sentence, caught.value.next_step) == (
        "unit_absent", sentence, step,
    )  # fmt: skip


@pytest.mark.parametrize("configs", [None, Path("/etc/c")])
def test_without_a_kernel_any_simulated_handpiece_is_looked_at_now(
    heard: list[Any], configs: Path | None
) -> None:
    assert plan_alone(WISH, Path("/r/j"), configs) == TOLD
    assert Handset(0, simulated=True, motion_sensor=True) == ANY_SIMULATED
    at = asked_of(Moment("now", 1.0, 2.0), ANY_SIMULATED)
    folder = configs or shipped_configs()
    assert heard == [Path("/r/j"), folder, at, ANY_SIMULATED, Purpose.LOOK]


def test_a_record_that_cannot_be_read_has_moved_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(_path: Path, _question: object) -> Proved:
        raise RecordError("It is damaged.") from sqlite3.OperationalError()

    monkeypatch.setattr(asker, "ask_record", ask)
    with pytest.raises(RefusedError) as caught:
        plan_alone(WISH, Path("/r/j"))
    assert (caught.value.code, caught.value.sentence, caught.value.next_step) == (
        "record", "It is damaged.", "Nothing has moved.",
    )  # fmt: skip


def test_a_wish_that_is_none_names_its_field() -> None:
    with pytest.raises(RefusedError, match="zones"):
        plan_alone({**WISH, "zones": 7}, Path("/none/journal.sqlite3"))


# -- what the record says --------------------------------------------------------------------------
NOW: Final = Moment("boot", 5000.0, 1_900_005_000.0)
ANNA: Final = TreatArgs(program="refresh", client="c-0042", zones=["nose"])


def record(*rows: tuple[int, str, dict[str, Any]]) -> Store:
    """A record of these rows, each a second after the one before it."""
    store = Store(None)
    for number, (treatment, kind, body) in enumerate(rows):
        at_s = 100.0 + number
        store.append([Stamped(at_s, 1.9e9 + at_s, treatment, kind, canonical(body))])
    return store


def tip(treatment: int, label: str, unit: int, *, simulated: bool) -> tuple[int, str, Any]:
    body = {"label": label, "use": "single", "unit": unit, "simulated": simulated}
    return treatment, Kind.TIP, {**body, "client": "c-0042"}


KERNEL: Final = (0, "kernel", {"boot": "boot", "asleep_s": 0.0})
ENDED: Final = {"outcome": "stopped", "zones": [{"zone": "nose", **HAD}]}
HISTORY: Final = (
    KERNEL,
    (1, "treatment", begun("c-0042") | {"simulated": True, "program": "other"}),
    (1, "ended", ENDED),
    (2, "treatment", begun("c-0042") | {"simulated": True}),
    (2, "arm", {"may_open": ["nose"], "totals": None}),
    (2, "ended", ENDED),
    (3, "treatment", begun("c-0043") | {"simulated": True}),
)


def past_in(store: Store, configs: Path, wish: TreatArgs, *, simulated: bool = True) -> Any:  # noqa: ANN401
    given = finished(reading(configs, wish, ANY_SIMULATED))
    return past_of(store, Asked(wish, 0, simulated=simulated, at=NOW), given)


def test_what_a_client_may_go_on_with_is_told_whether_that_is_wished_for_or_not(
    configs: Path,
) -> None:
    store = record(*HISTORY)
    plain = past_in(store, configs, ANNA)
    resumed = past_in(store, configs, ANNA.model_copy(update={"resume": True}))
    assert plain.resumable.treatment == resumed.resumable.treatment == 2
    assert (plain.resumed, resumed.resumed.beginning) == (None, plain.resumable)
    assert resumed.resumed.uses == treatments.resumed_uses(store, plain.resumable)
    assert [dose.bound_um for dose in plain.doses] == [HAD["bound_um"]] * 2
    assert [dose.ended_wall_s for dose in resumed.doses] == [1.9e9 + 102.0]
    assert plain.newest_up_s == 105.0
    assert plain.tip is None


def test_a_record_of_the_other_kind_of_units_tells_nothing_but_that_something_was_written(
    configs: Path,
) -> None:
    found = past_in(record(*HISTORY), configs, ANNA, simulated=False)
    assert (found.doses, found.resumable, found.newest_up_s) == ((), None, 105.0)


@pytest.mark.parametrize(
    ("boot", "age_s", "newest_up_s"),
    [("boot", 0.0, 105.0), ("other", 0.0, None), ("", 0.0, None), ("boot", 90_000.0, None)],
)
def test_only_a_row_of_this_boot_and_of_the_last_day_can_overtake_a_plan(
    configs: Path, boot: str, age_s: float, newest_up_s: float | None
) -> None:
    store = record(*HISTORY, (0, "kernel", {"boot": boot, "asleep_s": 0.0}))
    given = finished(reading(configs, ANNA, ANY_SIMULATED))
    now = Moment(boot, NOW.up_s + age_s, NOW.wall_s + age_s)
    found = past_of(store, Asked(ANNA, 0, simulated=True, at=now), given)
    assert found.newest_up_s == newest_up_s


@pytest.mark.parametrize(
    ("named", "simulated", "label", "used"),
    [
        (None, True, "S-1", [1]), (None, False, "R-1", [2]), ("R-1", False, "R-1", [2]),
        ("R-1", True, "R-1", []),
    ],
)  # fmt: skip
def test_the_tip_is_the_named_one_or_the_last_of_this_unit_in_records_of_its_kind(
    configs: Path, named: str | None, label: str, used: list[int], *, simulated: bool
) -> None:
    unit = configs / "handpieces" / "simulated.toml"
    unit.write_text(f'{unit.read_text()}use = "single"\n')
    store = record(
        KERNEL,
        tip(1, "S-1", 0, simulated=True),
        tip(2, "R-1", 0, simulated=False),
        tip(3, "S-2", 7, simulated=True),
    )
    wish = ANNA.model_copy(update={"tip": named})
    found = past_in(store, configs, wish, simulated=simulated).tip
    assert (found.label, [use.treatment for use in found.uses]) == (label, used)
    assert found == tips.past(store, label, simulated=simulated)
    assert past_in(record(KERNEL), configs, ANNA).tip is None


def test_a_break_that_is_known_concerns_the_client_who_was_treated_then(configs: Path) -> None:
    store = record(*HISTORY)
    given = finished(reading(configs, ANNA, ANY_SIMULATED))
    asked = Asked(ANNA, 0, simulated=True, at=NOW)
    with pytest.raises(BrokenRowError) as caught:
        past_of(store, asked, given, [Break(5, "it is gone")])
    assert (caught.value.row, caught.value.what) == (5, "it is gone")
    with pytest.raises(BrokenRowError):
        past_of(store, asked, given, [Break(7, "x")])  # the row before it is still of this client
    past_of(store, asked, given, [Break(8, "x")])


def test_a_plan_rests_on_the_record_and_the_files_together(configs: Path) -> None:
    store, asked = record(*HISTORY), Asked(ANNA, 0, simulated=True, at=NOW)
    with pytest.raises(RefusedError) as caught:
        planned(store, configs, asked, ANY_SIMULATED, Purpose.LOOK)
    assert caught.value.code == "interval"
    with pytest.raises(RefusedError, match="no program"):
        planned(store, configs, replace(asked, wish=ANNA.model_copy(update={"program": "x"})),
                ANY_SIMULATED, Purpose.LOOK)  # fmt: skip
    made = planned(record(KERNEL), configs, asked, ANY_SIMULATED, Purpose.LOOK)
    assert (made.plan.client_ref, made.at) == ("c-0042", NOW)
