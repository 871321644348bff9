"""What a failing test says: expectation, device, timeline, seed, and how to see it again."""

import re
import shlex

import pytest

from tests.qa.inner import LOADED, run

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def no_build_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a build server pytest repeats every error, in full length, in its summary."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("BUILD_NUMBER", raising=False)


ACTIVE = """
import asyncio
import pytest

async def test_it(handpiece, device, faults):
    await handpiece.bring_to("ACTIVE")
"""


def failing(inner: pytest.Pytester, *lines: str, head: str = ACTIVE) -> str:
    """Run a test that has to fail, and return what pytest prints."""
    result = run(inner, head + "".join(f"    {line}\n" for line in lines))
    result.assert_outcomes(failed=1)
    return result.stdout.str()


def test_a_failure_says_what_was_expected_what_happened_when_and_how_to_see_it_again(
    inner: pytest.Pytester,
) -> None:
    lines = (
        "let_go = device.release()",
        "await asyncio.sleep(0.2)",
        "device.assert_valve_shut_within(0.001, of=let_go)",
    )
    said = failing(inner, *lines)
    assert re.search(r"expected: the valve shut within 0\.001 s of \d\.\d{3} s\n", said)
    assert re.search(r"the device: it was shut after 0\.0\d\d s\n", said)
    story = said[said.index("timeline, device seconds:") : said.index("seed: 1\n")]
    assert re.search(
        r"hand +action=release\n.*> +\d\.\d{3}  ---\n.*mode +mode=PAUSED from=ACTIVE\n", story
    )
    assert said.count("seed: 1\n") == 1  # told once, in the error itself
    assert "in assert_valve_shut_within" not in said
    (again,) = re.findall(r"again: python -m pytest (.*)", said)
    repeated = inner.runpytest_inprocess(*LOADED, *shlex.split(again)).stdout.str()
    assert story in repeated


@pytest.mark.parametrize(
    ("lines", "did"),
    [
        (["device.assert_safe_within(0.1, of=device.now_s)"], "it is too early to tell: `await"),
        (
            ["now = device.now_s", "await asyncio.sleep(0.2)",
             "device.assert_safe_within(0.1, of=now)"],
            "open at the end, and neither tripped nor stopped",
        ),
        (
            ["now = device.now_s", "await asyncio.sleep(0.2)",
             "device.assert_valve_shut_within(0.1, of=now)"],
            "open then, and is open 0.20",
        ),
        (
            ["device.release()", "await asyncio.sleep(0.5)",
             "device.assert_valve_shut_within(0.1, of=device.lift())"],
            "the valve was not open then, so this shows nothing",
        ),
        (
            ["faults.inject('suction-a-disconnected')", "await asyncio.sleep(0.5)",
             "device.assert_safe_within(0.001, of='fault')"],
            "it was safe after 0.0",
        ),
        (["device.assert_valve_stays_shut(since=0.0)"], "the device: it opened 2."),
        (["device.assert_valve_stays_shut(since=device.now_s)"], "% open at that moment"),
        (["device.assert_never('mode', mode='ARMED')"], "it came 1 times, at 1."),
        (["device.assert_happened_once('mode')"], "the device: it came 5 times, at 0.1"),
        (["device.assert_happened_once('trip')"], "the device: it never came"),
        (
            ["device.assert_happened_within('trip', 0.5, of=0.0)"],
            "the device: no trip until ",
        ),
        (
            ["device.assert_happened_within('mode', 0.5, of=0.0, mode='ARMED')"],
            "the device: it came after 1.",
        ),
        (["device.assert_safe_within(1.0, of='trip')"], "expected: an event trip to measure from"),
    ],
)  # fmt: skip
def test_each_assertion_says_what_the_device_did_instead(
    inner: pytest.Pytester, lines: list[str], did: str
) -> None:
    said = failing(inner, *lines)
    assert did in said
    assert "timeline, device seconds:" in said
    assert "seed: 1\n" in said
    assert "again: python -m pytest test_it.py::test_it --corneum-seed 1\n" in said


def test_any_other_failure_gets_the_end_of_the_timeline_and_the_seed(
    inner: pytest.Pytester,
) -> None:
    said = failing(inner, "assert device.mode == 'PAUSED'")
    section = said[said.index("- corneum -") :]
    assert "mode=ACTIVE from=ARMED" in section
    assert "again: python -m pytest test_it.py::test_it --corneum-seed 1\n" in section


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["faults.inject('rust')"], "there is no fault 'rust'; choose one of valve-stuck-open"),
        (["faults.line(los=1)"], "'line' takes one of silent, loss"),
        (["device.ask('dance')"], "'do' is 'dance', and must be one of hand"),
        (["await handpiece.bring_to('SAFE')"], "brought to one of DISARMED, SELFTEST"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(
    inner: pytest.Pytester, lines: list[str], words: str
) -> None:
    assert words in failing(inner, *lines)
