"""From a failed validation to one sentence: file, field, value, allowed range, what to do."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from controller.config import wrong_kind
from controller.config.errors import ConfigError
from controller.config.lines import Location
from controller.config.meant import number_meant
from controller.config.place import mistake
from controller.config.shown import is_finite, is_number, shown
from controller.config.suggest import near
from controller.config.units import meant_by, unit_of, with_unit, without_unit

TABLES_MAX: Final = 8
"""How deep tables lie in each other at most, as names and numbers of a place."""

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
    return mistake(path, first["loc"], words_of(model, first))


def words_of(model: type[BaseModel], detail: ErrorDetails) -> str:
    """Return what is wrong in one place of ``model``, to be put behind the name of the place."""
    kind = wrong_kind.words_of(detail, field_name(detail["loc"]))
    if kind:
        return kind
    return _SENTENCES.get(detail["type"], _other)(model, detail)


def range_of(field: str, info: FieldInfo | None) -> str:
    """Return the allowed values of a field in words, or an empty text."""
    if info is None:
        return ""
    info = _given(info)
    choices = get_args(info.annotation)
    if choices and all(isinstance(choice, str) for choice in choices):
        return " or ".join(f'"{choice}"' for choice in choices)
    if isinstance(info.annotation, type) and info.annotation in wrong_kind.FORMS:
        return wrong_kind.FORMS[info.annotation]
    if info.annotation not in (int, float):
        return ""
    low, high = _bound(info, "ge", "gt"), _bound(info, "le", "lt")
    above = "above " if _bound(info, "gt") is not None else ""
    if low is not None and high is not None:
        span = f"{above}{low:g} to {high:g}"
    elif low is not None:
        span = f"{above or 'at least '}{low:g}"
    else:
        span = "" if high is None else f"at most {high:g}"
    return f"{span} {unit_of(field)}".rstrip() if span else ""


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
        if is_number(detail["input"]):
            value = float(detail["input"]) * unit.factor
            return f"{wrote}; {said} {unit.unit} is {meant} = {value:.4g}."
        return f"{wrote}; write {meant}."
    bare = without_unit(field, known)
    if bare is not None:
        asked = range_of(bare, _info(parent, bare))
        return f" = {said}: a number needs its unit in the name; write {bare} ({asked})."
    homes = list(_homes(model, field))
    if homes:
        return _misplaced(said, detail["loc"][:-1], homes)
    like = near(field, known)
    if like is not None:
        return f" = {said}: there is no such field; did you mean {like}?"
    return (
        f" = {said}: there is no such field; remove it, or use one of {', '.join(sorted(known))}."
    )


def _misplaced(said: str, table: Location, homes: list[str]) -> str:
    """A field that stands in another table than its own: often it was added at the end."""
    here = "that table" if table else "the top of the file"
    where = " or ".join(homes)
    return f" = {said}: {here} has no such field; move the line to {where}, or remove it."


def header(table: Location, *, double: bool) -> str:
    """Return the header of a table, as it stands in a file."""
    name = ".".join(part for part in table if isinstance(part, str))
    return f"[[{name}]]" if double else f"[{name}]"


def _homes(model: type[BaseModel], field: str, table: Location = ()) -> Iterator[str]:
    """Yield each table that has such a field, in words."""
    if field in model.model_fields and table:
        yield header(table, double=isinstance(table[-1], int))
    elif field in model.model_fields:
        yield "the top of the file, above the first [table]"
    for name, info in model.model_fields.items():
        inner = _inner_model(info.annotation)
        if inner is not None and len(table) < TABLES_MAX:
            several = get_origin(info.annotation) is list
            yield from _homes(inner, field, (*table, name, 0) if several else (*table, name))


def _missing(model: type[BaseModel], detail: ErrorDetails) -> str:
    field = str(detail["loc"][-1])
    asked = range_of(field, _info_at(model, detail["loc"]))
    return f" is missing; add it{f' ({asked})' if asked else ''}."


def _not_finite(model: type[BaseModel], detail: ErrorDetails) -> str:
    return _wrong(model, detail, "is not a usable number")


def _not_a_number(model: type[BaseModel], detail: ErrorDetails) -> str:
    return _wrong(model, detail, _text_for_a_number(detail) or "is not a number")


def _not_whole(model: type[BaseModel], detail: ErrorDetails) -> str:
    return _wrong(model, detail, _text_for_a_number(detail) or "is not a whole number")


def _text_for_a_number(detail: ErrorDetails) -> str:
    said = detail["input"]
    if not isinstance(said, str):
        return ""
    if "," in said and number_meant(said):
        field = field_name(detail["loc"])
        return f"is text with a decimal comma; write {field} = {number_meant(said)}"
    return "is text; write the number without quotes"


def _out_of_range(model: type[BaseModel], detail: ErrorDetails) -> str:
    return _wrong(model, detail, "is out of range")


def _wrong(model: type[BaseModel], detail: ErrorDetails, what: str) -> str:
    field = field_name(detail["loc"])
    asked = range_of(field, _info_at(model, detail["loc"]))
    value = detail["input"]
    said = with_unit(field, value) if is_finite(value) else shown(value)
    return f" = {said} {what}; it must be {asked or 'a value of the right kind'}."


def _pattern(_model: type[BaseModel], detail: ErrorDetails) -> str:
    said = shown(detail["input"])
    if field_name(detail["loc"]).endswith("sha256"):
        return f" = {said} is no hash; it must be 64 of the digits 0 to 9 and a to f."
    marks = "lower-case letters, digits and '-' or '_', at most 40, starting with a letter"
    return f" = {said} is not a name; use {marks}."


def _choice(model: type[BaseModel], detail: ErrorDetails) -> str:
    field, info = field_name(detail["loc"]), _info_at(model, detail["loc"])
    like = near(str(detail["input"]), get_args(_given(info).annotation)) if info else None
    asked = range_of(field, info) or str(detail.get("ctx", {}).get("expected", ""))
    meant = "." if like is None else f'; did you mean "{like}"?'
    return f" = {shown(detail['input'])} is none of the choices; it must be {asked}{meant}"


def _said(_model: type[BaseModel], detail: ErrorDetails) -> str:
    """A check of our own says it in words."""
    return f" = {shown(detail['input'])} cannot be used: {detail.get('ctx', {}).get('error')}."


def _other(model: type[BaseModel], detail: ErrorDetails) -> str:
    asked = range_of(field_name(detail["loc"]), _info_at(model, detail["loc"]))
    must = f"it must be {asked}" if asked else "correct it, or remove it"
    return f" = {shown(detail['input'])} cannot be used; {must}."


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
    "literal_error": _choice,
    "enum": _choice,
    "value_error": _said,
}


def field_name(location: Location) -> str:
    """Return the field of a place: of an element of a list, that of the list."""
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
