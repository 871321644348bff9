"""`corneum config init`, `path` and `schema`: for whoever has no checkout of the project."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.cli import main as command
from controller.cli.outcome import ExitCode
from controller.config.locate import CONFIGS_VARIABLE, shipped_configs
from controller.config.schema import SCHEMAS, schema_text
from controller.config.starter import FOLDERS

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.setenv("CORNEUM_STATE", str(tmp_path / "state"))
    monkeypatch.delenv(CONFIGS_VARIABLE, raising=False)

    def _run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["corneum", "config", *words])
        with pytest.raises(SystemExit) as ended:
            command.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return _run


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_init_makes_a_whole_folder_and_says_what_comes_next(run: Run, tmp_path: Path) -> None:
    mine = tmp_path / "my files" / "corneum"
    code, out, err = run("init", str(mine))
    assert (code, err) == (0, "")
    shipped = files_in(shipped_configs())
    expected = {name: text for name, text in shipped.items() if name.split("/")[0] in FOLDERS}
    assert files_in(mine) == expected
    assert f"{len(expected)} files were copied into {mine}." in out
    assert f"export CORNEUM_CONFIGS='{mine}'" in out
    assert f"corneum config check '{mine}'" in out
    assert run("check", str(mine))[0] == 0


def test_init_writes_no_file_that_is_there(run: Run, tmp_path: Path) -> None:
    changed = tmp_path / "programs" / "refresh.toml"
    elsewhere = tmp_path / "clients" / "demo.toml"
    changed.parent.mkdir()
    elsewhere.parent.mkdir()
    changed.write_text("mine")
    elsewhere.symlink_to(tmp_path / "nowhere")  # it would be written through
    code, out, _ = run("init", str(tmp_path), "--json")
    said = json.loads(out)
    assert (code, sorted(said["differ"])) == (0, ["clients/demo.toml", "programs/refresh.toml"])
    assert changed.read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()
    again = json.loads(run("init", str(tmp_path), "--json")[1])
    assert (again["made"], again["kept"]) == ([], said["made"])


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_init_of_what_can_be_no_folder_is_one_sentence(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("mine")
    code, out, err = run("init", str(tmp_path / name))
    assert (code, out) == (ExitCode.REFUSED, "")
    assert f"{tmp_path / 'file'}" in err
    assert "name another folder" in err
    assert len(err.splitlines()) == 1


def test_path_says_which_folder_is_used_why_and_what_else_was_looked_at(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = run("path")
    assert code == 0
    assert out.splitlines()[0] == str(shipped_configs())
    assert "CORNEUM_CONFIGS: not set" in out
    mine = tmp_path / "mine"
    run("init", str(mine))
    monkeypatch.setenv(CONFIGS_VARIABLE, str(mine))
    code, out, _ = run("path")
    assert code == 0
    assert out.splitlines()[:2] == [str(mine), "It is used because CORNEUM_CONFIGS names it."]
    assert f"  shipped: {shipped_configs()}\n" in out


def test_path_of_a_folder_that_cannot_be_used_says_what_it_lacks(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "programs").mkdir()
    monkeypatch.setenv(CONFIGS_VARIABLE, str(tmp_path))
    code, out, _ = run("path", "--json")
    assert code == ExitCode.REFUSED
    assert json.loads(out)["lacking"] == ["clients", "handpieces", "skin"]
    assert "It cannot be used: it has no clients, no handpieces, no skin." in run("path")[1]


def test_check_without_a_name_checks_the_folder_that_is_used(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("init", str(tmp_path / "mine"))
    (tmp_path / "mine" / "programs" / "back.toml").write_text("name = 1")
    monkeypatch.setenv(CONFIGS_VARIABLE, str(tmp_path / "mine"))
    code, out, _ = run("check")
    assert code == ExitCode.REFUSED
    assert str(tmp_path / "mine" / "programs" / "back.toml") in out
    monkeypatch.setenv(CONFIGS_VARIABLE, str(tmp_path / "none"))
    assert run("check")[0] == ExitCode.USAGE


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_schema_of_each_kind_is_that_of_its_model(run: Run, kind: str) -> None:
    assert run("schema", kind) == (0, schema_text(SCHEMAS[kind]), "")


def test_without_a_kind_there_is_one_object_of_all(run: Run) -> None:
    assert list(json.loads(run("schema")[1])) == list(SCHEMAS)


def test_a_kind_that_does_not_exist_is_told_with_the_one_that_was_meant(run: Run) -> None:
    code, out, err = run("schema", "programm")
    assert (code, out) == (ExitCode.USAGE, "")
    assert "did you mean program?" in err
