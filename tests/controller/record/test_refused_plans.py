"""Why a plan that was seen is not started, and why there is none: each sentence in full."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controller.api.requests import TreatArgs
from controller.config.locate import shipped_configs
from controller.planning.case import Case, Wanted
from controller.planning.fingerprint import Fingerprint
from controller.planning.plan import Lower, Plan
from controller.planning.planning import plan_steps
from controller.planning.steps import Steps, finished
from controller.planning.tips import TipPast, TipUse
from controller.planning.unit import Reuse
from controller.record import planner
from controller.record.past import Asked, Past, Resumed
from controller.record.planner import (
    ANY_SIMULATED,
    Handset,
    Proved,
    Purpose,
    proving,
    reading,
    request_of,
)
from controller.record.seen_plan import check_instant, check_newest, check_seen, instant_of
from controller.record.treatments import Beginning
from controller.safety.exposure import ZoneUse
from controller.safety.reading import Identity
from controller.safety.refusal import Refusal, RefusedError
from controller.safety.skin import PastDose
from controller.safety.timeline import Moment
from firmware_protocol.vocabulary import Capability
from tests.controller.record.plans import MARK

NOW = Moment("boot", 1000.0, 1_900_001_000.0)
WISH = TreatArgs(program="refresh", client="c-0042", zones=["nose"])
SEEN = TreatArgs(
    program="refresh", client="c-0042", plan_sha256="0" * 64, planned_at_s=1.9e9,
    planned_up_s=77.5, plan_parts=dict(MARK.parts),
)  # fmt: skip
NO_PAST = Past((), None, None, None, None)


def refused(act: Callable[[], object]) -> tuple[str, str, str]:
    with pytest.raises(RefusedError) as caught:
        act()
    return caught.value.code, caught.value.sentence, caught.value.next_step


def ago(up_s: float, wall_s: float | None = None) -> Moment:
    """A moment so long before now by both clocks, or by each of them."""
    back_s = up_s if wall_s is None else wall_s
    return NOW._replace(up_s=NOW.up_s - up_s, wall_s=NOW.wall_s - back_s)


# -- the plan that was seen ------------------------------------------------------------------------
LATER = (
    "The plan was made 90.0 s later than it is now by the kernel's clock: the clock was set back, "
    "or the plan comes from another computer."
)
CHECK = "Check the clock, then plan again on this computer."
OLD = "The plan was made 11 minutes ago and holds for 10."
AGAIN = "Plan again, and start from that."


@pytest.mark.parametrize(
    ("planned", "said"),
    [
        (ago(-90.0), ("plan_later", LATER, CHECK)),
        (ago(0.0, -90.0), ("plan_later", LATER, CHECK)),
        (ago(-90.0, 0.0), ("plan_later", LATER, CHECK)),
        (ago(660.0), ("plan_old", OLD, AGAIN)),
        (ago(660.0, 10.0), ("plan_old", OLD, AGAIN)),
        (
            ago(10.0, 15.25),
            (
                "plan_clock_set",
                "The clock of this computer was set by +5.2 s since the plan was made.",
                AGAIN,
            ),
        ),
        (
            ago(15.25, 10.0),
            (
                "plan_clock_set",
                "The clock of this computer was set by -5.2 s since the plan was made.",
                AGAIN,
            ),
        ),
    ],
)
def test_a_plan_of_another_time_says_by_how_much(
    planned: Moment, said: tuple[str, str, str]
) -> None:
    assert refused(lambda: check_instant(planned, NOW)) == said


@pytest.mark.parametrize("planned", [ago(10.0, 11.0), ago(11.0, 10.0), ago(600.0), ago(-0.0015)])
def test_a_second_between_the_clocks_and_ten_minutes_of_age_are_nothing(planned: Moment) -> None:
    check_instant(planned, NOW)


def test_a_row_since_the_plan_overtakes_it() -> None:
    check_newest(ago(10.0), NOW.up_s - 9.999)
    assert refused(lambda: check_newest(ago(10.0), NOW.up_s - 9.99)) == (
        "plan_overtaken",
        "The record has a row about this client that is newer than the plan.",
        "Plan again: what was given since then counts.",
    )


@pytest.mark.parametrize("missing", ["plan_sha256", "planned_at_s", "planned_up_s"])
def test_a_start_without_a_seen_plan_names_what_is_missing(missing: str) -> None:
    asked = SEEN.model_copy(update={missing: None})
    assert refused(lambda: check_seen(asked, MARK)) == (
        "plan_needed",
        "A treatment starts only with a plan that was seen: plan_sha256, planned_at_s or "
        "planned_up_s is missing.",
        "Start with `corneum treat`, which plans by itself, or plan first and send what it says.",
    )


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        (dict(MARK.parts), "The plan that was seen is not the plan that would be started."),
        (None, "The plan that was seen is not the plan that would be started."),
        ({}, "The plan that was seen is not the plan that would be started."),
        (
            {**dict(MARK.parts), "program": "ff" * 32},
            "Changed since the plan was seen: the program file.",
        ),
        (
            {"other": "ff" * 32},
            "Changed since the plan was seen: what is asked for, the program file.",
        ),
    ],
)
def test_another_plan_than_the_seen_one_says_what_has_changed(
    parts: dict[str, str] | None, sentence: str
) -> None:
    asked = SEEN.model_copy(update={"plan_parts": parts})
    assert refused(lambda: check_seen(asked, MARK)) == (
        "plan_changed", sentence, "Plan again, read what is new, and start from that.",
    )  # fmt: skip
    check_seen(asked.model_copy(update={"plan_sha256": MARK.sha256}), MARK)


def test_a_plan_is_of_the_instant_that_was_seen_and_without_one_of_now() -> None:
    assert instant_of(SEEN, NOW) == Moment("boot", 77.5, 1.9e9)
    for missing in ("planned_at_s", "planned_up_s"):
        assert instant_of(SEEN.model_copy(update={missing: None}), NOW) == NOW


def test_a_start_asks_for_the_wish_and_the_plan_that_was_seen() -> None:
    plan: Mapping[str, Any] = {
        "sha256": "a", "planned_at_s": 1.0, "planned_up_s": 2.0, "parts": {"wish": "b"}, "zones": []
    }  # fmt: skip
    assert request_of({"program": "refresh", "client": "demo"}, plan) == {
        "program": "refresh",
        "client": "demo",
        "plan_sha256": "a",
        "planned_at_s": 1.0,
        "planned_up_s": 2.0,
        "plan_parts": {"wish": "b"},
    }


# -- no plan at all --------------------------------------------------------------------------------
def proved(
    configs: Path,
    past: Past = NO_PAST,
    wish: TreatArgs = WISH,
    purpose: Purpose = Purpose.LOOK,
    handset: Handset = ANY_SIMULATED,
) -> Proved:
    given = finished(reading(configs, wish, handset))
    asked = Asked(wish, handset.serial, simulated=handset.simulated, at=NOW)
    return finished(proving(given, past, asked, purpose))


def begun(treatment: int = 7) -> Beginning:
    return Beginning(
        treatment, 1.9e9, "c-0042", "refresh", simulated=True, practice=False, unit=0,
        lock="x.lock", resumes=None, zones=dict.fromkeys(("nose", "chin"), ZoneUse()), rates={},
    )  # fmt: skip


YESTERDAY = PastDose("nose", NOW.wall_s - 86_400.0, 2.5, 0.5, 30.0)


def with_tip(configs: Path, use: str) -> Path:
    unit = configs / "handpieces" / "simulated.toml"
    unit.write_text(f'{unit.read_text()}use = "{use}"\n')
    return configs


def test_a_file_that_cannot_be_used_is_the_reason_and_nothing_has_moved(tmp_path: Path) -> None:
    code, sentence, step = refused(lambda: finished(reading(tmp_path, WISH, ANY_SIMULATED)))
    assert (code, step) == ("config", "Then ask again; nothing has moved.")
    assert str(tmp_path / "skin" / "sites.toml") in sentence


def test_whether_the_tip_shows_that_it_moves_is_what_the_unit_says(configs: Path) -> None:
    for moves in (True, False):
        handset = Handset(0, simulated=True, motion_sensor=moves)
        assert finished(reading(configs, WISH, handset)).unit.motion_sensor is moves
    unit = Identity(4711, 5, "1.0", Capability.SIMULATED)
    assert Handset.of(unit) == Handset(4711, simulated=True, motion_sensor=False)
    unit = Identity(4711, 5, "1.0", Capability.MOTION_SENSOR)
    assert Handset.of(unit) == Handset(4711, simulated=False, motion_sensor=True)


def test_what_cannot_be_gone_on_with_is_told_with_what_could(configs: Path) -> None:
    wish = WISH.model_copy(update={"resume": True})
    assert refused(lambda: proved(configs, wish=wish)) == (
        "nothing_unfinished",
        "Client c-0042 has no treatment refresh to go on with: within 12 hours one that was "
        "stopped, tripped or interrupted can be resumed.",
        "Start a new one without resume.",
    )


@pytest.mark.parametrize(
    ("resumable", "tail"),
    [
        (begun(), " To go on with the one that was begun, resume it (--resume)."),
        (None, ""),
    ],
)
def test_who_treats_too_early_is_told_of_the_treatment_that_waits(
    configs: Path, resumable: Beginning | None, tail: str
) -> None:
    past = replace(NO_PAST, doses=(YESTERDAY,))
    plain = refused(lambda: proved(configs, past))
    told = refused(lambda: proved(configs, replace(past, resumable=resumable)))
    assert plain[0] == "interval"
    assert told == (*plain[:2], f"{plain[2]}{tail}")


def test_who_is_refused_for_another_reason_is_told_of_no_treatment_that_waits(
    configs: Path,
) -> None:
    wish = WISH.model_copy(update={"zones": ["nowhere"]})
    plain = refused(lambda: proved(configs, wish=wish))
    assert refused(lambda: proved(configs, replace(NO_PAST, resumable=begun()), wish)) == plain


def test_a_resume_goes_on_with_its_zones_and_names_its_treatment(configs: Path) -> None:
    had = {"nose": ZoneUse(0.25, 0.5, 2.0, 0.25, 9.0), "chin": ZoneUse()}
    wish = TreatArgs(program="refresh", client="c-0042", resume=True)
    past = replace(NO_PAST, resumable=begun(), resumed=Resumed(begun(), had))
    made = proved(configs, past, wish)
    assert made.resumes == 7
    assert [(stage.zone, stage.used) for stage in made.plan.stages] == list(had.items())
    only = proved(configs, past, wish.model_copy(update={"zones": ["chin"]}))
    assert [stage.zone for stage in only.plan.stages] == ["chin"]
    assert proved(configs).resumes is None


def test_lower_settings_of_a_wish_are_those_of_the_plan(configs: Path) -> None:
    wish = TreatArgs.model_validate(
        {
            "program": "refresh", "client": "c-0042", "zones": ["nose"], "reason": "thin skin",
            "lower": {"suction_kpa": 20.0, "flow_g_per_min": 1.0},
        }
    )  # fmt: skip
    (stage,) = proved(configs, wish=wish).plan.stages
    assert (stage.suction_kpa, stage.flow_g_per_min) == (20.0, 1.0)
    parts = [dict(proved(configs, wish=each).mark.parts) for each in (WISH, wish)]
    assert parts[0]["wish"] != parts[1]["wish"]


# -- the tip ---------------------------------------------------------------------------------------
FOREIGN = TipPast("A-1", (TipUse(4, "c-0043", 1.9e9, Reuse.SINGLE, cleaned=False),))
USED = "Tip A-1 was used for another client (treatment 4) and is for single use."
FIT = "Fit a fresh tip and name it by its label: --tip LABEL."


@pytest.mark.parametrize("purpose", [Purpose.START, Purpose.CHECK])
def test_a_used_tip_refuses_a_start(configs: Path, purpose: Purpose) -> None:
    past = replace(NO_PAST, tip=FOREIGN)
    assert refused(
        lambda: proved(with_tip(configs, "single"), past, purpose=purpose)
    ) == ("tip_used", USED, FIT)  # fmt: skip


def test_a_used_tip_is_the_last_note_of_a_plan_that_is_only_looked_at(configs: Path) -> None:
    plain = proved(configs).plan.notes
    made = proved(with_tip(configs, "single"), replace(NO_PAST, tip=FOREIGN))
    assert made.plan.notes == (*plain, f"Before treating: {USED} {FIT}")


@pytest.mark.parametrize("reuse", Reuse)
def test_a_fresh_tip_is_booked_with_what_becomes_of_it(configs: Path, reuse: Reuse) -> None:
    fresh = replace(NO_PAST, tip=TipPast("A-1", ()))
    made = proved(with_tip(configs, reuse.value), fresh)
    assert made.tip is not None
    assert made.tip.body(4711, "c-0042", simulated=True) == {
        "label": "A-1",
        "use": reuse.value,
        "unit": 4711,
        "simulated": True,
        "client": "c-0042",
    }
    assert proved(shipped_configs(), wish=TreatArgs(program="refresh", client="demo")).tip is None


def test_a_practice_client_makes_a_plan_of_practice_at_the_instant_of_the_wish(
    configs: Path,
) -> None:
    demo = proved(configs, wish=TreatArgs(program="refresh", client="demo"))
    real = proved(configs)
    assert (demo.practice, real.practice) == (True, False)
    assert (real.at, real.mark.planned_at_wall_s) == (NOW, NOW.wall_s)
    assert isinstance(real.mark, Fingerprint)


@pytest.mark.parametrize(
    ("purpose", "advise"), [(Purpose.LOOK, True), (Purpose.START, True), (Purpose.CHECK, False)]
)
def test_only_whoever_asks_searches_for_a_change_that_would_fit(
    configs: Path, monkeypatch: pytest.MonkeyPatch, purpose: Purpose, *, advise: bool
) -> None:
    asked: list[tuple[Case, bool]] = []

    def steps(case: Case, *, advise: bool) -> Steps[Plan | Refusal]:
        asked.append((case, advise))
        return plan_steps(case, advise=advise)

    monkeypatch.setattr(planner, "plan_steps", steps)
    past = replace(NO_PAST, doses=(replace(YESTERDAY, ended_wall_s=1.0),))
    proved(configs, past, WISH.model_copy(update={"reason": " agreed "}), purpose)
    ((case, advised),) = asked
    assert advised is advise
    assert (case.history, case.now_wall_s, case.wanted) == (
        past.doses, NOW.wall_s, Wanted(Lower(), ("nose",), "agreed", ()),
    )  # fmt: skip
