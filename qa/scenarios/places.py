"""The configuration that a scenario runs with: the shipped one, or a copy with its own people."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from controller.config.locate import shipped_configs
from qa.scenarios.model import Scenario, ScenarioClient, ScenarioUnit
from qa.scenarios.words import QUESTIONS


@contextlib.contextmanager
def configs_of(scenario: Scenario) -> Iterator[Path | None]:
    """Return the folder of the configuration; None is the shipped one, as it is."""
    if not scenario.clients and scenario.unit == ScenarioUnit():
        yield None
        return
    shipped = shipped_configs()
    with tempfile.TemporaryDirectory(prefix="corneum-scenario-") as name:
        folder = Path(name)
        for part in ("programs", "skin"):
            (folder / part).symlink_to((shipped / part).resolve())
        for part in ("clients", "handpieces"):
            shutil.copytree(shipped / part, folder / part)
        for client in scenario.clients:
            path = folder / "clients" / f"{client.ref}.toml"
            path.write_text(_client_text(client), encoding="utf-8")
        unit = folder / "handpieces" / "simulated.toml"
        unit.write_text(_unit_text(unit.read_text(encoding="utf-8"), scenario.unit), "utf-8")
        yield folder


def _client_text(client: ScenarioClient) -> str:
    lines = [
        f'ref = "{client.ref}"',
        f"practice = {str(client.practice).lower()}",
        f"phototype = {client.phototype}",
        f"age_years = {client.age_years}",
        f'skin = "{client.skin}"',
        f"exclusions = {json.dumps(client.exclusions)}",
        "[checklist]",
        *(f"{key} = {str(key in client.contraindications).lower()}" for key in QUESTIONS),
    ]
    return "\n".join(lines) + "\n"


def _unit_text(shipped: str, unit: ScenarioUnit) -> str:
    """Return the shipped unit with the values of the scenario in the place of its own."""
    given = {
        "suction_max_kpa": unit.suction_max_kpa,
        "flow_max_g_per_min": unit.flow_max_g_per_min,
        "calibration_due": unit.calibration_due,
    }
    own = {name: value for name, value in given.items() if value is not None}
    top, bracket, tables = shipped.partition("\n[")
    kept = [line for line in top.splitlines() if line.split("=")[0].strip() not in own]
    return "\n".join([*kept, *(f"{name} = {value}" for name, value in own.items())]) + (
        f"\n{bracket}{tables}"
    )
