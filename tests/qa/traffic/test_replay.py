"""A replay never opens the valve: whatever was recorded, whoever holds the unit it is played to."""

import asyncio
import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from firmware_protocol.catalogue import Direction
from firmware_protocol.link import Link
from firmware_protocol.schema import SCHEMA_HASH
from qa.loop import run_virtual
from qa.traffic.golden import SEED, capture, zone_of
from qa.traffic.recording import Chunk, Recorder
from qa.traffic.replaying import SameUnitError, compare, play
from qa.traffic.words import Teller
from simulator.handpiece import Handpiece, Happening
from simulator.host import DeviceHost
from simulator.plant.hands import HANDS
from tests.corneum_sim import app

PROGRAM = "patch-test"


@cache
def recorded() -> tuple[Chunk, ...]:
    """A whole treatment, with crystals flowing."""
    chunks = tuple(capture(PROGRAM, zone_of(PROGRAM)))
    assert "Arm" in told(chunks).frames
    return chunks


@pytest.fixture(scope="module", autouse=True)
def _record_first() -> None:
    """Record with the code as it is, before any test puts a defect into it."""
    recorded()


def told(chunks: tuple[Chunk, ...]) -> Teller:
    teller = Teller()
    for chunk in chunks:
        teller.take(chunk)
    return teller


@pytest.mark.hazard("H23", "H47", shows="works")
@pytest.mark.parametrize("hand", sorted(HANDS))
def test_a_treatment_that_is_played_back_does_nothing(hand: str) -> None:
    played = play(recorded(), 77, hand)
    shown = compare(told(recorded()), played)
    assert shown.differences == ()
    assert not played.valve_opened
    assert played.bad_frames > 50  # the frames of the other session, each counted


@pytest.mark.hazard("H23", shows="works")
@settings(max_examples=15)
@given(
    seed=st.integers(SEED + 1, 2**32 - 1),
    start=st.floats(0.0, 0.9),
    share=st.floats(0.1, 1.0),
    shift_s=st.floats(0.0, 3.0),
)
def test_no_part_of_it_at_any_time_opens_the_valve(
    seed: int, start: float, share: float, shift_s: float
) -> None:
    chunks = recorded()
    first = int(start * len(chunks))
    part = chunks[first : first + max(1, int(share * len(chunks)))]
    moved = tuple(one._replace(t_s=one.t_s - part[0].t_s + shift_s) for one in part)
    played = play(moved, seed)
    assert not played.valve_opened
    assert set(played.modes) <= {"BOOT", "DISARMED"}


@pytest.mark.hazard("H23", shows="works")
def test_the_recorded_unit_itself_is_not_moved_by_its_own_past() -> None:
    """The same unit, still in the recorded session, gets every byte again."""
    events: list[Happening] = []
    again_s = recorded()[-1].t_s + 2.0

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        unit = Handpiece(SEED, "average", events=events.append)
        host = DeviceHost(unit, loop, lambda data: None)
        host.start()
        for offset_s in (0.003, again_s):  # the delay of the recorded line
            for chunk in recorded():
                if chunk.way is Direction.TO_DEVICE:
                    await asyncio.sleep(max(0.0, chunk.t_s + offset_s - loop.time()))
                    host.receive(chunk.data)
        host.stop()

    run_virtual(scenario())
    opened = [float(str(e["t_s"])) for e in events if e["kind"] == "valve"]
    armed = [float(str(e["t_s"])) for e in events if e.get("mode") == "ARMED"]
    assert opened, "the first time must be the treatment itself, or this shows nothing"
    assert max(*opened, *armed) < again_s


def test_a_unit_that_takes_any_session_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    take = Link._take
    monkeypatch.setattr(
        Link, "_take",
        lambda self, frame, now_s, events: take(
            self, frame._replace(session=self.session if frame.session else 0), now_s, events
        ),
    )  # fmt: skip
    shown = compare(told(recorded()), play(recorded(), 77))
    assert any("were answered" in difference for difference in shown.differences)
    assert any("moved the unit" in difference for difference in shown.differences)


def test_another_schema_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.firmware.requests.SCHEMA_HASH", SCHEMA_HASH ^ 1)
    shown = compare(told(recorded()), play(recorded(), 77))
    assert any("schema was" in difference for difference in shown.differences)


def test_the_seed_of_the_recorded_unit_is_no_replay() -> None:
    with pytest.raises(SameUnitError, match="another seed"):
        compare(told(recorded()), play(recorded(), SEED))


# -- the command -----------------------------------------------------------------------------------
def saved(path: Path, chunks: tuple[Chunk, ...]) -> Path:
    recorder = Recorder(path, "virtual")
    for chunk in chunks:
        recorder.note(*chunk)
    recorder.close("stopped")
    return path


def test_the_command_tells_and_plays(tmp_path: Path) -> None:
    file = saved(tmp_path / "line.jsonl", recorded())
    done = CliRunner().invoke(app, ["replay", str(file)])
    assert done.exit_code == 0, done.output
    assert "> Arm " in done.stdout
    assert done.stdout.splitlines()[-1].startswith("played back: only HELLO and STOP")
    said = json.loads(CliRunner().invoke(app, ["replay", str(file), "--json"]).stdout)
    assert said["differences"] == []
    assert said["frames"]["Arm"] == 1


def test_the_command_ends_with_one_where_the_replay_does_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = saved(tmp_path / "line.jsonl", recorded())
    monkeypatch.setattr("simulator.firmware.requests.SCHEMA_HASH", SCHEMA_HASH ^ 1)
    done = CliRunner().invoke(app, ["replay", str(file)])
    assert done.exit_code == 1
    assert "PLAYED BACK AND WRONG" in done.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["replay", "/no/such/file"], "cannot read /no/such/file"),
        (["record", "--port", "/dev/no-such-port", "--out", "/no/such/folder/f"], "cannot write"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(words: list[str], sentence: str) -> None:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
