"""The credibility page: what it names can be run, and no row is silent about what is missing."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from tests.corneum_sim import app
from tools.credibility import Credibility, load, render

ROOT = Path(__file__).resolve().parent.parent
TOLD = load()
TABLE = TOLD.model_dump()
FACTORS = {
    "Software quality assurance", "Numerical code verification", "Discretization error",
    "Numerical solver error", "Use error", "Model form", "Model inputs", "Test samples",
    "Test conditions", "Equivalency of input parameters", "Output comparison",
    "Relevance of the quantities of interest",
    "Relevance of the validation to the context of use",
}  # fmt: skip
"""Those of ASME V&V 40-2018."""


def test_every_factor_of_the_standard_has_one_row() -> None:
    factors = [row.factor for row in TOLD.row]
    assert len(factors) == len(set(factors))
    assert set(factors) >= FACTORS


@pytest.mark.parametrize("command", sorted({one for row in TOLD.row for one in row.commands}))
def test_every_command_that_a_row_names_is_there(command: str) -> None:
    first, *words = command.split()
    if first == "make":
        assert re.search(rf"^{words[0]}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    elif first == "python":
        assert (ROOT / f"{words[1].replace('.', '/')}.py").is_file()
    else:
        assert first == "corneum-sim"
        assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0


def test_a_row_below_the_wanted_level_cannot_leave_out_what_is_missing() -> None:
    low = next(row for row in TABLE["row"] if row["level"] < TOLD.wanted)
    with pytest.raises(ValidationError, match="without saying what is missing"):
        Credibility.model_validate(TABLE | {"row": [low | {"missing": ""}]})


def test_a_row_at_the_wanted_level_cannot_do_without_a_test() -> None:
    high = next(row for row in TABLE["row"] if row["level"] >= TOLD.wanted)
    with pytest.raises(ValidationError, match="without a test"):
        Credibility.model_validate(TABLE | {"row": [high | {"tests": ()}]})


def test_the_page_says_first_how_many_rows_fall_short() -> None:
    short = sum(row.level < TOLD.wanted for row in TOLD.row)
    assert f"**{short} of {len(TOLD.row)} rows are below" in render(TOLD)


def test_validation_against_skin_is_not_claimed_while_no_skin_was_measured() -> None:
    """Raise these levels with measurements, and only with them."""
    validated = [row for row in TOLD.row if row.group.startswith(("Validation", "Applicability"))]
    assert len(validated) == 8
    assert all(row.level < TOLD.wanted for row in validated)
