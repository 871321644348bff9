"""Checking a whole folder of configurations: every file, every error, nothing changed.

A file passes where a treatment would not be refused because of it, today: a date that has passed or
a question without an answer is told here, and not first with a client in the chair.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from controller.config.approvals import FILE_NAME, read_approvals
from controller.config.chances import FILE as CHANCES
from controller.config.chances import read_chances
from controller.config.errors import ConfigError
from controller.config.foresee import Foreseen, of_client, of_unit
from controller.config.people import read_client, read_unit, zone_names
from controller.config.programs import approval_in, program_hashes, read_program
from controller.config.readings import Zones
from controller.config.skin import load_skin, read_removal, read_sites
from controller.config.suggest import near
from controller.config.toml_file import check_folder, read_toml

FOLDERS: Final = ("clients", "deploy", "handpieces", "programs", "scenarios", "schemas", "skin")
"""What a folder of configurations may hold; anything else is read by nobody."""

NEEDED: Final = ("clients", "handpieces", "programs", "skin")
"""Without one of these no treatment can be planned."""


class Checked(NamedTuple):
    """One file, and what is wrong with it; an empty problem means that it can be used."""

    file: Path
    problem: str
    notes: tuple[str, ...] = ()
    """What to know about it, though it can be used."""


Reader = Callable[[Path], Foreseen]


def needed_in(configs: Path) -> tuple[str, ...]:
    """Return which of the folders that a treatment needs a configuration lacks."""
    return tuple(name for name in NEEDED if not (configs / name).is_dir())


def check_configs(configs: Path, now_wall_s: float) -> tuple[Checked, ...]:
    """Check every file of a folder. Programs and clients need the skin data to be whole."""
    skin_files = (
        _one(configs / "skin" / "sites.toml", _plainly(read_sites)),
        _one(configs / "skin" / "removal.toml", _plainly(read_removal)),
    )
    found = [*skin_files, *_strays(configs)]
    found += _each(configs / "handpieces", _unit_reader(now_wall_s))
    if not skin_files[0].problem:
        found += _each(configs / "clients", _client_reader(zone_names(configs), now_wall_s))
    if not any(each.problem for each in skin_files):
        found += _each(configs / "programs", _program_reader(configs))
        if (configs / FILE_NAME).exists():
            found.append(_one(configs / FILE_NAME, _approvals))
        if (configs / CHANCES).exists():
            found.append(_one(configs / CHANCES, _chances_reader(configs)))
    return tuple(found)


def check_file(path: Path, skin_of: Path, now_wall_s: float) -> Checked:
    """Check one file, wherever it lies; zones are those of the skin data of a folder."""
    try:
        reader = _reader_of(path, skin_of, now_wall_s)
    except ConfigError as error:
        return Checked(path, error.sentence)
    return _one(path, reader)


def _reader_of(path: Path, skin_of: Path, now_wall_s: float) -> Reader:
    """Tell the kind of a file by a field that only this kind has; a program otherwise."""
    table = read_toml(path)
    readers: tuple[tuple[str, Callable[[], Reader]], ...] = (
        ("phototype", lambda: _client_reader(zone_names(skin_of), now_wall_s)),
        ("checklist", lambda: _client_reader(zone_names(skin_of), now_wall_s)),
        ("tip", lambda: _unit_reader(now_wall_s)),
        ("sites", lambda: _plainly(read_sites)),
        ("rules", lambda: _plainly(read_removal)),
        ("approvals", lambda: _approvals),
        ("programs", lambda: _chances_reader(skin_of)),
        ("expect", lambda: _scenario),
        ("anchors", lambda: _anchors),
    )
    made = next((reader for field, reader in readers if field in table), None)
    return _program_reader(skin_of) if made is None else made()


def _plainly(reader: Callable[[Path], object]) -> Reader:
    def read(path: Path) -> Foreseen:
        reader(path)
        return Foreseen()

    return read


def _unit_reader(now_wall_s: float) -> Reader:
    return lambda path: of_unit(read_unit(path), path, now_wall_s)


def _client_reader(zones: Zones, now_wall_s: float) -> Reader:
    return lambda path: of_client(read_client(path, zones), path, now_wall_s)


def _program_reader(configs: Path) -> Reader:
    skin = load_skin(configs)

    def read(path: Path) -> Foreseen:
        read_program(path, skin)
        approval = approval_in(path)
        if approval is None:
            return Foreseen()
        return Foreseen(notes=(f"{path} is above every preset; approved {approval.words}.",))

    return read


def _approvals(path: Path) -> Foreseen:
    """Read the approvals, and name those that no program rests on any more."""
    names, approvals = program_hashes(path.parent), read_approvals(path)
    for number, each in enumerate(approvals, start=1):
        meant = names.get(each.sha256, each.program)
        if meant != each.program:
            raise ConfigError(
                f'{path}, approvals[{number}].program = "{each.program}" is not the program of '
                f"that sha256; did you mean {meant}?",
                file=path,
                field=f"approvals[{number}].program",
            )
    return Foreseen(
        notes=tuple(
            f"{path}: the approval of {each.program}, {each.words}, is of no program that lies "
            "here: it was edited or removed since."
            for each in approvals
            if each.sha256 not in names
        )
    )


def _chances_reader(configs: Path) -> Reader:
    names = program_hashes(configs)

    def read(path: Path) -> Foreseen:
        """Read the chances, and name those of a content that no program has any more."""
        return Foreseen(
            notes=tuple(
                f"{path}: what was simulated for {each.name} is of no program that lies here: it "
                "was edited or removed since. Plans say nothing of it."
                for each in read_chances(path)
                if each.sha256 not in names
            )
        )

    return read


def _scenario(path: Path) -> Foreseen:
    raise ConfigError(
        f"{path} is a scenario for the simulator, not a configuration; check it with "
        f"corneum-sim run {path}.",
        file=path,
    )


def _anchors(path: Path) -> Foreseen:
    raise ConfigError(
        f"{path} is what publications say of the removal rate, not a configuration; check it with "
        "corneum-sim anchors --configs FOLDER, whose skin/anchors.toml it is.",
        file=path,
    )


def _strays(configs: Path) -> Iterator[Checked]:
    """Yield folders and files that nobody reads because of how they are called."""
    for path in sorted(configs.glob("*")):
        if path.is_dir() and path.name not in FOLDERS and any(path.glob("*.toml")):
            meant = near(path.name, FOLDERS)
            hint = f"did you mean {meant}?" if meant else f"folders are {', '.join(FOLDERS)}."
            yield Checked(path, f"{path} is a folder that nobody reads; {hint}")
    for folder in NEEDED:
        for path in sorted((configs / folder).glob("*")):
            if path.suffix != ".toml" and path.suffix.lower() == ".toml":
                yield Checked(path, f"{path} is not read; its name must end in .toml.")


def _each(folder: Path, reader: Reader) -> Sequence[Checked]:
    try:
        check_folder(folder)
    except ConfigError as error:
        return [Checked(folder, error.sentence)]
    return [_one(path, reader) for path in sorted(folder.glob("*.toml"))]


def _one(path: Path, reader: Reader) -> Checked:
    try:
        return Checked(path, *reader(path))
    except ConfigError as error:
        return Checked(path, error.sentence)
