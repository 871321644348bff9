"""The next minor version as a test knows it: the packages under other names, with a later minor.

The copies (`next_firmware_protocol`, `next_simulator`, `next_controller`) are this checkout's own
sources. Only what `EDITS` says is changed: one periodic message, one one-shot, one cause and one
permit bit more, and a unit that uses them. Their codecs are rendered anew from their catalogue.
"""

import importlib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

TOP: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("firmware_protocol", "simulator", "controller", "qa", "tools")
PREFIX: Final = "next_"
_IMPORT: Final = re.compile(rf"^(\s*(?:from|import) )({'|'.join(PACKAGES)})\b", re.MULTILINE)

WEAR: Final = '''class Wear(NamedTuple):
    """How far the tip is worn."""

    percent: Annotated[int, u8("%", "wear of the tip", high=100)]


class Blink(NamedTuple):
    """Blink the lamp, so that somebody finds this unit."""


Message = (
    Wear | Blink |'''
EDITS: Final = {
    "firmware_protocol/catalogue.py": (
        ("PROTOCOL_MINOR: Final = 1", "PROTOCOL_MINOR: Final = 2"),
        ("CATALOGUE: Final = (", "CATALOGUE: Final = (\n    Spec(m.Wear, 0x42, "
         "Direction.TO_HOST, Kind.PERIODIC, must_understand=False, since=2),\n"
         "    Spec(m.Blink, 0x15, Direction.TO_DEVICE, Kind.REQUEST, since=2),"),
    ),
    "firmware_protocol/messages.py": (("Message = (\n   ", WEAR),),
    "firmware_protocol/vocabulary.py": (
        ("    EXPOSURE = 24\n", "    EXPOSURE = 24\n    TIP_WORN = 25\n"),
        ("    ALL = 511\n", "    ALL = 511\n    TIP = 512\n"),
        ("Refusal.WITNESS_AHEAD, 1, Refusal.WRONG_MODE),)", "Refusal.WITNESS_AHEAD, 1, "
         "Refusal.WRONG_MODE),\n"
         "    Added(Cause.TIP_WORN, 2, Cause.TIP_CHANGED),\n"
         "    Added(Permit.TIP, 2, Permit.REQUESTED))"),
    ),
    "simulator/firmware/reports.py": (("        a.permits,\n", "        a.permits | 512,\n"),),
    "simulator/firmware/firmware.py": (
        ("            self.board.settle()\n", "            self.board.settle()\n"
         "            if self.link.session:\n"
         "                self._write(self.link.send(Wear(40)))\n"),
        ("import Message, Setpoint, Stop", "import Message, Setpoint, Stop, Wear"),
    ),
}  # fmt: skip


def write(folder: Path) -> None:
    """Write the copies below ``folder``; a text that an edit does not find is an error."""
    for package in PACKAGES:
        for path in (TOP / package).rglob("*"):
            name = path.relative_to(TOP)
            if path.is_dir() or path.suffix not in {".py", ".json"}:
                continue
            target = folder / f"{PREFIX}{name}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_edited(name.as_posix(), path.read_text("utf-8")), "utf-8")
    (folder / "configs").symlink_to(TOP / "configs")


def _edited(name: str, text: str) -> str:
    for old, new in EDITS.get(name, ()):
        if text.count(old) != 1:
            raise ValueError(f"{name} holds {old!r} {text.count(old)} times, not once")
        text = text.replace(old, new)
    return _IMPORT.sub(rf"\1{PREFIX}\2", text)


class NextMinor:
    """The copies, ready to be imported."""

    def module(self, name: str) -> ModuleType:
        """Return the copy of a module of ours."""
        return importlib.import_module(PREFIX + name)

    def get(self, name: str, what: str) -> Any:  # noqa: ANN401 (types exist for the original only)
        """Return what the copy of a module holds under a name."""
        return getattr(self.module(name), what)


@contextmanager
def next_minor(folder: Path) -> Iterator[NextMinor]:
    """Write the copies, render their codecs, and let them be imported for a while."""
    write(folder)
    sys.path.insert(0, str(folder))
    try:
        found = NextMinor()
        for way in found.get("firmware_protocol.catalogue", "Direction"):
            text = found.get("tools.codecs", "render_codec")(way)
            codec = folder / f"{PREFIX}firmware_protocol/codec_{way.name.lower()}.py"
            codec.write_text(_IMPORT.sub(rf"\1{PREFIX}\2", text), "utf-8")
        yield found
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.startswith(PREFIX)]:
            del sys.modules[name]
