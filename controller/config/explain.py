"""From a failed validation to one sentence: file, field, value, allowed range, what to do."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from controller.config.errors import ConfigError
from controller.config.suggest import near
from controller.config.units import meant_by, unit_of, with_unit, without_unit

SHOWN_MAX: Final = 60  # characters of a value that are repeated in a sentence
Location = tuple[int | str, ...]
FileT = TypeVar("FileT", bound=BaseModel)


def validate(model: type[FileT], table: Mapping[str, object], path: Path) -> FileT:
    """Return ``table`` as ``model``; ConfigError with the first thing that is wrong with it."""
    try:
        return model.model_validate(table)
    except ValidationError as error:
        raise explain(model, error, path) from error


def explain(model: type[BaseModel], error: ValidationError, path: Path) -> ConfigError:
    """Return the error of ``path`` that a person should read first.

    An unknown field comes first: a wrong unit also leaves the right field missing.
    """
    details = error.errors(include_url=False)
    first = next((detail for detail in details if detail["type"] == "extra_forbidden"), details[0])
    place = first["loc"]
    words = words_of(model, first)
    return ConfigError(f"{path}, {place_of(place)}{words}", file=path, field=place_of(place))


def words_of(model: type[BaseModel], detail: ErrorDetails) -> str:
    """Return what is wrong in one place of ``model``, to be put behind the name of the place."""
    return _SENTENCES.get(detail["type"], _other)(model, detail)


def place_of(location: Location) -> str:
    """Return a location as people count: ``("stages", 0, "passes")`` is ``stages[1].passes``."""
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def range_of(field: str, info: FieldInfo | None) -> str:
    """Return the allowed values of a field in words, or an empty text."""
    if info is None:
        return ""
    info = _given(info)
    choices = get_args(info.annotation)
    if choices and all(isinstance(choice, str) for choice in choices):
        return " or ".join(f'"{choice}"' for choice in choices)
    low, high = _bound(info, "ge", "gt"), _bound(info, "le", "lt")
    if low is None or high is None or info.annotation not in {int, float}:
        return ""
    above = "above " if _bound(info, "gt") is not None else ""
    return f"{above}{low:g} to {high:g} {unit_of(field)}".rstrip()


def _given(info: FieldInfo) -> FieldInfo:
    """Return what a field that may be left out has to be when it is given."""
    kinds = [kind for kind in get_args(info.annotation) if kind is not type(None)]
    if len(kinds) != 1 or type(None) not in get_args(info.annotation):
        return info
    given = FieldInfo.from_annotation(kinds[0])
    given.metadata = [*info.metadata, *given.metadata]
    return given


def _bound(info: FieldInfo, *names: str) -> float | None:
    for mark in info.metadata:
        for name in names:
            value = getattr(mark, name, None)
            if value is not None:
                return float(value)
    return None


def _unknown(model: type[BaseModel], detail: ErrorDetails) -> str:
    field = str(detail["loc"][-1])
    parent = _model_at(model, detail["loc"][:-1])
    known = frozenset(parent.model_fields if parent is not None else ())
    said = shown(detail["input"])
    foreign = meant_by(field, known)
    if foreign is not None:
        meant, unit = foreign
        asked = range_of(meant, _info(parent, meant))
        wrote = f" = {said}: this is in {unit.unit}, and the file wants {meant} ({asked})"
        if _is_number(detail["input"]):
            value = float(detail["input"]) * unit.factor
            return f"{wrote}; {said} {unit.unit} is {meant} = {value:.4g}."
        return f"{wrote}; write {meant}."
    bare = without_unit(field, known)
    if bare is not None:
        asked = range_of(bare, _info(parent, bare))
        return f" = {said}: a number needs its unit in the name; write {bare} ({asked})."
    like = near(field, known)
    if like is not None:
        return f": there is no such field; did you mean {like}?"
    return f": there is no such field; remove it, or use one of {', '.join(sorted(known))}."


def _missing(model: type[BaseModel], detail: ErrorDetails) -> str:
    field = str(detail["loc"][-1])
    asked = range_of(field, _info_at(model, detail["loc"]))
    return f" is missing; add it{f' ({asked})' if asked else ''}."


def _not_finite(model: type[BaseModel], detail: ErrorDetails) -> str:
    return _wrong(model, detail, "is not a usable number")


def _not_a_number(model: type[BaseModel], detail: ErrorDetails) -> str:
    if isinstance(detail["input"], str):
        return _wrong(model, detail, "is text; write the number without quotes")
    return _wrong(model, detail, "is not a number")


def _not_whole(model: type[BaseModel], detail: ErrorDetails) -> str:
    if isinstance(detail["input"], str):
        return _wrong(model, detail, "is text; write the number without quotes")
    return _wrong(model, detail, "is not a whole number")


def _out_of_range(model: type[BaseModel], detail: ErrorDetails) -> str:
    return _wrong(model, detail, "is out of range")


def _wrong(model: type[BaseModel], detail: ErrorDetails, what: str) -> str:
    field = _field_name(detail["loc"])
    asked = range_of(field, _info_at(model, detail["loc"]))
    value = detail["input"]
    said = with_unit(field, value) if _is_finite(value) else shown(value)
    return f" = {said} {what}; it must be {asked or 'a value of the right kind'}."


def _pattern(_model: type[BaseModel], detail: ErrorDetails) -> str:
    marks = "lower-case letters, digits and '-' or '_', at most 40, starting with a letter"
    return f" = {shown(detail['input'])} is not a name; use {marks}."


def _other(model: type[BaseModel], detail: ErrorDetails) -> str:
    asked = range_of(_field_name(detail["loc"]), _info_at(model, detail["loc"]))
    problem = detail["msg"][:1].lower() + detail["msg"][1:]
    return f" = {shown(detail['input'])}: {problem}{f'; allowed: {asked}' if asked else ''}."


_SENTENCES: Final[Mapping[str, Callable[[type[BaseModel], ErrorDetails], str]]] = {
    "extra_forbidden": _unknown,
    "missing": _missing,
    "finite_number": _not_finite,
    "float_type": _not_a_number,
    "float_parsing": _not_a_number,
    "int_type": _not_whole,
    "int_parsing": _not_whole,
    "int_from_float": _not_whole,
    "greater_than_equal": _out_of_range,
    "greater_than": _out_of_range,
    "less_than_equal": _out_of_range,
    "less_than": _out_of_range,
    "string_pattern_mismatch": _pattern,
}


def _field_name(location: Location) -> str:
    return next((part for part in reversed(location) if isinstance(part, str)), "")


def _info_at(model: type[BaseModel], location: Location) -> FieldInfo | None:
    return _info(_model_at(model, location[:-1]), str(location[-1])) if location else None


def _info(model: type[BaseModel] | None, field: str) -> FieldInfo | None:
    return None if model is None else model.model_fields.get(field)


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    for part in location:
        if isinstance(part, int):
            continue
        info = model.model_fields.get(part)
        inner = None if info is None else _inner_model(info.annotation)
        if inner is None:
            return None
        model = inner
    return model


def _inner_model(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401  any type expression
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:  # noqa: ANN401  whatever stood in the file
    return _is_number(value) and math.isfinite(value)


def shown(value: object) -> str:
    """Return a value as it stands in a file, cut where it is long."""
    text = f'"{value}"' if isinstance(value, str) else _plain(value)
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]} ..."


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    return "a list" if isinstance(value, list) else str(value)
