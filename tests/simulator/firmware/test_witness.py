"""What the unit keeps of the records of its hosts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.messages import WITNESSED_MAX, WitnessAsk, WitnessHead, WitnessKeep
from firmware_protocol.vocabulary import Mode, Outcome, Refusal
from simulator.firmware.witness import DECIDED_MAX, Kept, Witness
from tests.simulator.firmware.test_requests import WAYS, host_in

HASH = (1, 2, 3)
KEEP = WitnessKeep(5, 6, 40, *HASH, 0)


def test_the_newest_row_of_a_journal_is_kept() -> None:
    witness = Witness()
    assert witness.of((1, 1)) is None
    assert witness.keep((1, 1), 7, HASH, decided=False)
    assert witness.keep((1, 1), 7, HASH, decided=False)  # the same again is no other
    assert witness.keep((1, 1), 9, (0, 0, 0), decided=False)
    assert witness.kept == (Kept((1, 1), 9, (0, 0, 0)),)


@pytest.mark.hazard("H58", shows="works")
@pytest.mark.parametrize(("row", "row_hash"), [(6, HASH), (7, (1, 2, 4))])
def test_a_row_goes_back_by_a_decision_alone_which_is_counted(
    row: int, row_hash: tuple[int, int, int]
) -> None:
    witness = Witness()
    witness.keep((1, 1), 7, HASH, decided=False)
    assert not witness.keep((1, 1), row, row_hash, decided=False)
    assert witness.kept == (Kept((1, 1), 7, HASH),)
    assert witness.keep((1, 1), row, row_hash, decided=True)
    assert witness.kept == (Kept((1, 1), row, row_hash, 1),)
    assert witness.keep((1, 1), 8, HASH, decided=True)  # forwards: nothing to decide on
    assert witness.kept[0].decided == 1


def test_the_count_of_decisions_saturates() -> None:
    witness = Witness((Kept((1, 1), 7, HASH, DECIDED_MAX),))
    assert witness.keep((1, 1), 6, HASH, decided=True)
    assert witness.kept[0].decided == DECIDED_MAX


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 9), st.booleans()), max_size=40))
def test_what_is_kept_is_what_was_told_last_of_the_newest_four(
    told: list[tuple[int, int, bool]],
) -> None:
    witness, rows = Witness(), dict[int, int]()
    for number, row, decided in told:
        before = witness.of((0, number))
        back = before is not None and row < before.row
        assert witness.keep((0, number), row, HASH, decided=decided) is (decided or not back)
        if decided or not back:
            rows.pop(number, None)
            rows[number] = row
            rows = dict(list(rows.items())[-WITNESSED_MAX:])
    assert [(each.journal[1], each.row) for each in witness.kept] == list(rows.items())[::-1]


@pytest.mark.hazard("H58")
@pytest.mark.parametrize("way", WAYS)
def test_rows_are_taken_while_nothing_is_armed_and_questions_answered_always(way: str) -> None:
    host, _ = host_in(way)
    driven = way in {"armed", "active", "paused", "stopping"}
    mode = host.mode
    result = host.result(KEEP)
    refusal = Refusal.WRONG_MODE if driven else Refusal.NONE
    assert result.refusal == refusal
    assert (result.outcome == Outcome.DONE) is not driven
    said = host.ask(WitnessAsk(5, 6))
    assert isinstance(said, WitnessHead)
    assert said[1:] == ((0,) * 6 if driven else (40, *HASH, 0, 1))
    assert host.mode is mode or mode in {Mode.STOPPING, Mode.SELFTEST}


@pytest.mark.hazard("H58", shows="works")
def test_a_restart_forgets_nothing_of_it() -> None:
    host, _ = host_in("configured")
    host.result(KEEP)
    host.device.restart()
    assert host.device.firmware.board.memory.witness.of((5, 6)) == Kept((5, 6), 40, HASH)


@pytest.mark.hazard("H58", "H33")
def test_a_unit_of_the_older_minor_takes_the_message_for_one_that_it_need_not_know() -> None:
    host, _ = host_in("configured")
    unit = host.device.firmware.link
    unit.open_session(unit.session, host.now_s, 0)
    host.link.request(WitnessAsk(5, 6), host.now_s)
    host.device.receive(host.link.outgoing(), host.now_s)
    assert unit.bad_frames == 0
    assert not host.device.memory.witness.kept
