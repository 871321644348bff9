"""A zone that a limit ends before its time, on the whole service: no trip, and inside the limit."""

import json
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from controller.config.locate import shipped_configs
from qa.loop import run_virtual
from qa.rig import RigSpec, service
from simulator.plant.spec import PlantSpec
from tests.controller.record.edits import bodies


def treated(
    program: str, zones: list[str], configs: Path, *, motion_sensor: bool
) -> dict[str, Any]:
    """Treat the practice client to the end; return the zones, their ends, how often it shut."""

    async def scenario() -> dict[str, Any]:
        spec = RigSpec(plant=PlantSpec(motion_sensor=motion_sensor), configs=configs)
        async with service(spec) as made:
            await made.ask("treat", program=program, client="demo", zones=zones)
            await made.until(lambda: made.kernel.idle, 900.0)
            store = made.kernel._outside.journal
            rows = await store.read(lambda store: bodies(store.connection(), "zone"))
            opened = [
                float(str(event["open_percent"]))
                for event in made.rig.events
                if event["kind"] == "valve"
            ]
            shut = sum(a > 0.0 >= b for a, b in pairwise(opened))
            return {
                "treatment": made.snapshot()["treatment"],
                "ends": [json.loads(body)["by"] for body in rows],
                "shut": shut,
            }

    return run_virtual(scenario())


@pytest.fixture
def old_and_moist(tmp_path: Path) -> Path:
    """The shipped configuration, in which the practice client is 70 and may have moist skin.

    The second of two passes does not fit any more.
    """
    folder = tmp_path / "configs"
    shutil.copytree(shipped_configs(), folder)
    demo = folder / "clients" / "demo.toml"
    text = demo.read_text().replace('skin = "dry"', 'skin = "unknown"')
    demo.write_text(text.replace("age_years = 34", "age_years = 70"))
    return folder


@pytest.mark.hazard("H01")
@pytest.mark.parametrize("motion_sensor", [True, False])
def test_the_cap_ends_a_zone_in_order_and_what_still_falls_stays_below_it(
    old_and_moist: Path,
    motion_sensor: bool,  # noqa: FBT001 - by name
) -> None:
    seen = treated("hands", ["hand_left"], old_and_moist, motion_sensor=motion_sensor)
    assert seen["treatment"]["outcome"] == "completed"
    assert seen["ends"] == ["exposure"]
    for zone in seen["treatment"]["zones"]:
        assert 0.5 * zone["cap_um"] < zone["bound_um"] <= zone["cap_um"]
        assert zone["contact_s"] < zone["budget_s"]
        assert zone["ended_by"] == "exposure"
        assert zone["suction_kpa_s"] < zone["suction_max_kpa_s"]
    strokes = sum(zone["contact_s"] for zone in seen["treatment"]["zones"]) / 2.0
    assert 0 < seen["shut"] <= strokes  # the valve does not chatter near the end
