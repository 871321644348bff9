"""The golden traces of the presets: every byte of the wire, and a readable difference."""

from pathlib import Path

import pytest

from qa.traffic.golden import TRACE_MAX_BYTES, difference, main, programs, render

TRACES = Path(__file__).resolve().parents[2] / "vectors" / "traces"


@pytest.mark.parametrize("program", programs())
def test_the_wire_carries_what_it_did(program: str) -> None:
    path = TRACES / f"{program}.txt"
    golden = path.read_text(encoding="ascii") if path.is_file() else ""
    told = difference(program, golden, render(program))
    assert not told, "\n" + told


def test_there_is_one_trace_for_each_preset_and_each_can_be_read_by_a_person() -> None:
    traces = {path.stem: path.stat().st_size for path in TRACES.glob("*.txt")}
    assert sorted(traces) == sorted(programs())
    assert max(traces.values()) < TRACE_MAX_BYTES


def test_a_trace_shows_a_treatment_from_greeting_to_end() -> None:
    text = (TRACES / "patch-test.txt").read_text(encoding="ascii")
    for word in ("> Hello", "< Ident", "> Config", "> SelfTest", "> Arm", "mode=ACTIVE", "> Stop"):
        assert word in text


def test_a_difference_is_a_few_lines_and_the_command_that_renews() -> None:
    golden = "\n".join(f"line {number}" for number in range(500))
    told = difference("refresh", golden, golden.replace("line 7\n", "line seven\n"))
    assert "-line 7" in told
    assert "+line seven" in told
    assert "python -m qa.traffic.golden" in told
    assert len(difference("refresh", golden, "").splitlines()) < 50
    assert difference("refresh", golden, golden) == ""


def test_the_command_renews_and_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(tmp_path), "--program", "patch-test"]
    assert main([*words, "--check"]) == 1
    assert main(words) == 0
    assert main([*words, "--check"]) == 0
    (tmp_path / "patch-test.txt").write_text("else\n")
    assert main([*words, "--check"]) == 1
    assert "-else" in capsys.readouterr().out
