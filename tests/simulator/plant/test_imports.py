"""What the plant may know: nothing of the controller, and no arrays."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import simulator.plant.plant

PLANT = Path(simulator.plant.plant.__file__).parent


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names.add(node.module)
    return names


@pytest.mark.parametrize("path", sorted(PLANT.glob("*.py")), ids=lambda path: path.stem)
def test_the_plant_shares_nothing_with_the_controller(path: Path) -> None:
    tops = {name.split(".")[0] for name in imported(path)}
    assert not tops & {"controller", "firmware_protocol"}
    assert all(name.startswith("simulator.plant") for name in imported(path) if "simulator" in name)
    assert "numpy" not in tops


@pytest.mark.realtime
def test_a_handpiece_runs_without_numpy() -> None:
    code = (
        "import sys, simulator.handpiece, simulator.serve, simulator.plant.deposit; "
        "simulator.handpiece.Handpiece(1).advance(0.1); "
        "sys.exit('numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=PLANT.parent.parent, timeout=60
    )
    assert done.returncode == 0
