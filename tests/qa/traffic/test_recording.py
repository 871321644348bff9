"""The file of a recording: bounded, whole, and every mistake in it named with its line."""

import json
from pathlib import Path

import pytest

from firmware_protocol.catalogue import Direction
from qa.traffic import recording as r
from qa.traffic.recording import Chunk, Recorder, RecordingError, read_recording

HEAD = '{"corneum": "line traffic", "version": 1, "protocol": "1.0", "schema": "0x1", "port": "p"}'
CHUNKS = (
    Chunk(0.0, Direction.TO_DEVICE, b"\x00\x09"),
    Chunk(0.25, Direction.TO_HOST, b"\xff" * 40),
)


def _recorded(path: Path) -> None:
    recorder = Recorder(path, "/dev/ttyUSB0")
    for chunk in CHUNKS:
        recorder.note(*chunk)
    recorder.close("stopped")


def test_what_is_recorded_is_read(tmp_path: Path) -> None:
    path = tmp_path / "line.jsonl"
    _recorded(path)
    found = read_recording(path)
    assert found.chunks == CHUNKS
    assert (found.port, found.protocol, found.end) == ("/dev/ttyUSB0", "2.1", "stopped")


def test_a_recording_never_overwrites_a_file(tmp_path: Path) -> None:
    path = tmp_path / "line.jsonl"
    path.write_text("mine")
    with pytest.raises(RecordingError, match="exists"):
        Recorder(path, "p")
    assert path.read_text() == "mine"


def test_a_full_file_ends_the_record_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "line.jsonl"
    recorder = Recorder(path, "p", size_max_bytes=1000)
    for number in range(100):
        recorder.note(number / 10, Direction.TO_HOST, bytes(30))
    recorder.close("stopped")
    assert recorder.ended == "the file reached its bound"
    assert path.stat().st_size < 1200
    assert read_recording(path).end == "the file reached its bound"
    assert 0 < len(read_recording(path).chunks) < 20


def test_a_disk_that_is_full_ends_the_record_and_not_the_line() -> None:
    recorder = Recorder.__new__(Recorder)
    recorder.ended, recorder.chunks, recorder._left_bytes = "", 0, 10_000
    with Path("/dev/full").open("w", buffering=1, encoding="ascii") as full:
        recorder._file = full
        recorder.note(0.0, Direction.TO_HOST, b"x")
        assert "cannot be written" in recorder.ended
        recorder.note(0.1, Direction.TO_HOST, b"x")
        recorder.close("stopped")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("[]\n", "line 1: a line is one JSON object"),
        ('{"corneum": "else"}\n', "no recording of version 1"),
        (HEAD + "\n{nonsense\n", "line 2: that is not JSON"),
        (HEAD + '\n{"t_s": -1, "way": "to_host", "hex": ""}\n', "line 2: t_s is -1"),
        (HEAD + '\n{"t_s": true, "way": "to_host", "hex": ""}\n', "line 2: t_s is True"),
        (HEAD + '\n{"t_s": NaN, "way": "to_host", "hex": ""}\n', "line 2: t_s is nan"),
        (HEAD + '\n{"t_s": 1, "way": "up", "hex": ""}\n', "line 2: way is 'up'"),
        (HEAD + '\n{"t_s": 1, "way": "to_host", "hex": "0g"}\n', "line 2: hex is '0g'"),
        (
            HEAD + '\n{"t_s": 2, "way": "to_host", "hex": ""}'
            '\n{"t_s": 1, "way": "to_host", "hex": ""}\n',
            "line 3: t_s is 1",
        ),
        ("\xe4", "not text"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "line.jsonl"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(RecordingError, match=sentence.replace("[", "\\[")):
        read_recording(path)


def test_a_torn_or_missing_end_is_told(tmp_path: Path) -> None:
    path = tmp_path / "line.jsonl"
    row = json.dumps({"t_s": 0.5, "way": "to_host", "hex": "00"})
    path.write_text(f"{HEAD}\n{row}\n")
    assert "killed" in read_recording(path).end
    path.write_text(f"{HEAD}\n{row}\n{row[:9]}")
    assert "cut off" in read_recording(path).end
    assert len(read_recording(path).chunks) == 1


def test_a_file_that_is_too_large_or_missing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "line.jsonl"
    with pytest.raises(RecordingError, match="No such file"):
        read_recording(path)
    _recorded(path)
    monkeypatch.setattr(r, "SIZE_MAX_BYTES", -100_000)
    with pytest.raises(RecordingError, match="may have"):
        read_recording(path)
