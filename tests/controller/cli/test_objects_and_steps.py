"""The verbs without a unit: whole objects for scripts, sentences with their step for people."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from controller.cli import app, boundary, config_init, doctor, stop
from controller.cli.outcome import BY_HAND, ExitCode
from controller.config.locate import shipped_configs
from controller.config.paths import journal_path
from controller.config.schema import SCHEMAS, schema_text
from controller.device.doctor import Finding
from tests.controller.cli.conftest import Corneum
from tests.controller.record import damage, years
from tests.controller.record.crashed import crashed
from tests.controller.record.years import Years

LED = "A treatment that this screen led pauses within 2 s; `corneum stop` ends it."
SIMULATE = "For practice: corneum treat refresh --client demo --simulator"


# -- mistakes --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (
            "plan refresh --client demo --suction-kpa 0",
            ExitCode.REFUSED,
            {
                "code": "refused",
                "sentence": "--suction-kpa is 0, and must be a finite number above 0.",
                "next_step": "`corneum plan` shows what the program uses.",
            },
        ),
        (
            "plan refresh --client demo --flow-g-per-min inf",
            ExitCode.REFUSED,
            {
                "code": "refused",
                "sentence": "--flow-g-per-min is inf, and must be a finite number above 0.",
                "next_step": "`corneum plan` shows what the program uses.",
            },
        ),
        (
            "treat refresh --client demo",
            ExitCode.USAGE,
            {
                "code": "usage",
                "sentence": "Say where to treat: either --port PORT or --simulator.",
                "next_step": SIMULATE,
            },
        ),
        (
            "treat refresh --client demo --port /dev/a --simulator",
            ExitCode.USAGE,
            {
                "code": "usage",
                "sentence": "--port /dev/a and --simulator are two handpieces.",
                "next_step": "Leave one of them out.",
            },
        ),
        (
            "treat refresh --client demo --port /dev/a --seed 4",
            ExitCode.USAGE,
            {
                "code": "usage",
                "sentence": "--hand and --seed are of a simulated handpiece, and --port names "
                "/dev/a.",
                "next_step": "Leave them out, or name --simulator in place of the port.",
            },
        ),
        (
            "status --watch",
            ExitCode.USAGE,
            {
                "code": "usage",
                "sentence": "`status` answers once.",
                "next_step": "`corneum watch` keeps showing.",
            },
        ),
        (
            "records accept head --reason ",
            ExitCode.REFUSED,
            {
                "code": "refused",
                "sentence": "A decision on the record needs a reason.",
                "next_step": "Say it with --reason TEXT.",
            },
        ),
        (
            "approve programs/none.toml --reason so",
            ExitCode.REFUSED,
            {
                "code": "role",
                "sentence": "The role practitioner may not approve a program.",
                "next_step": "A supervisor does, with CORNEUM_ROLE=supervisor.",
            },
        ),
    ],
)
def test_each_mistake_is_told_with_its_name_and_its_step(
    corneum: Corneum, words: str, code: ExitCode, error: dict[str, str]
) -> None:
    ended = corneum(*words.split(" "), "--json")
    assert ended.code == code
    assert ended.said["error"] == {**error, "receipt": None}
    assert ended.err == f"{error['sentence']} {error['next_step'].removesuffix('.')}.\n"


def test_only_a_person_at_the_computer_approves(
    corneum: Corneum, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CORNEUM_ROLE", "supervisor")
    path = tmp_path / "none.toml"
    error = corneum("approve", str(path), "--reason", "so", "--json").said["error"]
    assert (error["code"], error["sentence"], error["next_step"]) == (
        "place",
        f"{path} does not lie in the folder programs of a configuration.",
        "Put it there first: the approval is kept beside that folder.",
    )
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")
    error = corneum("approve", str(path), "--reason", "so", "--json").said["error"]
    assert (error["code"], error["next_step"]) == ("remote", "Approve it at the unit.")
    assert error["sentence"] == (
        "A program is approved by a person at this computer: from elsewhere one may stop, pause, "
        "lower and look, never start or raise."
    )


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    folder = tmp_path / "configs"
    shutil.copytree(shipped_configs(), folder)
    return folder


def test_an_approval_is_told_to_people_and_scripts(
    corneum: Corneum, configs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORNEUM_ROLE", "supervisor")
    text = (configs / "programs/refresh.toml").read_text()
    strong = configs / "programs/strong.toml"
    strong.write_text(text.replace('"refresh"', '"strong"').replace("= 28.0", "= 36.0"))
    said = corneum("approve", str(strong), "--reason", "patch test", "--json").said
    assert set(said) == {"approved", "sha256", "approval", "needed"}
    assert (said["approved"], said["needed"]) == (str(strong), True)
    out = corneum("approve", str(strong), "--reason", "patch test").out
    assert out == f"{strong} is approved as it is now, {said['approval']}. An edit voids this.\n"
    mild = configs / "programs/refresh.toml"
    said = corneum("approve", str(mild), "--reason", "so", "--json").said
    words = "is within an approved preset and needs no approval"
    assert (said["approval"], said["needed"]) == (words, False)
    assert corneum("approve", str(mild), "--reason", "so").out == f"{mild} {words}.\n"
    mild.write_text("name = 7")
    error = corneum("approve", str(mild), "--reason", "so", "--json").said["error"]
    assert error["code"] == "config"
    assert str(mild) in error["sentence"]


# -- files -----------------------------------------------------------------------------------------
def test_files_are_made_kept_and_told_apart(corneum: Corneum, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    first = corneum("config", "init", str(folder), "--json").said
    assert first["folder"] == str(folder)
    assert (first["kept"], first["differ"]) == ([], [])
    count = len(first["made"])
    (folder / "programs/refresh.toml").write_text("mine")
    (folder / "clients/demo.toml").write_text("mine, too")
    said = corneum("config", "init", str(folder), "--json").said
    assert (said["made"], len(said["kept"])) == ([], count - 2)
    differ = sorted(said["differ"])
    assert [Path(name).name for name in differ] == ["demo.toml", "refresh.toml"]
    out = corneum("config", "init", str(folder)).out.splitlines()
    steps = config_init._next_steps(folder)
    assert out == [
        f"0 files were copied into {folder}.",
        f"{count} files were there and stay as they are.",
        f"They say something else than the shipped: {', '.join(said['differ'])}.",
        *steps,
    ]
    assert said["next_step"] == " ".join(steps)
    assert steps == [
        f"Next: let every command of this terminal use it: export CORNEUM_CONFIGS={folder}",
        "For each unit copy handpieces/unit-example.toml to handpieces/unit-SERIAL.toml and fill "
        "it in from its calibration certificate; `corneum doctor PORT` says the serial number.",
        "For each client copy clients/demo.toml to clients/REF.toml, with ref = REF and without "
        "practice = true.",
        f"Then: corneum config check {folder}",
        "Try it: corneum treat refresh --client demo --simulator",
    ]
    (tmp_path / "file").touch()
    error = corneum("config", "init", str(tmp_path / "file"), "--json").said["error"]
    assert error["code"] == "config"


def test_a_check_names_every_file_and_what_is_wrong_with_it(
    corneum: Corneum, configs: Path
) -> None:
    bad = configs / "programs/refresh.toml"
    bad.write_text("name = 7")
    said = corneum("config", "check", str(configs), "--json").said
    assert said["failed"] == 1
    assert all(set(each) == {"file", "problem", "notes"} for each in said["files"])
    (problem,) = [each["problem"] for each in said["files"] if each["problem"]]
    ended = corneum("config", "check", str(configs))
    assert ended.code == ExitCode.REFUSED
    lines = ended.out.splitlines()
    assert lines[0] == problem
    assert lines[-1] == f"{len(said['files']) - 1} of {len(said['files'])} files can be used."
    assert corneum("config", "check", str(configs / "none")).err == (
        f"There is no file {configs / 'none'}. Check the path.\n"
    )


def test_a_file_may_name_the_zones_of_the_folder_that_it_lies_in(
    corneum: Corneum, configs: Path
) -> None:
    sites = configs / "skin/sites.toml"
    sites.write_text(sites.read_text().replace('"nose"', '"snout"'))
    client = configs / "clients/demo.toml"
    client.write_text(client.read_text().replace('"nose"', '"snout"'))
    assert corneum("config", "check", str(client)).code == 0
    elsewhere = configs.parent / "elsewhere" / "clients" / "demo.toml"
    elsewhere.parent.mkdir(parents=True)
    shutil.copy(client, elsewhere)
    ended = corneum("config", "check", str(elsewhere))
    assert (ended.code, 'there is no zone "snout"' in ended.out) == (ExitCode.REFUSED, True)


def test_schemas_are_printed_one_by_one_or_all_together(corneum: Corneum) -> None:
    every = {name: json.loads(schema_text(model)) for name, model in SCHEMAS.items()}
    out = corneum("config", "schema").out
    assert out == json.dumps(every, indent=2, ensure_ascii=False) + "\n"
    assert "\\u" not in out
    kind = next(iter(SCHEMAS))
    assert corneum("config", "schema", kind).out == schema_text(SCHEMAS[kind])
    ended = corneum("config", "schema", "progam")
    assert ended.code == ExitCode.USAGE
    assert ended.err == (
        "There is no kind of file 'progam'; did you mean program? Kinds are "
        f"{', '.join(SCHEMAS)}.\n"
    )
    assert corneum("config", "schema", "xyz").err.startswith("There is no kind of file 'xyz'. ")


# -- the record ------------------------------------------------------------------------------------
def test_a_check_of_the_record_is_one_object(
    corneum: Corneum, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = journal_path(state)
    years.write(record, Years(treatments=4, clients=2)).close()
    said = corneum("records", "verify", "--json").said
    (witness,) = said["end"].pop("witnesses")
    assert Path(witness.pop("place")).suffix == ".note"
    assert witness == {"says": "says nothing", "row": None, "why": "", "weak": True}
    assert said == {
        "ok": True,
        "record": str(record),
        "rows": 28,
        "breaks": [],
        "accepted": [],
        "sentence": f"The record {record} is whole: 28 rows.",
        "lacking": None,
        "end": {
            "ok": True,
            "proved": False,
            "sentence": "Its end is unproved: no witness has ever been told of it; `corneum "
            "records witness` tells them.",
            "missing": [],
        },
        "waveforms": {"whole": 0, "others": []},
    }
    damage.other_json(record, 7)
    found = "its content is not what was written"
    said = corneum("records", "verify", "--json").said
    assert (said["ok"], said["breaks"]) == (False, [{"row": 7, "found": found}])
    monkeypatch.setenv("CORNEUM_ROLE", "technician")
    assert corneum("records", "accept", "row", "7", "--reason", "read").code == 0
    (accepted,) = corneum("records", "verify", "--json").said["accepted"]
    assert accepted.pop("at_s") > 1.7e9
    assert accepted == {
        "row": 7, "found": found, "reason": "read",
        "who": {"name": "anna", "role": "technician", "origin": "local"},
    }  # fmt: skip
    recovered = corneum("records", "recover", "--json").said
    assert recovered == {
        "done": "recover", "record": str(record), "waveforms": [], "failed": [],
    }  # fmt: skip
    assert corneum("records", "recover").out == (
        f"The lists of the record {record} were made anew from its rows.\n"
    )


def test_what_is_refused_without_a_kernel_has_its_name_and_its_step(
    corneum: Corneum, state: Path
) -> None:
    crashed(journal_path(state))
    error = corneum("dismiss", "9", "--reason", "ill", "--json").said["error"]
    assert error["code"] not in {"", "refused"}
    assert error["next_step"]
    error = corneum("sterilised", "R-7", "--json").said["error"]
    assert error["code"] not in {"", "refused"}
    assert error["next_step"]
    said = corneum("dismiss", "1", "--reason", "ill").out
    assert said == "noted; what its zones have had still counts.\n"


# -- a fault of our own, and the doctor ------------------------------------------------------------
@pytest.mark.parametrize(
    ("words", "step"), [("stop", BY_HAND), ("treat", LED), ("watch", LED), ("status", ""), ("", "")]
)
def test_a_fault_of_our_own_says_what_to_do_at_the_unit(
    corneum: Corneum, monkeypatch: pytest.MonkeyPatch, words: str, step: str
) -> None:
    def broken(*_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(stop, "run", broken)
    monkeypatch.setattr(app, "main", broken)
    ended = corneum(*words.split())
    assert ended.code == ExitCode.FAULT
    assert ended.err.startswith("This is a fault of corneum itself")
    for other in (BY_HAND, LED):
        assert (other in ended.err) is (other == step)


def test_the_command_is_called_by_its_name(
    corneum: Corneum, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []

    def typed(_app: object, name: str) -> int:
        called.append(name)
        return 0

    monkeypatch.setattr(boundary, "typed", typed)
    assert corneum("status").code == 0
    assert called == ["corneum"]


@pytest.mark.parametrize(("ok", "code"), [(True, ExitCode.DONE), (False, ExitCode.PORT)])
def test_the_doctor_looks_at_every_port_and_one_healthy_unit_is_enough(
    corneum: Corneum, monkeypatch: pytest.MonkeyPatch, *, ok: bool, code: ExitCode
) -> None:
    async def diagnosed(port: str) -> list[Finding]:
        good = Finding("port", ok=True, sentence=f"{port} opens")
        return [good, Finding("line", ok=ok and port == "/dev/b", sentence="so", next_step="do it")]

    monkeypatch.setattr(doctor, "diagnose", diagnosed)
    monkeypatch.setattr(
        "serial.tools.list_ports.comports",
        lambda: [SimpleNamespace(device="/dev/a"), SimpleNamespace(device="/dev/b")],
    )
    ended = corneum("doctor")
    assert ended.code == code
    last = "ok" if ok else "!!"
    assert ended.out.splitlines() == [
        "/dev/a", "  ok  port: /dev/a opens", "  !!  line: so; do it.",
        "/dev/b", "  ok  port: /dev/b opens", f"  {last}  line: so; do it.",
    ]  # fmt: skip
    assert corneum("doctor", "/dev/b").code == code
    assert set(corneum("doctor", "--json").said["ports"]) == {"/dev/a", "/dev/b"}
    monkeypatch.setattr("serial.tools.list_ports.comports", list)
    ended = corneum("doctor")
    assert (ended.code, ended.err) == (
        ExitCode.PORT,
        "This machine has no serial port. Plug the handpiece in, or name a pty or tcp://host:port."
        "\n",
    )
