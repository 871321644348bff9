"""A file of waveforms: what is in it, what its times are, and how it marks what it lacks."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from mcap.reader import make_reader

from controller.archive import channels, waveforms
from controller.archive.channels import CHANNELS
from controller.archive.recording import NO_READING, QUEUE_FULL, RECORDER_GONE
from controller.archive.waveforms import Waveforms
from controller.record.waveform_samples import RECORD_BYTES
from qa.rig import WALL_START_S
from tests.controller.archive.takes import SAMPLE_KIND, patch_test, record


def pieces() -> list[bytes]:
    data = patch_test()
    return [data[at : at + RECORD_BYTES] for at in range(0, len(data), RECORD_BYTES)]


def without(gone: Sequence[int]) -> bytes:
    """Return the queue without some of its samples, by their place among the samples."""
    kept, sample = [], -1
    for piece in pieces():
        sample += piece[0] == SAMPLE_KIND
        if piece[0] != SAMPLE_KIND or sample not in gone:
            kept.append(piece)
    return b"".join(kept)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Waveforms:
    return waveforms.read(record(tmp_path_factory.mktemp("w"), patch_test()))


def test_every_channel_has_what_the_treatment_did(whole: Waveforms) -> None:
    columns = whole.columns
    assert max(columns["/suction"].values["a_kpa"]) == pytest.approx(15.0, abs=1.0)
    assert max(columns["/suction"].values["b_kpa"]) == pytest.approx(15.0, abs=1.0)
    assert max(columns["/flow"].values["g_per_min"]) == pytest.approx(1.2, abs=0.5)
    assert max(columns["/setpoint"].values["sent_g_per_min"]) == pytest.approx(1.2)
    assert max(columns["/setpoint"].values["in_force_suction_kpa"]) == pytest.approx(15.0)
    exposure = columns["/exposure"].values
    assert 0.0 < exposure["nominal_um"][-1] < exposure["bound_um"][-1]
    assert set(exposure["zone"]) == {"forearm_inner"}
    for topic, name in (("/contact", "on_skin"), ("/switch", "pressed"), ("/switch", "released")):
        assert set(columns[topic].values[name]) == {True, False}
    states = list(dict.fromkeys(columns["/state"].values["treatment"]))
    assert states == ["preparing", "arming", "armed", "active", "stopping", "completed"]
    assert "SELFTEST" in columns["/state"].values["device"]
    assert whole.whole
    assert whole.gaps == ()


def test_a_reading_is_a_message_and_a_second_of_the_same_is_another(whole: Waveforms) -> None:
    suction, contact = whole.columns["/suction"], whole.columns["/contact"]
    assert len(suction.log_time_ns) == pytest.approx(50 * whole.seconds, rel=0.02)
    steps_s = [(b - a) / 1e9 for a, b in pairwise(contact.log_time_ns)]
    assert len(contact.log_time_ns) < len(suction.log_time_ns) / 10
    assert max(steps_s) == pytest.approx(1.0, abs=0.05)


def test_times_are_wall_time_of_one_pair_of_clocks_and_never_fall(whole: Waveforms) -> None:
    said = whole.treatment
    times = whole.columns["/suction"].log_time_ns
    assert list(times) == sorted(times)
    assert said["wall_s"] - said["mono_s"] == pytest.approx(WALL_START_S)
    assert times[0] / 1e9 == pytest.approx(said["wall_s"], abs=0.3)


def test_the_file_says_whose_it_is_by_which_plan_and_where_the_journal_stood(
    whole: Waveforms,
) -> None:
    said = whole.treatment
    assert (said["treatment"], said["unit"], said["simulated"]) == (1, 1001, True)
    assert said["program"] == "patch-test"
    assert said["plan"]["zones"][0]["zone"] == "forearm_inner"
    for name in ("program_sha256", "plan_sha256", "head_hash"):
        assert len(said[name]) == 64
    assert said["head_row"] > 0
    assert len(said["journal"]) == 16
    assert whole.end["how"] == "ended"
    assert "demo" not in json.dumps(dict(said))  # the client is in the record alone


def test_each_schema_names_the_unit_that_the_name_of_its_field_ends_with() -> None:
    ends = {
        "kPa": ("_kpa",),
        "g/min": ("_g_per_min", "g_per_min"),
        "µm": ("_um",),
        "s": ("_s", "seconds"),
        "kPa s": ("_kpa_s",),
        "%": ("percent",),
        "g": ("grams",),
        "": (),
    }
    for channel in CHANNELS:
        schema = json.loads(channel.schema())
        assert schema["type"] == "object"
        for name, said in schema["properties"].items():
            unit = said.get("unit", "")
            assert (said["type"] == "number") is bool(unit), (channel.topic, name)
            assert not unit or name.endswith(ends[unit]), (channel.topic, name)


def test_the_reader_of_the_library_reads_every_message_by_the_index(whole: Waveforms) -> None:
    with whole.path.open("rb") as stream:
        reader = make_reader(stream, validate_crcs=True)
        summary = reader.get_summary()
        assert summary is not None
        assert summary.statistics is not None
        read = list(reader.iter_messages())
        assert len(read) == summary.statistics.message_count
        assert {channel.topic for channel in summary.channels.values()} == {
            channel.topic for channel in CHANNELS
        }
        assert [each.name for each in reader.iter_metadata()] == ["treatment", "end"]
        assert all(chunk.uncompressed_size <= 20_000 for chunk in summary.chunk_indexes)


def test_only_its_owner_may_read_it_and_an_older_one_is_put_aside(tmp_path: Path) -> None:
    path = record(tmp_path / "w", patch_test())
    first = path.read_bytes()
    record(tmp_path / "w", patch_test())
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.with_name("treatment-000001.mcap.older").read_bytes() == first


def test_samples_that_found_no_room_are_a_gap_with_their_number(tmp_path: Path) -> None:
    read = waveforms.read(record(tmp_path, without(range(100, 150))))
    (gap,) = read.gaps
    assert (gap.lost_samples, gap.why) == (50, QUEUE_FULL)
    assert gap.seconds == pytest.approx(51 * 0.02, abs=0.03)
    assert read.end["gaps"] == 1
    assert read.end["missing_s"] == pytest.approx(gap.seconds, abs=1e-3)


def test_one_sample_that_is_lost_is_told_and_everything_is_said_anew_behind_it(
    tmp_path: Path,
) -> None:
    read = waveforms.read(record(tmp_path, without([200])))
    (gap,) = read.gaps
    assert gap.lost_samples == 1
    for topic in ("/contact", "/state", "/setpoint", "/exposure", "/switch", "/motion"):
        assert gap.end_ns in read.columns[topic].log_time_ns


def test_the_last_samples_are_a_gap_too(tmp_path: Path) -> None:
    samples = sum(piece[0] == SAMPLE_KIND for piece in pieces())
    read = waveforms.read(record(tmp_path, without(range(samples - 40, samples))))
    (gap,) = read.gaps
    assert gap.lost_samples == 40
    assert gap.seconds >= 0.8


def test_a_unit_that_sent_nothing_for_a_while_is_a_gap_without_lost_samples(
    tmp_path: Path,
) -> None:
    import struct  # noqa: PLC0415

    kept, sample = [], -1
    for piece in pieces():
        changed = piece
        if piece[0] == SAMPLE_KIND:
            sample += 1
            if 100 <= sample < 130:
                continue
            if sample >= 130:  # counts on as if there had been none
                number = struct.unpack_from("<I", piece, 8)[0] - 30
                changed = piece[:8] + struct.pack("<I", number) + piece[12:]
        kept.append(changed)
    (gap,) = waveforms.read(record(tmp_path, b"".join(kept[:-1]))).gaps
    assert (gap.lost_samples, gap.why) == (0, NO_READING)


def test_a_channel_keeps_its_number_for_ever() -> None:
    assert [channel.topic for channel in CHANNELS] == [
        "/suction", "/flow", "/valve", "/exposure", "/setpoint", "/contact", "/motion", "/switch",
        "/state", "/alarm", "/gap",
    ]  # fmt: skip
    assert channels.PROFILE == "corneum"
    assert RECORDER_GONE
