"""Renders the codecs from the catalogue. Pure: `tools/generate.py` writes the files."""

from textwrap import wrap
from typing import Final

from firmware_protocol.catalogue import CATALOGUE, Direction, Spec
from firmware_protocol.frame import flags_of, free_flags_of
from firmware_protocol.messages import Field
from firmware_protocol.schema import fields_of

_LINE_MAX: Final = 100
_WAY: Final = {
    Direction.TO_DEVICE: "from host to device",
    Direction.TO_HOST: "from device to host",
}
_CODEC_HEAD: Final = '''"""Packs and unpacks the messages {way}.

Generated from the catalogue by `python -m tools.generate`; do not edit. One Struct holds header and
payload, and a range is checked only where it is narrower than its width.
"""
# ruff: noqa: PLR2004 (the numbers are those of the catalogue)
# fmt: off

from collections.abc import Callable
from struct import Struct
from typing import Final

from firmware_protocol import messages as m
from firmware_protocol.catalogue import Direction, Seed
from firmware_protocol.errors import BadFrameError, LocalProtocolError, Reject
from firmware_protocol.frame import RESIDUE, SEEDS, Frame, cobs_encode, crc32
from firmware_protocol.schema import complaint

_FIXED_SEED: Final = SEEDS[Direction.{direction}, Seed.FIXED]
_SCHEMA_SEED: Final = SEEDS[Direction.{direction}, Seed.SCHEMA]
_crc_bytes = Struct("<I").pack
_new = tuple.__new__
'''


def render_codec(direction: Direction) -> str:
    """Return the module that packs and unpacks the messages of one direction."""
    specs = [spec for spec in CATALOGUE if spec.direction is direction]
    head = _CODEC_HEAD.format(way=_WAY[direction], direction=direction.name)
    return "\n".join([head, *(_render_pair(spec) for spec in specs), _render_tables(specs)])


def _render_pair(spec: Spec) -> str:
    name = spec.message.__name__
    low = name.lower()
    names = [name for name, _ in fields_of(spec.message)]
    codes = "".join(field.code for _, field in fields_of(spec.message))
    first = f"{flags_of(spec) << 8 | spec.number:#06x}"  # type and flags, as one number
    free = free_flags_of(spec)
    checked = 0xFFFF ^ free << 8
    expected = f"{(flags_of(spec) << 8 | spec.number) & checked:#06x}"
    flags = "head >> 8" if free else str(flags_of(spec))
    lines = [
        f'_{low}_pack = Struct("<HIH{codes}").pack',
        f'_{low}_unpack = Struct("<HIH{codes}4x").unpack',
        f"_{low} = m.{name}",
        "",
        "",
        f"def _pack_{low}(message: m.{name}, session: int, seq: int, flags: int) -> bytes:",
        *(_listed("    (", names, ") = message") if names else []),
        *_guarded(spec, "LocalProtocolError(complaint(message))"),
        *_listed(
            f"    raw = _{low}_pack(",
            [first + " | flags << 8" * bool(free), "session", "seq", *names],
            ")",
        ),
        f'    return cobs_encode(raw + _crc_bytes(crc32(raw, _{spec.seed.name}_SEED))) + b"\\0"',
        "",
        "",
        f"def _unpack_{low}(raw: bytes) -> Frame:",
        f"    if crc32(raw, _{spec.seed.name}_SEED) != RESIDUE:",
        "        raise BadFrameError(Reject.CRC)",
        *_listed("    (", ["head", "session", "seq", *names], f") = _{low}_unpack(raw)"),
        f"    if head{f' & {checked:#06x}' * bool(free)} != {expected}:",
        "        raise BadFrameError(Reject.FLAGS)",
        *_guarded(spec, "BadFrameError(Reject.RANGE)"),
        *_listed(f"    message = _new(_{low}, (", names, "))"),
        f"    return _new(Frame, (message, session, seq, {flags}))",
        "",
        "",
    ]
    return "\n".join(lines)


def _listed(before: str, names: list[str], after: str) -> list[str]:
    """Return the names between brackets, on one line where they fit."""
    row = ", ".join(names) + "," * (len(names) == 1)
    if len(before + row + after) <= _LINE_MAX:
        return [before + row + after]
    inner = " " * 8
    body = wrap(row + ",", _LINE_MAX, initial_indent=inner, subsequent_indent=inner)
    return [before, *body, "    " + after]


def _guard(spec: Spec) -> str:
    checks = (render_check(name, field) for name, field in fields_of(spec.message))
    return " and ".join(check for check in checks if check)


def _guarded(spec: Spec, error: str) -> list[str]:
    guard = _guard(spec)
    return [f"    if not ({guard}):", f"        raise {error}"] if guard else []


def render_check(name: str, field: Field) -> str:
    """Return the comparison that a field needs, or nothing where its width says enough."""
    if field.fills_its_width:
        bound = f"{name} >= {field.low}" if field.low > 0 else name
    else:
        bound = f"{field.low} <= {name}" if field.low > 0 else name
        bound += f" <= {field.top}"
    if bound == name:
        return ""
    return bound if field.unknown is None else f"({bound} or {name} == {field.unknown})"


def _render_tables(specs: list[Spec]) -> str:
    names = [spec.message.__name__ for spec in specs]
    return "\n".join(
        [
            "PACK: Final[dict[type[m.Message], Callable[..., bytes]]] = {",
            *(f"    m.{name}: _pack_{name.lower()}," for name in names),
            "}",
            "UNPACK: Final[dict[int, Callable[[bytes], Frame]]] = {",
            *(f"    {s.number:#04x}: _unpack_{s.message.__name__.lower()}," for s in specs),
            "}",
            "",
        ]
    )
