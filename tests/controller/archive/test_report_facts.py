"""What the record alone says of one treatment, for each way in which one ends."""

from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from controller.archive.report.facts import End, Facts
from controller.archive.report.gather import facts_of
from controller.archive.report.outcome import (
    next_words,
    outcome_words,
    unknown_words,
    zone_end_words,
)
from controller.archive.report.when import When
from controller.record.locks import Lock
from controller.record.one_treatment import one_treatment
from controller.record.recovery import UNSEEN_S
from controller.record.treatments import RESUME_MAX_S
from controller.safety.refusal import RefusedError
from controller.safety.skin import DAY_S
from tests.controller.archive import played
from tests.controller.archive.conftest import Records
from tests.controller.kernel.clinic import SKIN
from tests.controller.record import damage


def told(record: Path, number: int = 1) -> Facts:
    return facts_of(one_treatment(record, number), SKIN)


def comes_next(facts: Facts) -> str:
    return " ".join(next_words(facts, When()))


def test_a_completed_treatment_is_told_zone_by_zone(records: Records) -> None:
    facts = told(records("completed"))
    (ended,) = (row.body for row in played.rows_of(records("completed")) if row.kind == "ended")
    assert facts.end is End.COMPLETED
    assert [zone.display for zone in facts.zones] == ["Nose", "Chin"]
    assert [zone.own.grams for zone in facts.zones] == [zone["grams"] for zone in ended["zones"]]
    assert [zone_end_words(zone, facts) for zone in facts.zones] == ["its time was up"] * 2
    assert (facts.tip, facts.client, facts.unit) == ("A-1042", played.CLIENT, 1001)
    assert not facts.at_least
    assert not unknown_words(facts)


def test_what_it_did_is_that_of_the_depth_on_record(records: Records) -> None:
    facts = told(records("completed"))
    assert facts.effect is not None
    assert facts.effect.startswith("This removed about 0.08 µm on average")
    share = facts.zones[0].own.nominal_um / 9.0
    assert facts.zones[0].effect is not None
    assert facts.zones[0].effect.share == pytest.approx(share)


@pytest.mark.hazard("H25", shows="present")
def test_a_treated_zone_may_be_treated_again_when_the_planner_would(records: Records) -> None:
    facts = told(records("completed"))
    assert facts.zones[0].free_wall_s == facts.ended_wall_s + 7 * DAY_S
    assert facts.zones[0].rested_wall_s == facts.ended_wall_s + 10 * DAY_S
    assert "For a client of 65 years or more it is 10.5 and 15 days." in comes_next(facts)


def test_skin_data_that_are_not_those_of_the_plan_are_told(records: Records) -> None:
    record = one_treatment(records("completed"), 1)
    other = replace(SKIN, rules=replace(SKIN.rules, interval_refuse_days=8.0))
    assert facts_of(record, SKIN).versions.skin_is_the_plans is True
    assert facts_of(record, other).versions.skin_is_the_plans is False


def test_a_person_who_stopped_it_is_named(records: Records) -> None:
    facts = told(records("stopped"))
    assert outcome_words(facts) == "Stopped by qa (practitioner) before all zones were done."
    nose, chin = facts.zones
    assert zone_end_words(nose, facts) == "the treatment was stopped"
    assert zone_end_words(chin, facts) == "not treated"
    assert chin.free_wall_s is None


def test_what_was_stopped_may_be_gone_on_with_the_same_day(records: Records) -> None:
    facts = told(records("stopped"))
    assert facts.resumable_until_wall_s == facts.ended_wall_s + RESUME_MAX_S
    assert f"corneum treat refresh --client {played.CLIENT} --resume" in comes_next(facts)


def test_what_was_gone_on_with_names_its_successor(records: Records) -> None:
    facts = told(records("resumed"))
    assert facts.resumed_by == 2
    assert "It was gone on with as treatment 2" in comes_next(facts)


def test_a_treatment_that_goes_on_counts_only_what_it_gave_and_all_against_the_cap(
    records: Records,
) -> None:
    first, second = told(records("resumed"), 1), told(records("resumed"), 2)
    assert second.resumes == (1,)
    nose, before = second.zones[0], first.zones[0]
    assert nose.had.bound_um == pytest.approx(nose.own.bound_um + before.own.bound_um)
    assert nose.share == pytest.approx(nose.had.bound_um / (nose.planned.cap_um or 0.0))


def test_a_trip_is_told_in_words_and_skin_comes_first(records: Records) -> None:
    facts = told(records("tripped"))
    assert outcome_words(facts).endswith("The waste canister is full.")
    assert facts.safe_ms is not None
    assert next_words(facts, When())[0].startswith("Look at the skin")


def test_what_never_began_delivered_nothing_and_rests_nothing(records: Records) -> None:
    facts = told(records("refused"))
    assert outcome_words(facts).startswith("Not begun, so that nothing was delivered. The waste")
    assert facts.effect == "Nothing was removed."
    assert comes_next(facts) == "No zone needs a rest because of this treatment."


@pytest.mark.hazard("H12", shows="present")
def test_the_unseen_end_of_what_was_cut_off_is_charged_at_the_worst_case(records: Records) -> None:
    facts = told(records("marked"))
    assert facts.end is End.CUT_OFF
    assert f"{UNSEEN_S:.2f} s are charged at the worst case" in outcome_words(facts)
    assert unknown_words(facts) == ["Charged at the worst case: Nose, Chin."]
    assert zone_end_words(facts.zones[0], facts) == "cut off (worst case)"


def test_what_was_found_cut_off_later_rests_from_then(records: Records) -> None:
    record = records.copy("cut")
    played.play(record, records.configs, played.nothing, after_s=1800.0)
    facts = told(record)
    assert "They rest from 17 March 2030, " in " ".join(next_words(facts, When(UTC)))
    assert facts.rests_from_wall_s > facts.ended_wall_s
    assert facts.zones[0].free_wall_s == facts.rests_from_wall_s + 7 * DAY_S


def test_what_no_kernel_has_marked_yet_is_told_with_what_it_will_charge_at_least(
    records: Records,
) -> None:
    facts, marked = told(records("cut")), told(records("marked"))
    assert not facts.charge_stands
    assert f"at least {UNSEEN_S:.2f} s" in outcome_words(facts)
    assert [zone.own for zone in facts.zones] == [zone.own for zone in marked.zones]


def test_what_was_cut_off_before_it_was_armed_is_charged_nothing(records: Records) -> None:
    facts = told(records("unarmed"))
    assert outcome_words(facts).endswith("before the unit was armed.")
    assert not any(zone.touched for zone in facts.zones)


def test_a_dismissed_end_says_who_and_why(records: Records) -> None:
    facts = told(records("dismissed"))
    assert facts.resumable_until_wall_s is None
    assert "as qa (practitioner) noted: the client went home." in comes_next(facts)


def test_a_broken_row_in_the_middle_is_named_and_the_end_still_counts(records: Records) -> None:
    record = records.copy("completed")
    broken = played.row_id(record, "exposure", 5)
    damage.no_json(record / played.JOURNAL, broken)
    facts = told(record)
    assert facts.end is End.COMPLETED
    assert [each.first for each in facts.standing.unbelieved] == [broken]
    assert unknown_words(facts)[0].startswith("1 row cannot be believed")
    assert not facts.at_least
    assert "Show this report to a technician" in comes_next(facts)


def test_where_the_end_cannot_be_believed_figures_are_at_least_those(records: Records) -> None:
    record = records.copy("completed")
    damage.no_json(record / played.JOURNAL, played.row_id(record, "ended"))
    facts = told(record)
    assert (facts.end, facts.at_least) == (End.UNKNOWN, True)
    assert outcome_words(facts).startswith("How it ended is not known")
    whole = told(records("completed"))
    assert 0.0 < facts.zones[0].own.grams <= whole.zones[0].own.grams


def test_rows_that_are_gone_are_named(records: Records) -> None:
    record = records.copy("completed")
    first = played.row_id(record, "exposure", 5)
    damage.no_row(record / played.JOURNAL, first)
    damage.no_row(record / played.JOURNAL, first + 1)
    (gone,) = told(record).standing.unbelieved
    assert (gone.first, gone.last, gone.what) == (first, first + 1, "missing")


def test_where_the_beginning_cannot_be_believed_no_report_is_made(records: Records) -> None:
    record = records.copy("completed")
    damage.no_json(record / played.JOURNAL, played.row_id(record, "treatment"))
    with pytest.raises(RefusedError, match=r"Row \d+ of the record .* cannot be believed"):
        told(record)


def test_a_number_that_is_not_on_record_is_refused_with_the_newest(records: Records) -> None:
    with pytest.raises(RefusedError) as refused:
        told(records("completed"), 7)
    assert refused.value.sentence.startswith("Treatment 7 is not in the record")
    assert refused.value.next_step.startswith("The newest is 1;")


def test_what_is_under_way_has_no_report_yet(records: Records) -> None:
    record = records.copy("cut")
    lock = played.rows_of(record)[played.row_id(record, "treatment") - 1].body["kernel_lock"]
    held = Lock(record / "run" / Path(lock).name)
    held.take()
    try:
        with pytest.raises(RefusedError, match="is under way"):
            told(record)
    finally:
        held.release()


def test_a_record_that_lacks_its_end_says_so(records: Records) -> None:
    record = records.copy("completed")
    older = played.cut_after(record, record.with_name(f"{record.name}-older"), "ended", 0)
    newer = played.rows_of(record)
    note = next(record.glob("head-*.json"))
    assert newer[-1].id >= played.rows_of(older)[-1].id
    (older / note.name).write_bytes(note.read_bytes())
    facts = told(older)
    assert facts.standing.lacking is not None
    assert unknown_words(facts)[0].startswith("The record lacks rows")
