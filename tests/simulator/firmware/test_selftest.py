from typing import Any

import pytest

from simulator.firmware.selftest import SelfTest, Verdict
from simulator.plant.signals import Sensors
from tests.simulator.firmware.samples import at_rest

STEP_MS = 5
NOISE = 1e-4


def noisy(now_ms: int, still: str = "", **changes: Any) -> Sensors:  # noqa: ANN401
    """Return a sample whose readings differ from those of the sample before, but for one."""
    sample = at_rest(**changes)
    up = now_ms // STEP_MS % 2 * NOISE
    for name in {"suction_a_kpa", "suction_b_kpa", "flow_g_per_min"} - {still}:
        reading = getattr(sample, name)
        setattr(sample, name, None if reading is None else reading + up)
    return sample


def outcome(*, released: bool = True, **changes: Any) -> tuple[Verdict, int]:  # noqa: ANN401
    """Return the verdict over samples with a little noise, and after how many milliseconds."""
    test = SelfTest()
    for after_ms in range(STEP_MS, 10_000, STEP_MS):
        sample = noisy(after_ms, **changes)
        verdict = test.sample(STEP_MS, sample, released=released)
        if verdict is not None:
            return verdict, after_ms
    raise AssertionError("no verdict within 10 s")


def test_a_healthy_unit_passes_in_less_than_a_second() -> None:
    verdict, after_ms = outcome()
    assert verdict.failed == ()
    assert after_ms == 400


@pytest.mark.hazard("H07")
@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({"suction_a_kpa": 0.31}, ("zero of sensor A", "sensors agree")),
        ({"suction_b_kpa": 0.31}, ("zero of sensor B",)),
        ({"suction_b_kpa": float("nan")}, ("zero of sensor B", "sensors agree")),
        ({"valve_percent": 1.5}, ("valve shut",)),
        ({"flow_g_per_min": 0.6}, ("no flow",)),
        ({"hopper_g": 0.2}, ("crystals left",)),
        ({"waste_percent": 96.0}, ("waste has room",)),
        ({"filter_kpa": 7.0}, ("filter passes",)),
        ({"pump_deg_c": 80.0}, ("pump cool",)),
        ({"supply_v": 19.0}, ("supply",)),
    ],
)
def test_each_thing_that_is_not_at_rest_fails_by_name(
    changes: dict[str, Any], failed: tuple[str, ...]
) -> None:
    assert outcome(**changes)[0].failed == failed


@pytest.mark.hazard("H08")
@pytest.mark.parametrize("still", ["suction_a_kpa", "suction_b_kpa", "flow_g_per_min"])
def test_a_sensor_without_noise_fails(still: str) -> None:
    assert outcome(still=still)[0].failed == ("sensors have noise",)


@pytest.mark.parametrize("lost", ["suction_a_kpa", "suction_b_kpa", "flow_g_per_min"])
def test_a_lost_sensor_fails_at_once(lost: str) -> None:
    changes: dict[str, Any] = {lost: None}
    verdict, after_ms = outcome(**changes)
    assert (verdict.failed, after_ms) == (("sensors answer",), STEP_MS)


@pytest.mark.hazard("H36")
def test_a_pressed_hand_switch_fails_at_once() -> None:
    assert outcome(released=False)[0].failed == ("hand switch released",)


def test_a_line_that_does_not_vent_fails_after_two_seconds() -> None:
    verdict, after_ms = outcome(suction_a_kpa=20.0, suction_b_kpa=20.0)
    assert verdict.failed == ("line vents",)
    assert after_ms == 2005


def test_it_waits_for_the_line_to_vent() -> None:
    test = SelfTest()
    assert test.sample(STEP_MS, at_rest(suction_a_kpa=9.0), released=True) is None
    verdicts = [test.sample(STEP_MS, noisy(n * STEP_MS), released=True) for n in range(80)]
    assert verdicts[-1] == Verdict(())
    assert verdicts[:-1] == [None] * 79
