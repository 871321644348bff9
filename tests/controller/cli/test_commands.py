"""The verbs that need no unit: their answers, sentences and exit codes."""

import json
import pwd
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.api import stop_address
from controller.cli import main as command
from controller.cli import start
from controller.cli.outcome import ExitCode, Failure, exit_code_of
from controller.cli.start import failure_of
from controller.config.locate import shipped_configs

VERBS = (
    "treat",
    "plan",
    "stop",
    "pause",
    "resume",
    "ack",
    "reset",
    "status",
    "watch",
    "doctor",
    "config",
    "approve",
)

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.setenv("CORNEUM_STATE", str(tmp_path / "state"))
    # A stop without a port would end the treatments of the tests beside this one.
    monkeypatch.setattr(stop_address, "SOCKETS", tmp_path / "sockets")
    (tmp_path / "sockets").touch()

    def _run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["corneum", *words])
        with pytest.raises(SystemExit) as ended:
            command.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return _run


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(run: Run, verb: str) -> None:
    code, out, _ = run(verb, "--help")
    assert code == 0
    assert len(out.splitlines()) > 4


def test_a_plan_says_time_exposure_and_limits_without_a_unit(run: Run) -> None:
    code, out, err = run("plan", "refresh", "--client", "demo", "--zones", "nose", "--json")
    plan = json.loads(out)
    assert (code, err) == (0, "")
    assert plan["zones"][0]["expected_bound_um"] < plan["zones"][0]["cap_um"]
    assert plan["zones"][0]["receipts"]
    assert plan["simulated"] is True
    assert len(plan["sha256"]) == 64
    assert plan["planned_at"].endswith("+00:00")
    assert plan["planned_at_s"] > 1.7e9


def test_a_plan_for_people_fits_eighty_columns(run: Run) -> None:
    code, out, _ = run("plan", "refresh", "--client", "demo", "--zones", "nose,chin")
    assert code == 0
    assert "Nose" in out
    assert "of 3.09 µm" in out
    tables, _, sentences = out.partition("Nose, Chin: ")
    assert sentences
    assert max(len(line) for line in tables.splitlines()) <= 80


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("plan", "refrsh", "--client", "demo"), "There is no program 'refrsh'"),
        (("plan", "refresh", "--client", "nobody"), "There is no client 'nobody'"),
        (("plan", "refresh", "--client", "demo", "--suction-kpa", "60"), "may only lower"),
        (("plan", "refresh", "--client", "demo", "--suction-kpa", "nan"), "--suction-kpa is nan"),
        (("plan", "refresh", "--client", "demo", "--zones", "eyelids"), "yelids"),
    ],
)
def test_a_mistake_is_answered_in_one_sentence_and_exit_1(
    run: Run, words: tuple[str, ...], sentence: str
) -> None:
    code, out, err = run(*words)
    assert code == ExitCode.REFUSED
    assert out == ""
    assert sentence in err
    assert "Traceback" not in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "verb", ["pause", "resume", "ack", "reset", "status", "watch", "unlock --reason mended"]
)
def test_without_a_kernel_the_short_verbs_say_so(run: Run, verb: str) -> None:
    code, _, err = run(*verb.split())
    assert code == ExitCode.PORT
    assert err.startswith("No kernel runs")


@pytest.mark.parametrize("verb", ["status", "ack", "plan refresh --client demo", "records verify"])
def test_an_account_without_a_home_is_told_to_name_a_folder(
    run: Run, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    def nobody(uid: int) -> None:
        raise KeyError(uid)

    for name in ("HOME", "XDG_STATE_HOME", "CORNEUM_STATE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    code, out, err = run(*verb.split(), "--json")
    assert code == ExitCode.PORT
    (line,) = err.splitlines()
    assert "Name a folder in CORNEUM_STATE" in line
    assert json.loads(out)["error"]["code"] == "environment"


def test_a_mistake_is_one_object_too_for_a_script(run: Run) -> None:
    for words in ("status", "records accept row", "treat refresh --client demo", "ack --nope"):
        code, out, err = run(*words.split(), "--json")
        assert code in {ExitCode.REFUSED, ExitCode.USAGE, ExitCode.PORT}
        (line,) = err.splitlines()
        assert json.loads(out)["error"]["sentence"] in line


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("sterilised", "R-7"), "No treatment was begun with a tip R-7"),
        (("sterilised", "Ä"), "a tip is named by 1 to 64 letters"),
        (("plan", "refresh", "--client", "demo", "--tip", ""), "a tip is named by 1 to 64"),
    ],
)
def test_a_tip_that_is_none_or_not_known_is_told_without_a_kernel(
    run: Run, words: tuple[str, ...], sentence: str
) -> None:
    code, _, err = run(*words)
    assert code == ExitCode.REFUSED
    assert sentence in err
    assert len(err.splitlines()) == 1


def test_a_treatment_without_a_place_is_a_usage_error(run: Run) -> None:
    code, _, err = run("treat", "refresh", "--client", "demo")
    assert code == ExitCode.USAGE
    assert "--simulator" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--port", "/dev/ttyUSB7", "--simulator"), "--port /dev/ttyUSB7 and --simulator are two"),
        (("--port", "/dev/ttyUSB7", "--hand", "slow"), "--hand and --seed are of a simulated"),
        (("--port", "/dev/ttyUSB7", "--seed", "0"), "--hand and --seed are of a simulated"),
    ],
)
def test_a_treatment_with_two_places_is_a_usage_error_and_neither_is_dropped(
    run: Run, words: tuple[str, ...], said: str
) -> None:
    code, out, err = run("treat", "refresh", "--client", "demo", *words)
    assert (code, out) == (ExitCode.USAGE, "")
    assert said in err
    assert "/dev/ttyUSB7" in err


def test_config_check_passes_the_shipped_files(run: Run) -> None:
    code, out, _ = run("config", "check", "--json")
    said = json.loads(out)
    assert (code, said["failed"]) == (0, 0)
    assert len(said["files"]) >= 16


def test_config_check_names_file_field_value_and_range(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "mine.toml"
    bad.write_text('name = "mine"\ndisplay_name = "Mine"\nversion = "one"\n')
    code, out, _ = run("config", "check", str(bad))
    assert code == ExitCode.REFUSED
    assert "mine.toml" in out
    assert "version" in out


def test_config_check_of_a_missing_file_is_a_usage_error(run: Run, tmp_path: Path) -> None:
    code, _, err = run("config", "check", str(tmp_path / "none.toml"))
    assert code == ExitCode.USAGE
    assert "none.toml" in err


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("14,5", "14,5 has a decimal comma; write 14.5."),
        ("15 kPa", "15 kPa is not a number; write digits alone, such as 14.5."),
    ],
)
@pytest.mark.parametrize("option", ["--suction-kpa", "--flow-g-per-min"])
def test_a_number_behind_an_option_is_told_how_it_is_written(
    run: Run, option: str, said: str, told: str
) -> None:
    code, out, err = run("plan", "refresh", "--client", "demo", option, said)
    assert (code, out) == (ExitCode.USAGE, "")
    assert told in " ".join(err.split())


def test_a_plan_says_how_much_of_its_time_a_zone_is_expected_to_have(
    run: Run, tmp_path: Path
) -> None:
    """The live view counts to the whole time: both numbers have to stand somewhere together.

    Two passes of a client whose cap is 0.4 of the usual: the second does not fit to its end.
    """
    shutil.copytree(shipped_configs(), tmp_path / "configs")
    client = tmp_path / "configs/clients/demo.toml"
    text = client.read_text().replace("phototype = 2", "phototype = 5")
    client.write_text(text.replace("age_years = 34", "age_years = 70"))
    configs = ("--configs", str(tmp_path / "configs"))
    words = ("plan", "hands", "--client", "demo", *configs, "--json")
    (zone,) = json.loads(run(*words)[1])["zones"]
    assert zone["ends_by"] == "exposure"
    assert zone["expected_contact_s"] < zone["contact_budget_s"]
    text = run(*words[:-1])[1]
    assert f"{zone['expected_contact_s']:.0f} of {zone['contact_budget_s']:.0f} s" in text
    assert "a zone that ends by exposure or suction has used up what it may have" in " ".join(
        text.split()
    )


def test_doctor_names_a_port_that_does_not_exist(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("doctor", str(tmp_path / "none"), "--json")
    findings = json.loads(out)["ports"][str(tmp_path / "none")]
    assert code == ExitCode.PORT
    assert not findings[0]["ok"]


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("port_held", ExitCode.PORT),
        ("unit_held", ExitCode.PORT),
        ("device", ExitCode.PORT),
        ("kernel_running", ExitCode.PORT),
        ("record", ExitCode.REFUSED),
        ("config", ExitCode.REFUSED),
        ("stopped", ExitCode.STOPPED),
        ("nothing_to_acknowledge", ExitCode.NOTHING),
        ("no_trip", ExitCode.NOTHING),
        ("not_locked", ExitCode.NOTHING),
    ],
)
def test_an_error_code_of_the_kernel_becomes_an_exit_code(code: str, exit_code: ExitCode) -> None:
    assert exit_code_of(code) is exit_code
    assert failure_of({"code": code, "sentence": "S.", "next_step": "N."}, "it").words == "S. N."


# -- approvals -------------------------------------------------------------------------------------
@pytest.fixture
def strong(tmp_path: Path) -> Path:
    """Return a program above every preset, in a folder of configurations of its own."""
    shutil.copytree(shipped_configs(), tmp_path / "configs")
    text = (tmp_path / "configs/programs/refresh.toml").read_text()
    path = tmp_path / "configs/programs/strong.toml"
    path.write_text(text.replace('"refresh"', '"strong"').replace("= 28.0", "= 36.0"))
    return path


PLAN_STRONG = ("plan", "strong", "--client", "demo", "--zones", "nose")


@pytest.mark.hazard("H19")
def test_a_program_above_the_presets_is_planned_once_a_supervisor_has_approved_it(
    run: Run, strong: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs = ("--configs", str(strong.parent.parent))
    code, _, err = run(*PLAN_STRONG, *configs)
    assert code == ExitCode.REFUSED
    assert f"corneum approve {strong} --reason TEXT" in err
    assert run("config", "check", str(strong))[0] == ExitCode.REFUSED
    monkeypatch.setenv("CORNEUM_ROLE", "supervisor")
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    code, out, _ = run("approve", str(strong), "--reason", "patch test of 3 March", "--json")
    said = json.loads(out)
    assert (code, said["needed"], len(said["sha256"])) == (0, True, 64)
    assert "(system account): patch test of 3 March" in said["approval"]
    assert run(*PLAN_STRONG, *configs)[0] == 0
    code, out, _ = run("config", "check", str(strong))
    assert code == 0
    assert "(system account): patch test of 3 March" in out
    strong.write_text(strong.read_text().replace("= 36.0", "= 35.0"))
    code, _, err = run(*PLAN_STRONG, *configs)
    assert code == ExitCode.REFUSED
    assert "it was edited after its approval" in err


@pytest.mark.hazard("H19")
@pytest.mark.parametrize(
    ("role", "ssh", "said"),
    [
        ("practitioner", "", "The role practitioner may not approve"),
        ("technician", "", "The role technician may not approve"),
        ("supervisor", "10.0.0.1 1 10.0.0.2 22", "by a person at this computer"),
    ],
)
def test_only_a_supervisor_at_this_computer_approves(
    run: Run, strong: Path, monkeypatch: pytest.MonkeyPatch, role: str, ssh: str, said: str
) -> None:
    monkeypatch.setenv("CORNEUM_ROLE", role)
    monkeypatch.setenv("SSH_CONNECTION", ssh)
    code, _, err = run("approve", str(strong), "--reason", "why not")
    assert code == ExitCode.REFUSED
    assert said in err
    assert not (strong.parent.parent / "approvals.toml").exists()


def test_what_needs_no_approval_or_cannot_have_one_says_so(
    run: Run, strong: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORNEUM_ROLE", "supervisor")
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    code, out, _ = run("approve", str(strong.with_name("refresh.toml")), "--reason", "all well")
    assert code == 0
    assert "needs no approval" in out
    stray = strong.parent.parent / "strong.toml"
    shutil.copy(strong, stray)
    code, _, err = run("approve", str(stray), "--reason", "all well")
    assert code == ExitCode.USAGE
    assert "does not lie in the folder programs" in err
    strong.write_text(strong.read_text().replace("= 36.0", "= 41.0"))
    code, _, err = run("approve", str(strong), "--reason", "all well")
    assert code == ExitCode.REFUSED
    assert "it must be at most 40 kPa" in err
    assert not (strong.parent.parent / "approvals.toml").exists()


@pytest.mark.hazard("H19")
def test_an_exclusion_that_names_no_zone_stops_check_and_plan(run: Run, strong: Path) -> None:
    configs = strong.parent.parent
    client = configs / "clients/demo.toml"
    client.write_text(client.read_text().replace("exclusions = []", 'exclusions = ["noze"]'))
    for words in (
        ("config", "check", str(client)),
        ("plan", "refresh", "--client", "demo", "--configs", str(configs)),
    ):
        code, out, err = run(*words)
        assert code == ExitCode.REFUSED
        assert 'there is no zone "noze"; did you mean nose?' in out + err


@pytest.mark.realtime
def test_a_process_that_ends_before_it_is_ready_names_its_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CORNEUM_STATE", str(tmp_path))
    log = tmp_path / "run" / "kernel.log"
    for words in ("it broke", "it broke again"):
        command = [sys.executable, "-c", f"import sys; sys.exit('{words}')"]
        with pytest.raises(Failure, match=r"^The kernel ended before it was ready\.$") as failed:
            start._start(command, "the kernel")
        assert str(log) in failed.value.next_step
        assert log.read_text() == f"{words}\n"
    assert log.with_suffix(".old").read_text() == "it broke\n"


@pytest.mark.realtime
def test_a_kernel_that_is_called_wrongly_says_so_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CORNEUM_STATE", str(tmp_path))
    with pytest.raises(Failure, match="unrecognized arguments: --no-such-option") as failed:
        start.kernel(["--port", "x", "--no-such-option"])
    assert "--help" in failed.value.next_step
    (line,) = (tmp_path / "run" / "kernel.log").read_text().splitlines()
    assert line == failed.value.words
