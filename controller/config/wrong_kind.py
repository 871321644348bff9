"""A value of another kind than its field wants: text for a date, a table for a list, and so on."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final

from pydantic import AwareDatetime
from pydantic_core import ErrorDetails

from controller.config.meant import DATE_EXAMPLE, date_meant, truth_meant
from controller.config.shown import is_number, shown

FORMS: Final[Mapping[object, str]] = MappingProxyType(
    {
        bool: "true or false",
        date: f"a date such as {DATE_EXAMPLE}, without quotes",
        AwareDatetime: f"a date with time and zone such as {DATE_EXAMPLE}T09:30:00Z",
    }
)
"""How a value of a kind is written, where no range says it."""

Words = Callable[[str, Any, Mapping[str, Any]], str]


def words_of(detail: ErrorDetails, field: str) -> str:
    """Return what is wrong with the kind of a value, or nothing for every other mistake."""
    words = _WORDS.get(detail["type"])
    if words is None:
        return ""
    return f" = {shown(detail['input'])} {words(field, detail['input'], detail.get('ctx', {}))}."


def _truth(field: str, value: Any, _about: Mapping[str, Any]) -> str:  # noqa: ANN401  from a file
    truth = truth_meant(str(value))
    if truth:
        return f"is text; write {field} = {truth}, without quotes"
    return f"is neither yes nor no; write {field} = true or {field} = false"


def _text(field: str, value: Any, _about: Mapping[str, Any]) -> str:  # noqa: ANN401  from a file
    if isinstance(value, dict | list):
        return "is no text; write one text in quotes"
    return f'is no text; write it in quotes: {field} = "{shown(value)}"'


def _date(field: str, value: Any, _about: Mapping[str, Any]) -> str:  # noqa: ANN401  from a file
    if isinstance(value, datetime):
        return f"has a time; write the date alone: {field} = {value:%Y-%m-%d}"
    meant = date_meant(str(value)) if isinstance(value, str) else ""
    if meant:
        return f"is text; write the date without quotes: {field} = {meant}"
    return f"is no date; write year-month-day without quotes, such as {field} = {DATE_EXAMPLE}"


def _moment(field: str, _value: Any, _about: Mapping[str, Any]) -> str:  # noqa: ANN401  from a file
    return f"is no moment; write date, time and zone: {field} = {DATE_EXAMPLE}T09:30:00Z"


def _list(field: str, value: Any, _about: Mapping[str, Any]) -> str:  # noqa: ANN401  from a file
    if isinstance(value, dict):
        return f"is one table; write its header with two brackets: [[{field}]]"
    if isinstance(value, str):
        parts = ", ".join(f'"{each.strip()}"' for each in value.split(",") if each.strip())
        return f"is text; write a list: {field} = [{parts}]"
    return f"is no list; write its values in brackets, or tables with the header [[{field}]]"


def _table(field: str, value: Any, _about: Mapping[str, Any]) -> str:  # noqa: ANN401  from a file
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return f"is a list of tables; write its header with one bracket: [{field}]"
    return f"is no table; write the header [{field}], and its fields in the lines below"


def _length(field: str, value: Any, about: Mapping[str, Any]) -> str:  # noqa: ANN401  from a file
    least = about.get("min_length", 1)
    most = about.get("max_length")
    bound = f"at least {least}" if most is None else f"at most {most}"
    what = "characters" if isinstance(value, str) else "entries"
    if not value:
        return f"is empty; {field} must have {bound} {what}"
    return f"has {len(value)} {what}; {field} must have {bound}"


def _whole(field: str, value: Any, _about: Mapping[str, Any]) -> str:  # noqa: ANN401  from a file
    return f"is too large a number for {field}" if is_number(value) else f"is no value of {field}"


_WORDS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        **dict.fromkeys(("bool_type", "bool_parsing"), _truth),
        **dict.fromkeys(("string_type", "string_unicode"), _text),
        **dict.fromkeys(
            (
                "date_type", "date_parsing", "date_from_datetime_parsing",
                "date_from_datetime_inexact",
            ),
            _date,
        ),
        **dict.fromkeys(
            (
                "datetime_type", "datetime_parsing", "datetime_from_date_parsing",
                "timezone_aware",
            ),
            _moment,
        ),
        **dict.fromkeys(("list_type", "tuple_type"), _list),
        **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), _table),
        **dict.fromkeys(
            ("too_short", "too_long", "string_too_short", "string_too_long"), _length
        ),
        "int_parsing_size": _whole,
    }
)  # fmt: skip
