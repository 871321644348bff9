"""Reads the constants of a module with the comment that stands beside each, for tables of them."""

import ast
import inspect
import io
import tokenize
from types import ModuleType
from typing import NamedTuple


class Constant(NamedTuple):
    """One public number of a module."""

    name: str
    value: float
    why: str
    """The comment on its line, or the text below it; may be empty."""


def constants_of(module: ModuleType) -> list[Constant]:
    """Return the public numbers that a module assigns, in their order."""
    source = inspect.getsource(module)
    comments = _comments(source)
    found = []
    body = ast.parse(source).body
    for at, node in enumerate(body):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        name = node.target.id
        value = getattr(module, name)
        if name.startswith("_") or not name.isupper() or type(value) not in (int, float):
            continue
        below = _text(body[at + 1]) if at + 1 < len(body) else ""
        found.append(Constant(name, value, comments.get(node.end_lineno or 0, "") or below))
    return found


def meanings_of(words: type) -> dict[str, str]:
    """Return the text below each member of an enum, by its name, where there is one."""
    (body,) = ast.parse(inspect.getsource(words)).body
    if not isinstance(body, ast.ClassDef):
        return {}
    found = {}
    for at, node in enumerate(body.body[:-1]):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = _text(body.body[at + 1])
            if text:
                found[node.targets[0].id] = text
    return found


def _text(node: ast.stmt) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return " ".join(str(node.value.value).split())
    return ""


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]: token.string.lstrip("# ")
        for token in tokens
        if token.type == tokenize.COMMENT and "noqa" not in token.string
    }
