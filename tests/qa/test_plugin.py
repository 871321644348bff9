"""The pytest plugin, as its users see it: whole pytest runs over small files."""

import re
import subprocess
import sys
import tomllib
from xml.etree import ElementTree as ET

import pytest

from tests.qa.inner import ENTRY, LOADED, ROOT, run

pytest_plugins = ["pytester"]

IMPORT_MAX_S = 0.010
HEAVY = {"asyncio", "controller", "firmware_protocol", "pydantic", "simulator.plant", "typer"}


# -- ways to write a test --------------------------------------------------------------------------
def test_tests_are_coroutines_or_plain_functions_alone_or_in_classes_and_with_parameters(
    inner: pytest.Pytester,
) -> None:
    text = """
        import asyncio
        import pytest

        @pytest.mark.hazard("H36", shows="works")
        @pytest.mark.parametrize("mode", ["DISARMED", "READY", "ARMED", "ACTIVE", "PAUSED"])
        async def test_every_mode_can_be_reached(handpiece, device, mode):
            await handpiece.bring_to(mode)
            assert device.mode == mode

        def test_a_plain_function_lets_time_pass_by_its_assertions(
            virtual_time, handpiece, device, faults
        ):
            virtual_time.run(handpiece.bring_to("ACTIVE"))
            wrong = faults.inject("suction-a-disconnected")
            device.assert_safe_within(0.25, of=wrong)
            device.assert_happened_once("trip", since=wrong, cause="SENSOR_INVALID")
            device.assert_valve_stays_shut(since="safe")
            assert faults.active == ["suction-a-disconnected"]
            assert device.now_s == pytest.approx(virtual_time.now_s, abs=0.006)

        class TestClass:
            async def test_the_hand(self, handpiece, device):
                await handpiece.bring_to("ACTIVE")
                lifted = device.lift()
                await asyncio.sleep(0.2)
                device.assert_valve_shut_within(0.1, of=lifted)
                device.assert_happened_within("contact", 0.1, of="hand", on=False)
                device.assert_never("trip")

        def test_the_device_alone_is_the_default(device):
            device.place()
            device.press()
            device.assert_happened_within("switch", 0.1, of="hand", pressed=True)
            device.assert_valve_stays_shut()
    """
    run(inner, text).assert_outcomes(passed=8)


def test_the_whole_service_is_a_fixture(inner: pytest.Pytester) -> None:
    text = """
        import asyncio

        async def test_a_silent_line(service, device, faults):
            await service.ask("treat", program="refresh", client="demo", zones=["nose"])
            await service.until(lambda: device.valve_percent > 10.0, 30.0)
            silent = faults.line(silent=True)
            await service.until(lambda: service.kernel.idle)
            device.assert_valve_shut_within(0.25, of=silent)
            device.assert_safe_within(0.25, of="line")
            assert service.snapshot()["treatment"]["outcome"] == "tripped"
    """
    run(inner, text).assert_outcomes(passed=1)


def test_with_pytest_asyncio_in_auto_mode_each_finds_its_own(inner: pytest.Pytester) -> None:
    text = """
        import asyncio
        import pytest

        async def test_virtual(handpiece, virtual_time):
            await asyncio.sleep(20.0)
            assert virtual_time.now_s >= 20.0

        @pytest.fixture
        def service():
            return "theirs"

        class TestTheirs:
            async def test_of_theirs(self, service):
                assert service == "theirs"
                assert asyncio.get_running_loop().time() != 0.0
    """
    run(inner, text, "--asyncio-mode=auto").assert_outcomes(passed=2)


@pytest.mark.realtime
def test_with_xdist_the_tests_go_over_two_processes(inner: pytest.Pytester) -> None:
    text = """
        import pytest

        @pytest.mark.parametrize("number", range(4))
        async def test_it(handpiece, device, number):
            await handpiece.bring_to("ARMED")
            assert number < 3, handpiece.rig.trace_sha256()
    """
    inner.makepyfile(test_it=text)
    result = inner.runpytest_subprocess(*LOADED, "-n", "2", "--corneum-seed", "7")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["seed: 7", "again: python -m pytest 'test_it.py::test_it?3?' *"])


@pytest.mark.realtime
def test_a_real_handpiece_is_a_process_on_a_pty(inner: pytest.Pytester) -> None:
    text = """
        import os
        import pytest

        @pytest.mark.corneum(hand="absent", seed=5, motion_sensor=False)
        def test_it(real_handpiece, device, faults):
            assert os.path.exists(real_handpiece.port)
            device.place()
            pressed = device.press()
            device.assert_happened_within("switch", 0.2, of=pressed, pressed=True)
            broken = faults.inject("clog")
            device.assert_happened_once("fault", since=broken, simulated=True)
            with pytest.raises(Exception, match="choose one of"):
                faults.inject("rust")
            assert device.ask("state")["faults"] == ["clog"]

        def test_its_end_is_told(real_handpiece, device):
            real_handpiece.process.kill()
            device.assert_happened_within("trip", 1.0, of=0.0)

        @pytest.mark.corneum(loss=0.1)
        def test_it_has_no_weather(real_handpiece):
            pass
    """
    result = run(inner, text)
    result.assert_outcomes(passed=1, failed=1, errors=1)
    said = result.stdout.str()
    assert "the simulator ended in mid-test, with -9" in said
    assert "use faults.line(...)" in said


# -- virtual time ----------------------------------------------------------------------------------
def test_a_hang_a_task_left_behind_and_a_service_that_breaks_fail_the_test(
    inner: pytest.Pytester,
) -> None:
    text = """
        import asyncio
        import pytest

        async def test_hang(virtual_time):
            await asyncio.Event().wait()

        kept = []

        async def test_left(virtual_time):
            kept.append(asyncio.create_task(asyncio.sleep(5.0), name="left-behind"))
            await asyncio.sleep(0)

        async def test_broken(service, monkeypatch):
            def breaks():
                raise ZeroDivisionError("in the control loop")
            monkeypatch.setattr(service.kernel.control, "_beat", breaks)
            await asyncio.sleep(3600.0)

        @pytest.mark.corneum(limit_s=30.0)
        async def test_long(handpiece):
            await asyncio.sleep(31.0)

        async def test_as_if_nothing_had_been(handpiece):
            await handpiece.bring_to("ARMED")
    """
    result = run(inner, text)
    result.assert_outcomes(failed=3, passed=2, errors=1)
    said = result.stdout.str()
    assert "every task waits and no timer is armed: test at test_it.py" in said
    assert "left-behind" in said
    assert "ZeroDivisionError: in the control loop" in said
    assert "not done after 30 virtual s" in said


def test_the_seed_of_the_command_line_beats_that_of_the_marker_and_repeats_every_byte(
    inner: pytest.Pytester,
) -> None:
    text = """
        import pytest

        @pytest.mark.corneum(seed=3, loss=0.02)
        async def test_it(handpiece):
            await handpiece.bring_to("ARMED")
            print("trace", handpiece.rig.spec.seed, handpiece.rig.trace_sha256())
    """
    words = [(), (), ("--corneum-seed", "4"), ("--corneum-seed", "3")]
    traces = [
        re.findall(r"trace (\d) (\w+)", run(inner, text, "-s", *each).stdout.str())[0]
        for each in words
    ]
    first, second, other, third = traces
    assert [seed for seed, _ in traces] == ["3", "3", "4", "3"]
    assert first == second == third
    assert first[1] != other[1]


# -- set-up ----------------------------------------------------------------------------------------
def test_markers_are_known_checked_and_stand_in_the_junit_file(inner: pytest.Pytester) -> None:
    text = """
        import pytest

        @pytest.mark.hazard("H10", "H12", shows="works")
        @pytest.mark.corneum(hand="careful")
        def test_fine(handpiece):
            assert handpiece.rig.spec.hand == "careful"

        @pytest.mark.corneum(tip=3)
        def test_strange(handpiece):
            pass

        def test_two(handpiece, service, device):
            pass
    """
    result = run(inner, text, "--junitxml=junit.xml")
    result.assert_outcomes(passed=1, errors=2)
    said = result.stdout.str()
    assert "the marker corneum takes hand, seed, motion_sensor" in said
    assert "has handpiece and service: keep one" in said
    found = ET.parse(inner.path / "junit.xml").findall(".//property[@name='hazard']")  # noqa: S314 - our own
    assert [each.get("value") for each in found] == ["H10", "H12"]


def test_the_package_declares_the_plugin() -> None:
    project = tomllib.loads((ROOT / "qa" / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"corneum": ENTRY}


def test_whoever_does_not_use_it_pays_a_few_milliseconds_and_imports_nothing(
    inner: pytest.Pytester,
) -> None:
    code = (
        "import sys, time, pytest\n"
        "before, took = set(sys.modules), []\n"
        "for _ in range(20):\n"
        f"    sys.modules.pop({ENTRY!r}, None)\n"
        "    began_s = time.process_time()\n"  # of this process: other ones may be busy
        f"    import {ENTRY}\n"
        "    took.append(time.process_time() - began_s)\n"
        "print(min(took), *(set(sys.modules) - before))"
    )
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    best_s, *modules = done.stdout.split()
    assert float(best_s) < IMPORT_MAX_S
    assert not HEAVY & {name for module in modules for name in (module, module.split(".")[0])}
    assert {name for name in modules if name.startswith(("qa", "simulator"))} == {
        "qa", "qa.plugin", ENTRY,
    }  # fmt: skip
    inner.makepyfile(
        "import sys\ndef test_it():\n"
        "    assert 'simulator.handpiece' not in sys.modules and 'controller' not in sys.modules\n"
    )
    inner.runpytest_subprocess(*LOADED).assert_outcomes(passed=1)


@pytest.mark.realtime
def test_the_example_of_the_documentation_runs_as_it_stands(inner: pytest.Pytester) -> None:
    document = (ROOT / "docs" / "QA.md").read_text()
    (example,) = re.findall(r"```python\n(# test_handpiece\.py\n.*?)```", document, re.DOTALL)
    inner.makepyfile(test_handpiece=example)
    result = inner.runpytest_inprocess(*LOADED)
    result.assert_outcomes(passed=5)  # four tests, one of them twice
