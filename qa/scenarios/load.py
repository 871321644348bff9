"""From a scenario file to a `Scenario`, or to every mistake in it."""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from controller.config.lines import line_of, lines_of
from qa.scenarios.mistakes import Mistake, ScenarioError, mistakes_of, syntax_mistake
from qa.scenarios.model import Scenario

FILE_MAX_BYTES: Final = 1024 * 1024  # a shrunk storm has hundreds of steps, some 50 bytes each


def load_scenario(path: Path) -> Scenario:
    """Return the scenario in ``path``; ScenarioError with every mistake in it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _one(path, f"it cannot be read ({error.strerror}).") from error
    if len(data) > FILE_MAX_BYTES:
        raise _one(path, f"it is larger than {FILE_MAX_BYTES // 1024} KiB, which no scenario is.")
    try:
        text = data.decode("utf-8-sig")  # editors of Windows begin a file with a mark
    except UnicodeDecodeError as error:
        raise _one(path, f"it is not UTF-8 text (byte {error.start}).") from error
    scenario = parse_scenario(text, path)
    if scenario.name != path.stem:
        lines = lines_of(text)
        what = f' = "{scenario.name}" differs from the name of the file; write "{path.stem}".'
        raise ScenarioError([Mistake(path, line_of(lines, ("name",)), "name", what)])
    return scenario


def parse_scenario(text: str, path: Path = Path("scenario.toml")) -> Scenario:
    """Return the scenario in a text; ScenarioError names its mistakes as those of ``path``."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError([syntax_mistake(error, path, text)]) from error
    try:
        scenario = Scenario.model_validate(table)
    except ValidationError as error:
        raise ScenarioError(mistakes_of(error, path, lines_of(text))) from error
    found = [*_disorder(scenario), *_doubles(scenario)]
    if found:
        lines = lines_of(text)
        raise ScenarioError(
            [Mistake(path, line_of(lines, at), field, what) for at, field, what in found]
        )
    return scenario


def scenario_files(places: Iterable[Path]) -> list[Path]:
    """Return the files that are named, and those of the folders that are named, in order."""
    files: list[Path] = []
    for place in places:
        found = sorted(place.rglob("*.toml")) if place.is_dir() else [place]
        if not found:
            raise _one(place, "the folder has no scenario (*.toml).")
        files += [file for file in found if file not in files]
    return files


def _one(path: Path, what: str) -> ScenarioError:
    return ScenarioError([Mistake(path, 1, "", what)])


_Found = tuple[tuple[int | str, ...], str, str]


def _disorder(scenario: Scenario) -> Iterator[_Found]:
    latest_s, latest = 0.0, 0
    for number, step in enumerate(scenario.steps):
        if step.at_s is None:
            continue
        if step.at_s < latest_s:
            what = (
                f" = {step.at_s:g} s is before the {latest_s:g} s of steps[{latest + 1}]; "
                "steps are done in their order."
            )
            yield ("steps", number, "at_s"), f"steps[{number + 1}].at_s", what
        latest_s, latest = step.at_s, number


def _doubles(scenario: Scenario) -> Iterator[_Found]:
    refs = ["demo"]
    for number, client in enumerate(scenario.clients):
        if client.ref in refs:
            what = f' = "{client.ref}" is taken; every client has a name of its own.'
            yield ("clients", number, "ref"), f"clients[{number + 1}].ref", what
        refs.append(client.ref)
