"""Hostile bytes by the hundred thousand: no crash, no flow outside the promise, no growth."""

import json
import random
from collections.abc import Callable

import pytest

from firmware_protocol.codec import encode
from firmware_protocol.errors import Reject
from firmware_protocol.link import Event, Link
from firmware_protocol.messages import Setpoint
from firmware_protocol.vocabulary import Mode
from qa.host import greeting
from simulator.firmware import modes, permissives, setpoints
from simulator.firmware.firmware import OUTGOING_MAX_BYTES
from simulator.firmware.memory import CAPACITY
from simulator.firmware.modes import Trigger
from simulator.firmware.requests import Requests
from simulator.firmware.setpoints import Lease, Setpoints, Verdict
from simulator.handpiece import Handpiece
from simulator.plant.hand import AWAY
from tests.proof.fuzz.campaign import Campaign, FuzzFailedError, Report
from tests.proof.fuzz.honest import STROKING, HonestHost
from tests.proof.fuzz.witness import (
    CENSUS_MAX_BYTES,
    LONGEST_MAX,
    SteeredHand,
    Witness,
    count_bytes,
)

FRAMES = 200_000
SHARE_MIN = {
    "ACTIVE": 0.10, "ARMED": 0.02, "PAUSED": 0.02, "READY": 0.02, "SELFTEST": 0.04,
    "STOPPING": 0.02, "SAFE": 0.04, "DISARMED": 0.05, "BOOT": 0.001,
}  # fmt: skip
GROWN_MAX_BLOCKS = 20_000  # of the interpreter, between a quarter and the end of a campaign


@pytest.fixture(scope="module")
def report() -> Report:
    return Campaign(seed=1, frames=FRAMES).run()


@pytest.mark.hazard("H11", "H24", "H47", "H49")
def test_two_hundred_thousand_hostile_frames_break_nothing_and_half_of_them_are_noise(
    report: Report,
) -> None:
    assert report.frames >= FRAMES
    assert report.random_frames == pytest.approx(report.frames / 2, rel=0.05)
    assert report.answers > FRAMES / 10
    assert report.stops > 500


@pytest.mark.parametrize(("mode", "share"), SHARE_MIN.items())
def test_every_mode_is_under_fire(report: Report, mode: str, share: float) -> None:
    assert report.in_mode[mode] >= share * report.frames


def test_treatments_are_really_armed_and_crystals_really_flow_under_fire(report: Report) -> None:
    assert report.entered["ARMED"] > 50
    assert report.entered["ACTIVE"] > 50
    assert report.valve_open_s > 20.0
    assert {"LINK_ERRORS", "LEASE_LAPSED"} <= set(report.trips)


def test_neither_the_device_nor_the_interpreter_grows(report: Report) -> None:
    assert report.census_max_bytes <= CENSUS_MAX_BYTES
    assert report.blocks_late - report.blocks_early <= GROWN_MAX_BLOCKS


def test_the_same_seed_is_the_same_campaign() -> None:
    first, second, other = (Campaign(seed, 5000).run() for seed in (5, 5, 6))
    assert json.loads(json.dumps(first.as_dict())) == second.as_dict() | {
        "blocks_early": first.blocks_early, "blocks_late": first.blocks_late,
    }  # fmt: skip
    assert first.trace != other.trace


def test_a_flood_fills_the_log_and_what_nobody_reads_and_no_more() -> None:
    chance = random.Random(3)  # noqa: S311 - a test must repeat
    device = Handpiece(3, "absent")
    device.advance(0.2)
    for nonce in range(CAPACITY + 500):
        hello = greeting(nonce)
        device.receive(b"\0" + encode(hello, 0, 1))
        device.receive(chance.randbytes(200))  # mostly without a delimiter
        if nonce % 50 == 0:
            device.advance(device.now_s + 0.005)
    log = device.firmware.board.log
    assert log.newest_seq > CAPACITY
    assert log.read(log.newest_seq - CAPACITY) is None
    assert log.read(log.newest_seq - CAPACITY + 1) is not None
    total, longest = count_bytes((device.firmware, device.plant))
    assert len(log._ring) == CAPACITY
    assert longest <= LONGEST_MAX
    assert total <= CENSUS_MAX_BYTES
    assert len(device.outgoing()) <= OUTGOING_MAX_BYTES + 100


@pytest.mark.hazard("H23")
def test_a_recorded_treatment_replayed_byte_for_byte_never_arms_another_power_on() -> None:
    hand = SteeredHand()
    witness = Witness(9, hand)
    chance = random.Random(9)  # noqa: S311 - a test must repeat
    host = HonestHost(witness, hand, chance)
    recorded: list[tuple[float, bytes]] = []
    while witness.device.now_s < 6.0:
        for said in host.act():
            recorded.append((witness.device.now_s, said))
            witness.give(said)
        witness.tick()
    assert witness.valve_open_s > 1.0

    victim_hand = SteeredHand()
    victim = Witness(10, victim_hand)
    for at_s, said in recorded * 2:
        while victim.device.now_s < at_s:
            pressed = int(victim.device.now_s * 4) % 2 == 0
            victim_hand.take(STROKING if pressed else AWAY, victim.device.now_s)
            victim.tick()
        victim.give(said)
    assert victim.modes_entered["ARMED"] == victim.modes_entered["ACTIVE"] == 0


# -- the fuzz itself is tested: each of these defects must be found, and soon
DEFECT_FRAMES = 40_000


def _always(name: str) -> Callable[[pytest.MonkeyPatch], None]:
    def plant(patch: pytest.MonkeyPatch) -> None:
        honest = permissives.bits

        def bits(**conditions: bool) -> int:
            return honest(**(conditions | {name: True}))

        patch.setattr(permissives, "bits", bits)

    return plant


def _lease_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Lease, "left_ms", lambda lease, tick_ms: 100 if lease.live else 0)


def _old_echo_accepted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(setpoints, "ECHO_AGE_MAX_MS", 10**6)


def _made_up_echo_accepted(patch: pytest.MonkeyPatch) -> None:
    judge = Setpoints._judge

    def lenient(points: Setpoints, setpoint: Setpoint, tick_ms: int) -> Verdict:
        verdict = judge(points, setpoint, tick_ms)
        return Verdict.ACCEPTED if verdict is Verdict.MADE_UP_ECHO else verdict

    patch.setattr(Setpoints, "_judge", lenient)


def _stream_always_healthy(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Setpoints, "healthy", lambda points, tick_ms: True)


def _any_cause_resets(patch: pytest.MonkeyPatch) -> None:
    honest = Requests._reset
    patch.setattr(
        Requests,
        "_reset",
        lambda requests, reset, seq: honest(
            requests, reset._replace(cause=requests._board.cause), seq
        ),
    )


def _stop_ignored_while_active(patch: pytest.MonkeyPatch) -> None:
    row = dict(modes.TRANSITIONS[Mode.ACTIVE]) | {Trigger.STOP_NORMAL: Mode.ACTIVE}
    patch.setattr(modes, "TRANSITIONS", dict(modes.TRANSITIONS) | {Mode.ACTIVE: row})


def _every_reject_remembered(patch: pytest.MonkeyPatch) -> None:
    honest = Link._reject
    kept: dict[int, list[float]] = {}

    def reject(link: Link, reason: Reject, now_s: float, events: list[Event]) -> None:
        vars(link).setdefault("kept", kept.setdefault(id(link), [])).append(now_s)
        honest(link, reason, now_s, events)

    patch.setattr(Link, "_reject", reject)


def _crash_out_of_range(patch: pytest.MonkeyPatch) -> None:
    honest = Link._reject

    def reject(link: Link, reason: Reject, now_s: float, events: list[Event]) -> None:
        if reason is Reject.RANGE:
            raise ValueError("a count out of range")
        honest(link, reason, now_s, events)

    patch.setattr(Link, "_reject", reject)


@pytest.mark.parametrize(
    ("defect", "said"),
    [
        (_always("contact"), "only with skin under the tip"),
        (_always("suction"), "only with suction"),
        (_always("exposure"), "only with exposure left"),
        (_lease_for_ever, "counts no more of it"),
        (_old_echo_accepted, "counts no more of it"),
        (_made_up_echo_accepted, "counts no more of it"),
        (_stream_always_healthy, "with a healthy stream"),
        (_any_cause_resets, "reset of its cause"),
        (_stop_ignored_while_active, "ends every treatment at once"),
        (_every_reject_remembered, "something holds"),
        (_crash_out_of_range, "ValueError: a count out of range"),
    ],
)
def test_a_device_with_a_defect_is_found_out(
    monkeypatch: pytest.MonkeyPatch, defect: Callable[[pytest.MonkeyPatch], None], said: str
) -> None:
    defect(monkeypatch)
    with pytest.raises(FuzzFailedError, match=said):
        Campaign(seed=3, frames=DEFECT_FRAMES).run()
