from controller.safety.defects import DEFECTS, told
from firmware_protocol.vocabulary import Defect


def test_every_defect_has_words_of_its_own() -> None:
    assert set(DEFECTS) == set(Defect)
    assert len(set(DEFECTS.values())) == len(DEFECTS)


def test_all_that_was_found_is_told_and_nothing_else() -> None:
    assert told(Defect.NONE) == ""
    assert told(Defect.PUMP_HOT) == "the pump is too hot"
    assert told(Defect.ZERO_A | Defect.WATCHDOG) == (
        "suction sensor A is off its zero, its watchdog restarted it"
    )
    assert told(Defect.ALL).count(",") == len(DEFECTS) - 1
