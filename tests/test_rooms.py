"""The rooms of this repository and the arrows between them, by name: a new one is a line here.

An arrow is an import, also one inside a function or for types only. Why each room is where it is:
docs/ARCHITECTURE.md and docs/adr/0031-rooms-by-who-uses-them.md.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

FLOORS = (
    {"tools"},
    {"qa"},
    {"controller", "simulator"},
    {"firmware_protocol"},
)
ARROWS = {
    "tools": {"controller", "firmware_protocol", "qa", "simulator"},
    "qa": {"controller", "firmware_protocol", "simulator"},
    "controller": {"firmware_protocol"},
    "simulator": {"firmware_protocol"},
    "firmware_protocol": set[str](),
}

CONTROLLER_FLOORS = (
    {"cli"},
    {"archive", "kernel"},
    {"record"},
    {"api"},
    {"config", "device", "treatment"},
    {"planning"},
    {"safety"},
)
CONTROLLER_ARROWS = {
    "cli": {"api", "archive", "config", "device", "record", "safety"},
    "archive": {"config", "planning", "record", "safety", "treatment"},
    "kernel": {"api", "config", "device", "planning", "record", "safety", "treatment"},
    "record": {"api", "config", "device", "planning", "safety", "treatment"},
    "api": {"config", "planning", "safety", "treatment"},
    "config": {"planning", "safety"},
    "device": {"safety"},
    "treatment": {"planning", "safety"},
    "planning": {"safety"},
    "safety": set[str](),
}
DOORS_OF_THE_RECORD = {"controller.record.offline", "controller.record.read"}
"""All that the command line sees of the record."""


def imports(room: Path) -> Iterator[str]:
    """Yield the full name of everything that the files below ``room`` import."""
    for path in sorted(room.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path} imports by dots"
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def found(room: Path, all_rooms: set[str], below: str = "") -> set[str]:
    """Return the other rooms that ``room`` imports from."""
    parts = (name.removeprefix(below).split(".")[0] for name in imports(room) if below in name)
    return {part for part in parts if part in all_rooms} - {room.name}


def test_the_rooms_of_the_top_level_are_these_and_no_others() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == set(ARROWS) == set[str]().union(*FLOORS)


@pytest.mark.parametrize("room", sorted(ARROWS))
def test_each_room_imports_from_these_rooms_alone(room: str) -> None:
    assert found(ROOT / room, set(ARROWS)) == ARROWS[room]


def test_the_rooms_of_the_controller_are_these_and_no_others() -> None:
    packages = {path.parent.name for path in (ROOT / "controller").glob("*/__init__.py")}
    assert packages == set(CONTROLLER_ARROWS) == set[str]().union(*CONTROLLER_FLOORS)


@pytest.mark.parametrize("room", sorted(CONTROLLER_ARROWS))
def test_each_room_of_the_controller_imports_from_these_rooms_alone(room: str) -> None:
    rooms = set(CONTROLLER_ARROWS)
    assert found(ROOT / "controller" / room, rooms, "controller.") == CONTROLLER_ARROWS[room]


@pytest.mark.parametrize(
    ("floors", "arrows"), [(FLOORS, ARROWS), (CONTROLLER_FLOORS, CONTROLLER_ARROWS)]
)
def test_every_arrow_points_downwards(
    floors: tuple[set[str], ...], arrows: dict[str, set[str]]
) -> None:
    floor_of = {room: number for number, rooms in enumerate(floors) for room in rooms}
    assert not [
        (room, other)
        for room, others in arrows.items()
        for other in others
        if floor_of[other] <= floor_of[room]
    ]


def test_the_command_line_sees_the_record_through_its_two_doors() -> None:
    seen = {name for name in imports(ROOT / "controller" / "cli") if "controller.record" in name}
    assert {door for door in DOORS_OF_THE_RECORD if any(door in name for name in seen)} == (
        DOORS_OF_THE_RECORD
    )
    assert not [name for name in seen if not any(door in name for door in DOORS_OF_THE_RECORD)]


def test_nothing_that_is_shipped_imports_the_tests() -> None:
    shipped = set(ARROWS) - {"tools"}
    assert not [
        name for room in shipped for name in imports(ROOT / room) if name.split(".")[0] == "tests"
    ]
