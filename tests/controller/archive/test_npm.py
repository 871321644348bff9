"""Files of waveforms, read by the reader of others: `@mcap/core` from npm, as Foxglove has it."""

import json
from pathlib import Path

import pytest

from controller.archive import waveforms
from controller.archive.channels import CHANNELS
from controller.archive.recovery import recover
from tests.controller.archive import npm
from tests.controller.archive.takes import chunks, patch_test, record

pytestmark = pytest.mark.realtime

SCRIPT = Path(__file__).with_name("read_mcap.mjs")


def same(path: Path) -> None:
    """Read a file with both, and compare."""
    ours, theirs = waveforms.read(path), json.loads(npm.run(SCRIPT, str(path)))
    counts = {topic: len(column.log_time_ns) for topic, column in ours.columns.items()}
    assert theirs["counts"] == {topic: count for topic, count in counts.items() if count}
    assert int(theirs["statistics"]) == sum(counts.values())
    assert theirs["falls"] == 0
    assert theirs["units"] == {
        channel.topic: {name: field.unit for name, field in channel.fields.items()}
        for channel in CHANNELS
    }
    assert theirs["metadata"]["treatment"]["program"] == "patch-test"


def test_a_finished_file_is_read_by_the_reader_of_npm(tmp_path: Path) -> None:
    same(record(tmp_path, patch_test()))


def test_a_recovered_file_is_read_by_the_reader_of_npm(tmp_path: Path) -> None:
    path = record(tmp_path, patch_test())
    data = bytearray(path.read_bytes()[:-7000])
    _, end = chunks(path.read_bytes())[20]
    data[end - 40] ^= 0xFF
    path.write_bytes(bytes(data))
    assert recover(path).missing
    same(path)
