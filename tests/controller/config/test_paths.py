"""Where the state lies."""

import pwd
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.config import paths


def test_the_state_folder_is_the_named_one_then_the_variable_then_xdg_then_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv(paths.STATE_VARIABLE, raising=False)
    assert paths.state_dir() == tmp_path / ".local" / "state" / "corneum"
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")
    assert paths.state_dir() == Path("/somewhere/corneum")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert paths.state_dir() == tmp_path / ".local" / "state" / "corneum"
    monkeypatch.setenv(paths.STATE_VARIABLE, "~/mine")
    assert paths.state_dir() == tmp_path / "mine"
    assert paths.state_dir("/named") == Path("/named")


def test_without_a_home_or_a_current_folder_somebody_has_to_name_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def nobody(uid: int) -> None:
        raise KeyError(uid)

    for name in ("HOME", "XDG_STATE_HOME", paths.STATE_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    with pytest.raises(paths.NoStateFolderError, match="No home folder is known") as found:
        paths.state_dir()
    assert paths.STATE_VARIABLE in found.value.refusal.next_step
    with pytest.raises(paths.NoStateFolderError, match="~/mine"):
        paths.state_dir("~/mine")
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(paths.NoStateFolderError, match="the current folder is gone"):
        paths.state_dir("mine")
    assert paths.state_dir("/mine") == Path("/mine")


def test_each_port_has_files_of_its_own_and_always_the_same() -> None:
    state = Path("/state")
    assert paths.socket_path(state, "/dev/ttyUSB0") == paths.socket_path(state, "/dev/ttyUSB0")
    assert paths.socket_path(state, "/dev/ttyUSB0") != paths.socket_path(state, "/dev/ttyUSB1")
    assert paths.kernel_file(state, "a").with_suffix(".sock") == paths.socket_path(state, "a")


def test_two_names_of_one_device_share_one_lock(tmp_path: Path) -> None:
    (tmp_path / "tty").touch()
    (tmp_path / "by-id").symlink_to(tmp_path / "tty")
    one, other = str(tmp_path / "tty"), str(tmp_path / "by-id")
    assert paths.port_lock(tmp_path, one) == paths.port_lock(tmp_path, other)
    assert paths.port_lock(tmp_path, "tcp://a:1") != paths.port_lock(tmp_path, "tcp://a:2")


NAMED = (paths.port_lock, paths.socket_path, paths.kernel_file)


@pytest.mark.parametrize("named", NAMED)
def test_one_port_under_all_its_names_has_one_lock_one_socket_and_one_file(
    named: Callable[[Path, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_id = tmp_path / "serial" / "by-id"
    by_id.mkdir(parents=True)
    (tmp_path / "ttyUSB0").touch()
    (by_id / "usb-unit").symlink_to("../../ttyUSB0")
    (tmp_path / "unit").symlink_to(by_id / "usb-unit")
    monkeypatch.chdir(by_id)
    names = ["usb-unit", "../../unit", "./usb-unit", f"{tmp_path}//ttyUSB0", f"{tmp_path}/unit"]
    assert len({named(tmp_path, name) for name in names}) == 1
    assert named(tmp_path, "../../ttyUSB1") != named(tmp_path, names[0])


@pytest.mark.parametrize("named", NAMED)
def test_one_address_has_many_spellings(named: Callable[[Path, str], Path], tmp_path: Path) -> None:
    for spellings in (
        (
            "tcp://localhost:5000",
            "TCP://LOCALHOST:5000/",
            "socket://127.0.0.1:5000",
            "tcp://[::1]:5000",
        ),
        ("tcp://[fe80::1]:5000", "socket://fe80:0::0:1:5000", "tcp://[FE80::0001]:05000"),
        ("tcp://unit.local:1", "socket://UNIT.local:1"),
    ):
        assert len({named(tmp_path, each) for each in spellings}) == 1, spellings
    assert named(tmp_path, "tcp://a:1") != named(tmp_path, "tcp://b:1")
    assert named(tmp_path, "rfc2217://a:1") != named(tmp_path, "tcp://a:1")
