import json
from pathlib import Path

import pytest

from controller.config.locate import shipped_configs
from controller.config.schema import SCHEMAS, schema_text

FILES = sorted(shipped_configs().rglob("*.toml"))


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schema_beside_the_files_is_the_one_of_the_models(name: str) -> None:
    path = shipped_configs() / "schemas" / f"{name}.json"
    assert path.read_text(encoding="utf-8") == schema_text(SCHEMAS[name])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_shipped_file_names_the_schema_that_editors_shall_use(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("#:schema ../schemas/")
    assert (path.parent / first.removeprefix("#:schema ")).is_file()


def test_a_schema_carries_the_ranges() -> None:
    schema = json.loads(schema_text(SCHEMAS["program"]))
    suction = schema["$defs"]["StageFile"]["properties"]["suction_kpa"]
    assert (suction["minimum"], suction["maximum"]) == (10.0, 50.0)
    assert schema["additionalProperties"] is False
