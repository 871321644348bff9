"""Mistakes in a scenario file: file, line, field and what is allowed, one sentence each."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from controller.config.explain import words_of
from controller.config.lines import Location, line_of
from controller.config.place import place_of
from controller.config.shown import shown
from controller.config.suggest import near
from controller.config.toml_words import syntax_words
from qa.scenarios.expectations import EXPECTATIONS
from qa.scenarios.model import HAZARD_ID, Scenario
from qa.scenarios.moments import NOT_ONE
from qa.scenarios.steps import STEPS
from qa.scenarios.words import CODE, NOT_A_WORD


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong with a file."""

    file: Path
    line: int
    field: str
    what: str

    def __str__(self) -> str:
        """Say it in one sentence that an editor can follow to the line."""
        return f"{self.file}:{self.line}: {self.field}{self.what}"


class ScenarioError(Exception):
    """A scenario file cannot be used; ``mistakes`` has all that is wrong with it."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = tuple(mistakes)


def _tagged(models: Sequence[type[BaseModel]], tag: str) -> Mapping[str, type[BaseModel]]:
    return {
        name: model for model in models for name in get_args(model.model_fields[tag].annotation)
    }


STEP_OF: Final = _tagged(STEPS, "do")
"""The model of a step by the name that stands behind ``do``."""
EXPECTATION_OF: Final = _tagged(EXPECTATIONS, "check")
_TAGS: Final = {"steps": ("do", STEP_OF), "expect": ("check", EXPECTATION_OF)}
_TAG_AT: Final = 2
_SHAPES: Final = {
    HAZARD_ID: 'the id of a hazard; it must be H and two digits, like "H04"',
    CODE: "a code; it must be letters, digits and '_', at most 40, starting with a letter",
}


def mistakes_of(error: ValidationError, path: Path, lines: Mapping[Location, int]) -> list[Mistake]:
    """Return everything that is wrong, in the order of the lines.

    A field that is not known hides the one that is missing: with the wrong name goes the right one.
    """
    details = error.errors(include_url=False)
    unknown = {detail["loc"][:-1] for detail in details if detail["type"] == "extra_forbidden"}
    found = [
        _mistake(detail, path, lines)
        for detail in details
        if not (detail["type"] in ("missing", NOT_ONE) and _table(detail) in unknown)
    ]
    return sorted(found, key=lambda mistake: mistake.line)


def syntax_mistake(error: ValueError, path: Path, text: str) -> Mistake:
    """Return what keeps a text from being TOML."""
    found = syntax_words(error, text)
    return Mistake(path, found.line, "", found.what)


def _table(detail: ErrorDetails) -> Location:
    return detail["loc"] if detail["type"] == NOT_ONE else detail["loc"][:-1]


def _mistake(detail: ErrorDetails, path: Path, lines: Mapping[Location, int]) -> Mistake:
    location, model, inside = _resolved(detail["loc"])
    what = _what(model, cast("ErrorDetails", {**detail, "loc": inside}), location)
    if detail["type"].startswith("union_tag"):
        location = (*location, _TAGS[str(location[0])][0])
    return Mistake(path, line_of(lines, location), place_of(location), what)


def _resolved(location: Location) -> tuple[Location, type[BaseModel], Location]:
    """Return the place in the file, and the model with the place in it.

    pydantic puts the tag of a union into the place, where the file has nothing.
    """
    known = _TAGS.get(str(location[0])) if location else None
    if known is None or len(location) <= _TAG_AT:
        return location, Scenario, location
    return (
        (*location[:_TAG_AT], *location[_TAG_AT + 1 :]),
        known[1][str(location[_TAG_AT])],
        location[_TAG_AT + 1 :],
    )


def _what(model: type[BaseModel], detail: ErrorDetails, location: Location) -> str:
    kind = detail["type"]
    if kind == NOT_ONE:
        return _not_one(detail["ctx"], detail["msg"])
    if kind.startswith("union_tag"):
        return _not_told(detail, *_TAGS[str(location[0])])
    words = _words_of(detail)
    if words is not None:
        return _not_a_word(detail["input"], words)
    shape = _SHAPES.get(str(detail.get("ctx", {}).get("pattern")))
    if shape is not None:
        return f" = {shown(detail['input'])} is not {shape}."
    return words_of(model, detail)


def _words_of(detail: ErrorDetails) -> Sequence[str] | None:
    """Return the words that may stand there, where it is a matter of words."""
    if detail["type"] == NOT_A_WORD:
        words: Sequence[str] = detail["ctx"]["words"]
        return words
    if detail["type"] == "literal_error":
        return re.findall(r"'([^']*)'", str(detail["ctx"]["expected"]))
    return None


def _not_told(detail: ErrorDetails, tag: str, models: Mapping[str, type[BaseModel]]) -> str:
    if detail["type"] == "union_tag_not_found":
        return f" is missing; add it ({_choices(models)})."
    return _not_a_word(cast("dict[str, object]", detail["input"]).get(tag), list(models))


def _not_one(context: Mapping[str, Any], what: str) -> str:
    given = [str(name) for name in context["given"]]
    has = f" and has {' and '.join(given)}" if given else ", and has none"
    return f" {what} of {', '.join(context['fields'])}{has}."


def _not_a_word(said: object, words: Sequence[str]) -> str:
    like = near(str(said), words)
    meant = "." if like is None else f'; did you mean "{like}"?'
    return f" = {shown(said)} is not one of {_choices(words)}{meant}"


def _choices(words: Iterable[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)
