"""A mistake on the command line of a campaign is one sentence with its next step."""

import sys
from collections.abc import Callable

import pytest

from controller.cli.outcome import ExitCode, Failure
from qa.matrix import campaign
from tests.proof.explore import exploration
from tests.proof.fuzz import command


@pytest.mark.parametrize(
    ("main", "words", "sentence"),
    [
        (campaign.main, "--phases 0", "--phases: 0 is too few; say 1 or more."),
        (campaign.main, "--seed one", "--seed: 'one' is not a whole number."),
        (command.main, "--n many", "--n: 'many' is not a whole number."),
        (exploration.main, "--seconds nan", "--seconds: 'nan' is not a time in seconds above 0."),
        (exploration.main, "--states -1", "--states: -1 is too few; say 1 or more."),
        (exploration.main, "--parts", "Unrecognized arguments: --parts."),
    ],
)
def test_a_mistake_is_told_in_one_sentence_that_names_the_option_and_nothing_runs(
    main: Callable[[], int], words: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["campaign", *words.split()])
    with pytest.raises(Failure) as told:
        main()
    assert told.value.words.startswith(sentence)
    assert told.value.words.endswith(" --help` shows what there is.")
    assert told.value.code == ExitCode.USAGE
