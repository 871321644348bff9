"""From a `Scenario` to the text of its file: what differs from the defaults, nothing else.

``parse_scenario(dump_scenario(scenario)) == scenario`` for every scenario.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel

from qa.scenarios.model import Scenario


def dump_scenario(scenario: Scenario) -> str:
    """Return the TOML text of a scenario, with the schema that editors read."""
    return "\n".join(["#:schema ../schemas/scenario.json", *_lines(scenario), ""])


def _lines(scenario: Scenario) -> Iterator[str]:
    said = _said(scenario)
    tables = {
        name: said.pop(name) for name in ("unit", "clients", "steps", "expect") if name in said
    }
    yield from (f"{name} = {_value(value)}" for name, value in said.items())
    for name, value in tables.items():
        for each in value if isinstance(value, list) else [value]:
            yield ""
            yield f"[[{name}]]" if isinstance(value, list) else f"[{name}]"
            yield from (f"{key} = {_value(item)}" for key, item in each.items())


def _said(model: BaseModel) -> dict[str, Any]:
    """Return what is not a default, the tag first; a model's own fields come before its base's."""
    said: dict[str, Any] = {}
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        if info.is_required() or value != info.get_default(call_default_factory=True):
            said[name] = _plain(value)
    tag = next((name for name in ("do", "check") if name in said), None)
    return said if tag is None else {tag: said.pop(tag), **said}


def _plain(value: Any) -> Any:  # noqa: ANN401  any field of a scenario
    if isinstance(value, BaseModel):
        return _said(value)
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _value(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return _text(value)
        case Mapping():
            pairs = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items())
            return f"{{ {pairs} }}"
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case date():
            return value.isoformat()
        case _:
            return repr(value)


def _key(key: str) -> str:
    bare = key.replace("_", "").replace("-", "")
    return key if bare.isalnum() and bare.isascii() else _text(key)


def _text(text: str) -> str:
    """Return a basic string; JSON escapes are TOML's too, but for the DEL character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
