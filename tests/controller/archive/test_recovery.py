"""A file that is cut anywhere, or damaged in the middle: what is read and what is made of it."""

import struct
from pathlib import Path

import pytest
from mcap.exceptions import EndOfFile
from mcap.reader import NonSeekingReader, make_reader

from controller.archive import waveforms
from controller.archive.recording import LEFT_OUT
from controller.archive.recovery import NotRecoveredError, reads_back, recover
from controller.archive.salvage import NotWaveformsError, salvage
from tests.controller.archive.takes import chunks, patch_test, record

STEP = 997
TURN_S = 12 / 50
"""What `record` takes at once."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return record(tmp_path_factory.mktemp("w"), patch_test()).read_bytes()


def put(folder: Path, data: bytes) -> Path:
    path = folder / "treatment-000001.mcap"
    path.write_bytes(data)
    return path


def test_a_file_cut_at_every_997th_byte_keeps_all_but_its_last_turn(
    tmp_path: Path, whole: bytes
) -> None:
    everything = salvage(put(tmp_path, whole)).messages
    ends = [end for _, end in chunks(whole)]
    for length in range(8, len(whole), STEP):
        found = salvage(put(tmp_path, whole[:length]))
        assert not found.finished
        assert not found.holes
        assert found.messages == everything[: len(found.messages)]
        if length > ends[1]:
            written = [end for end in ends if end <= length]
            assert len(found.messages) > 0
            assert ends.index(written[-1]) + 1 == len(written)


def test_what_is_cut_is_recovered_and_reads_back_and_the_old_file_is_kept(
    tmp_path: Path, whole: bytes
) -> None:
    for number, length in enumerate(range(12_000, len(whole), STEP * 16)):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = put(folder, whole[:length])
        made = recover(path)
        assert made.cut
        assert not made.missing
        assert made.kept is not None
        assert made.kept.read_bytes() == whole[:length]
        assert path.stat().st_mode & 0o777 == 0o600
        with path.open("rb") as stream:
            assert make_reader(stream, validate_crcs=True).get_summary() is not None
        assert waveforms.read(path).whole
        assert recover(path).whole  # a second time nothing is to be done


def test_the_library_reads_no_more_of_a_cut_file_than_we_do(tmp_path: Path, whole: bytes) -> None:
    path = put(tmp_path, whole[: len(whole) // 2])
    read = 0
    with path.open("rb") as stream:
        reader = NonSeekingReader(stream, validate_crcs=True)
        try:
            for _ in reader.iter_messages(log_time_order=False):
                read += 1
        except (EndOfFile, struct.error):
            pass
    assert read == len(salvage(path).messages) > 0


@pytest.mark.parametrize("place", ["data", "length", "opcode"])
def test_a_damaged_middle_is_left_out_and_told_with_its_place(
    tmp_path: Path, whole: bytes, place: str
) -> None:
    begin, end = chunks(whole)[20]
    damaged = bytearray(whole)
    at, value = {"data": (end - 40, 0x55), "length": (begin + 3, 0x7F), "opcode": (begin, 0xEE)}[
        place
    ]
    damaged[at] ^= value
    path = put(tmp_path, bytes(damaged))
    before = waveforms.read(put(tmp_path, whole))
    made = recover(put(tmp_path, bytes(damaged)))
    after = waveforms.read(path)
    (missing,) = made.missing
    assert missing.why == LEFT_OUT
    assert missing.gap_s == pytest.approx(TURN_S, abs=0.1)
    assert not made.cut
    (gap,) = after.gaps
    assert gap.seconds == pytest.approx(missing.gap_s)
    assert after.whole
    lost = len(before.columns["/suction"].log_time_ns) - len(after.columns["/suction"].log_time_ns)
    assert lost == gap.lost_samples > 0
    assert after.seconds == before.seconds


def test_every_byte_that_is_damaged_costs_one_turn_at_most_and_never_more(
    tmp_path: Path, whole: bytes
) -> None:
    everything = len(salvage(put(tmp_path, whole)).messages)
    most = 12 * 9 + 20
    for at in range(8, len(whole), STEP):
        damaged = bytearray(whole)
        damaged[at] ^= 0x5A
        found = salvage(put(tmp_path, bytes(damaged)))
        assert everything - len(found.messages) <= most


def test_a_first_chunk_without_its_channels_loses_their_names_to_nobody(
    tmp_path: Path, whole: bytes
) -> None:
    begin, end = chunks(whole)[0]
    damaged = bytearray(whole)
    damaged[(begin + end) // 2] ^= 0xFF
    path = put(tmp_path, bytes(damaged))
    recover(path)
    with path.open("rb") as stream:
        topics = {channel.topic for _, channel, _ in make_reader(stream).iter_messages()}
    assert {"/suction", "/flow", "/state"} <= topics


def test_a_damaged_index_alone_is_made_anew(tmp_path: Path, whole: bytes) -> None:
    at = whole.rindex(b"treatment", 0, len(whole))  # in the index of the metadata
    damaged = bytearray(whole)
    damaged[at] ^= 0xFF
    path = put(tmp_path, bytes(damaged))
    assert not reads_back(path, len(salvage(path).messages))
    made = recover(path)
    assert not made.whole
    assert not made.missing
    assert recover(path).whole


def test_another_file_is_refused_in_a_sentence_and_left_alone(tmp_path: Path) -> None:
    path = put(tmp_path, b"SQLite format 3\0" * 100)
    with pytest.raises(NotWaveformsError, match="does not begin as a file of waveforms"):
        recover(path)
    with pytest.raises(NotWaveformsError, match="cannot be read"):
        recover(tmp_path / "treatment-000009.mcap")
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_file_without_one_reading_is_refused_and_left_alone(tmp_path: Path, whole: bytes) -> None:
    path = put(tmp_path, whole[:600])
    with pytest.raises(NotRecoveredError, match="no reading that holds"):
        recover(path)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_what_does_not_read_back_is_not_kept(
    tmp_path: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path, whole[:30_000])
    monkeypatch.setattr("controller.archive.recovery.reads_back", lambda *_: False)
    with pytest.raises(NotRecoveredError, match="does not read back"):
        recover(path)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == whole[:30_000]


def test_a_file_that_is_being_recorded_is_left_alone(tmp_path: Path) -> None:
    import fcntl  # noqa: PLC0415

    path = record(tmp_path, patch_test()[: 128 * 300])
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(NotRecoveredError, match="is being recorded"):
            recover(path)
    assert recover(path).cut
