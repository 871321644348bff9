"""The short verbs beside a kernel: what they ask, as whom, and what they say of its answer."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from controller.api import stop_address
from controller.api.stop_address import name_for
from controller.cli import session
from controller.cli.outcome import ExitCode, Failure
from controller.cli.session import asked, running, serving
from controller.cli.tell import DONE_WORDS
from controller.config.locate import shipped_configs
from tests.controller.cli.acting_kernel import acting
from tests.controller.cli.conftest import Corneum
from tests.controller.cli.views import ACTIVE, IDLE, on

pytestmark = pytest.mark.realtime

ANNA = {"name": "anna", "role": "practitioner", "origin": "local"}
HELD = {"code": "no_trip", "sentence": "No trip is latched.", "next_step": "Go on.",
        "receipt": {"quantity": "flow"}}  # fmt: skip
NEXT = "Start a treatment with `corneum treat`, or name another folder in CORNEUM_STATE."


@pytest.mark.parametrize("verb", ["pause", "resume", "ack", "reset", "silence"])
def test_a_short_verb_asks_as_the_person_at_the_terminal_and_says_that_it_was_done(
    corneum: Corneum, state: Path, verb: str
) -> None:
    with acting(state) as kernel:
        kernel.answers[verb] = {"state": "idle"}
        assert corneum(verb) == (0, f"{kernel.port}: {DONE_WORDS[verb]}\n", "")
        assert kernel.asked == [(verb, {}, ANNA)]
        said = corneum(verb, "--port", kernel.port, "--json").said
        assert said == {"done": verb, "port": kernel.port, "state": "idle"}


@pytest.mark.parametrize(
    ("words", "do", "args", "out"),
    [
        (("unlock", "--reason", "mended"), "unlock", {"reason": "mended"}, DONE_WORDS["unlock"]),
        (
            ("dismiss", "6", "--reason", "ill"),
            "dismiss",
            {"treatment": 6, "reason": "ill"},
            DONE_WORDS["dismiss"],
        ),
        (
            ("sterilised", "R-7", "--cycle", "2031"),
            "sterilised",
            {"tip": "R-7", "cycle": "2031"},
            "noted: tip R-7 was sterilised and may be used again.",
        ),
        (
            ("records", "accept", "row", "7", "--reason", "read"),
            "accept",
            {"subject": "row", "number": 7, "reason": "read"},
            "noted: the record goes on with row 7 as decided.",
        ),
        (
            ("records", "accept", "head", "--reason", "read"),
            "accept",
            {"subject": "head", "reason": "read"},
            "noted: the record goes on with head as decided.",
        ),
    ],
)
def test_what_is_written_down_is_asked_of_the_kernel_with_all_that_was_said(
    corneum: Corneum,
    state: Path,
    words: tuple[str, ...],
    do: str,
    args: dict[str, object],
    out: str,
) -> None:
    with acting(state) as kernel:
        kernel.answers[do] = {"tip": "R-7"}
        ended = corneum(*words)
        assert (ended.code, ended.err) == (0, "")
        assert ended.out.removeprefix(f"{kernel.port}: ") == f"{out}\n"
        assert kernel.asked == [(do, args, ANNA)]
        assert corneum(*words, "--json").said["done"] == do


@pytest.mark.parametrize(
    "words", ["reset", "unlock --reason so", "records accept head --reason so"]
)
def test_a_refusal_of_the_kernel_is_told_with_its_step_and_its_receipt(
    corneum: Corneum, state: Path, words: str
) -> None:
    with acting(state) as kernel:
        kernel.errors = dict.fromkeys(("reset", "unlock", "accept"), HELD)
        ended = corneum(*words.split(), "--json")
        assert (ended.code, ended.err) == (ExitCode.NOTHING, "No trip is latched. Go on.\n")
        assert ended.said["error"] == HELD


def test_a_refusal_without_words_is_told_as_one(state: Path) -> None:
    with acting(state) as kernel:
        kernel.errors["ack"] = {}
        with pytest.raises(Failure) as caught:
            asked(kernel.socket, "ack")
    failure = caught.value
    assert (failure.sentence, failure.next_step) == ("The kernel refused.", "")
    assert (failure.name, failure.code, failure.receipt) == ("refused", ExitCode.REFUSED, None)


@pytest.mark.parametrize(
    ("number", "code", "exit_code"),
    [
        (0, "busy", ExitCode.PORT),
        (1, "busy", ExitCode.REFUSED),
        (0, "no_trip", ExitCode.NOTHING),
    ],
)
def test_a_kernel_that_lets_nobody_in_was_not_reached(
    state: Path, number: int, code: str, exit_code: ExitCode
) -> None:
    with acting(state) as kernel:
        kernel.as_number = number
        kernel.errors["ack"] = {"code": code, "sentence": "No.", "next_step": "Wait."}
        with pytest.raises(Failure) as caught:
            asked(kernel.socket, "ack")
    assert (caught.value.words, caught.value.name) == ("No. Wait.", code)
    assert caught.value.code is exit_code


def test_a_kernel_that_hangs_up_may_have_ended_just_now(corneum: Corneum, state: Path) -> None:
    with acting(state) as kernel:
        kernel.hangs_up_at.add("ack")
        ended = corneum("ack", "--json")
        assert ended.code == ExitCode.PORT
        error = ended.said["error"]
        assert error["code"] == "no_kernel"
        assert error["sentence"].startswith(f"The kernel at {kernel.socket} does not answer (")
        assert error["sentence"].endswith(").")
        assert error["next_step"] == "It may have ended just now; `corneum status` looks again."


def test_a_kernel_that_does_not_answer_is_told_as_frozen(state: Path) -> None:
    with acting(state) as kernel:
        kernel.silent.add("status")
        with pytest.raises(Failure) as caught:
            asked(kernel.socket, "status", timeout_s=0.02)
        assert caught.value.sentence == (
            f"A kernel runs and could not be reached: the kernel at {kernel.socket} has not "
            "answered for 0.02 s."
        )
        kernel.answers["status"] = {}
    assert caught.value.next_step == (
        "It is frozen or overloaded; `corneum stop` and the hand switch do not need its answer."
    )
    assert (caught.value.code, caught.value.name) == (ExitCode.PORT, "kernel_silent")


# -- which kernel ----------------------------------------------------------------------------------
def test_of_two_kernels_one_has_to_be_named(corneum: Corneum, state: Path) -> None:
    with acting(state, "/dev/ttyB", pid=1) as second, acting(state, "/dev/ttyA", pid=2) as first:
        ended = corneum("ack")
        assert ended.code == ExitCode.USAGE
        ports = sorted((first.port, second.port))
        assert ended.err in {
            f"2 kernels run: {', '.join(order)}. Name one with --port.\n"
            for order in (ports, ports[::-1])
        }
        assert corneum("ack", "--port", "/dev/ttyA").code == 0
        assert (first.did, second.did) == (["ack"], [])


def test_where_the_port_has_none_the_others_are_named(corneum: Corneum, state: Path) -> None:
    with acting(state, "/dev/ttyA") as kernel:
        ended = corneum("ack", "--port", "/dev/ttyB")
        assert ended.code == ExitCode.PORT
        assert ended.err == (
            f"No kernel runs for /dev/ttyB (state folder {state}). It has kernels for "
            f"{kernel.port}. {NEXT}\n"
        )


def test_kernels_of_other_accounts_are_named_with_their_process(
    corneum: Corneum, state: Path
) -> None:
    name = "@" + name_for("/dev/ttyC", 99)[1:].decode()
    stop_address.SOCKETS.write_text(f"0: 2 0 10000 0002 01 1 {name}\n")
    ended = corneum("ack", "--json")
    assert ended.said["error"] == {
        "code": "no_kernel",
        "sentence": f"No kernel runs (state folder {state}). Other folders or accounts have 1: "
        "/dev/ttyC (process 99); anybody may stop them.",
        "next_step": NEXT,
        "receipt": None,
    }


def test_what_cannot_be_seen_is_not_told_as_none(corneum: Corneum, state: Path) -> None:
    stop_address.SOCKETS.unlink()
    ended = corneum("ack", "--port", "/dev/ttyC", "--json")
    assert not state.exists()
    assert (ended.code, ended.said["error"]) == (
        ExitCode.PORT,
        {
            "code": "kernel_unseen",
            "sentence": "Whether a kernel runs for /dev/ttyC could not be seen (/proc/net/unix: "
            "No such file or directory).",
            "next_step": "Mend the rights of that file; `corneum stop` and the hand switch do not "
            "need it.",
            "receipt": None,
        },
    )


def test_a_kernel_that_serves_a_port_is_asked_whether_it_is_there(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "FOUND_MAX_S", 0.02)
    assert serving("/dev/ttyA") is None
    with acting(state, "/dev/ttyA") as kernel:
        assert serving("/dev/ttyA") == running(None).socket == kernel.socket
        assert serving("/dev/ttyB") is None
        assert kernel.did == ["status"]
        kernel.hangs_up_at.add("status")
        assert serving("/dev/ttyA") is None
        kernel.hangs_up_at.clear()
        kernel.silent.add("status")
        with pytest.raises(Failure, match=r"^A kernel of /dev/ttyA runs and could not be reached"):
            serving("/dev/ttyA")


@pytest.mark.parametrize(
    ("role", "ssh", "who"),
    [
        ("supervisor", "", {**ANNA, "role": "supervisor"}),
        ("practitioner", "10.0.0.1 1 10.0.0.2 22", {**ANNA, "origin": "remote"}),
    ],
)
def test_whoever_asks_is_named_with_role_and_place(
    state: Path, monkeypatch: pytest.MonkeyPatch, role: str, ssh: str, who: dict[str, str]
) -> None:
    assert not state.exists()
    monkeypatch.setenv("CORNEUM_ROLE", role)
    monkeypatch.setenv("SSH_CONNECTION", ssh)
    assert session.who() == who
    monkeypatch.setenv("LOGNAME", "a" * 100)
    assert session.who()["name"] == "a" * 64
    monkeypatch.setenv("CORNEUM_ROLE", "chef")
    with pytest.raises(Failure) as caught:
        session.who()
    assert caught.value.words == (
        "CORNEUM_ROLE is 'chef', and there is no such role. Set it to one of viewer, practitioner, "
        "supervisor, technician, qa, or leave it out for practitioner."
    )
    assert caught.value.code is ExitCode.USAGE


# -- status, plan and config -----------------------------------------------------------------------
def test_the_status_of_a_kernel_is_a_few_lines(corneum: Corneum, state: Path) -> None:
    kernel_view = replace(
        ACTIVE.kernel, late_max_ms=3.4, scheduling="round-robin 10", memory_locked=True
    )
    with acting(state) as kernel:
        kernel.answers["status"] = replace(ACTIVE, kernel=kernel_view).as_dict()
        ended = corneum("status")
        assert (ended.code, ended.err) == (0, "")
        assert ended.out.splitlines() == [
            "/dev/ttyACT0: treating (kernel pid 4242)",
            "unit 1001, firmware 1.0, simulated, heard 8 ms ago",
            "scheduling round-robin 10, memory locked; the latest beat came 3 ms late",
            "Refresh for demo: under way",
            "  Nose: current, 12 of 31 s, exposure 0.90 of 3.15 µm",
            "  Chin: waiting, 0 of 44 s, exposure 0.00 of 3.15 µm",
            "suction 27.9 kPa (set 28.0), crystals 7.1 g/min (set 7.0), valve 46 % (read 12 ms "
            "ago)",
            "MEDIUM V01: Suction went above its limit. Check the skin.",
            "unfinished: treatment 6, refresh for c-1; go on with `corneum treat refresh --client "
            "c-1 --resume`",
        ]
        assert corneum("status", "--json").said == json.loads(json.dumps(kernel.answers["status"]))
        ordinary = replace(ACTIVE.kernel, late_max_ms=3.4)
        kernel.answers["status"] = replace(IDLE, kernel=ordinary).as_dict()
        assert corneum("status").out.splitlines()[2] == (
            "scheduling ordinary; the latest beat came 3 ms late"
        )


@pytest.mark.parametrize("words", [(), ("--port", "/dev/ttyACT0")])
def test_a_plan_beside_a_kernel_is_for_its_unit_with_its_files(
    corneum: Corneum, state: Path, words: tuple[str, ...]
) -> None:
    plan = ("plan", "refresh", "--client", "demo", "--zones", "nose", "--json", *words)
    with acting(state) as kernel:
        kernel.answers["status"] = on(state).as_dict()
        ended = corneum(*plan)
        assert (ended.code, ended.err) == (0, "")
        assert [zone["zone"] for zone in ended.said["zones"]] == ["nose"]
        assert set(kernel.did) == {"status"}
        assert not any("no kernel runs" in note for note in ended.said["notes"])
        other = state.parent / "other"
        ended = corneum(*plan, "--configs", str(other))
        assert ended.code == ExitCode.REFUSED
        assert ended.err == (
            f"The kernel of /dev/ttyACT0 reads {shipped_configs()}, and another folder was named: "
            f"{other}. Leave --configs out, or end that kernel first.\n"
        )
        kernel.answers["status"] = replace(on(state), unit=None).as_dict()
        assert corneum(*plan).code == ExitCode.PORT


def test_each_kernel_is_asked_for_the_folder_that_it_reads(corneum: Corneum, state: Path) -> None:
    with acting(state) as kernel:
        kernel.answers["status"] = on(state).as_dict()
        place = f"  kernel of /dev/ttyACT0: {shipped_configs()}\n"
        assert place in corneum("config", "path").out
        kernel.answers["status"] = IDLE.as_dict()
        assert "  kernel of /dev/ttyACT0: does not say\n" in corneum("config", "path").out
        kernel.errors["status"] = HELD
        assert "  kernel of /dev/ttyACT0: No trip is latched.\n" in corneum("config", "path").out
        said = json.loads(corneum("config", "path", "--json").out)
        assert {"name": "kernel of /dev/ttyACT0", "folder": None} in said["looked_at"]
    assert os.fspath(state)
