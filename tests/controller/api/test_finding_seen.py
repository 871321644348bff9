"""What is told of running kernels by what the system shows of sockets, and where it shows nothing.

The table of the system is given here; `test_finding` looks at the real one.
"""

import json
from pathlib import Path

import pytest

from controller.api import finding
from controller.api.finding import KernelAddress, Running, kernels, running_kernels, serves
from controller.api.stop_address import StopAddress, Table
from controller.config import paths

NOBODY = Table((), frozenset())


def address(pid: int, port: str) -> StopAddress:
    return StopAddress(b"\0corneum/stop/1/x", pid, paths.port_hash(port), port)


def file_of(state: Path, port: str, said: object) -> Path:
    path = paths.kernel_file(state, port)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(said))
    return path


def bound(path: Path) -> frozenset[str]:
    return frozenset({path.with_suffix(".sock").name})


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Table]:
    """The tables that are seen one after the other; after the last one, nobody."""
    tables: list[Table] = []
    monkeypatch.setattr(finding, "table", lambda: tables.pop(0) if tables else NOBODY)
    return tables


def test_a_kernel_is_found_by_its_socket_with_process_port_and_socket(
    tmp_path: Path, shown: list[Table]
) -> None:
    path = file_of(tmp_path, "/dev/a", {"pid": "7", "port": "/dev/a"})
    file_of(tmp_path, "/dev/dead", {"pid": 8, "port": "/dev/dead"})
    shown.append(Table((), bound(path)))
    assert running_kernels(tmp_path) == Running(
        (KernelAddress(7, "/dev/a", path.with_suffix(".sock")),), (), ""
    )
    shown.append(Table((), bound(path)))
    assert kernels(tmp_path) == [KernelAddress(7, "/dev/a", path.with_suffix(".sock"))]


def test_a_kernel_is_found_by_the_port_of_its_address_where_its_socket_is_elsewhere(
    tmp_path: Path, shown: list[Table]
) -> None:
    at = str(tmp_path / "far" / "s.sock")
    file_of(tmp_path, "/dev/a", {"pid": 7, "port": "/dev/a", "socket": at})
    shown.append(Table((address(7, "/dev/a"),), frozenset()))
    assert running_kernels(tmp_path) == Running((KernelAddress(7, "/dev/a", Path(at)),), (), "")


def test_what_only_the_second_look_shows_is_seen_too_and_what_both_show_once(
    tmp_path: Path, shown: list[Table]
) -> None:
    one = file_of(tmp_path, "/dev/a", {"pid": 7, "port": "/dev/a"})
    other = file_of(tmp_path, "/dev/b", {"pid": 8, "port": "/dev/b"})
    far, near = address(9, "/dev/c"), address(10, "/dev/d")
    shown += [Table((far,), bound(one)), Table((far, near), bound(other))]
    found = running_kernels(tmp_path)
    assert {kernel.pid for kernel in found.here} == {7, 8}
    assert found.elsewhere == (far, near)


def test_a_kernel_of_this_folder_is_none_of_elsewhere(tmp_path: Path, shown: list[Table]) -> None:
    path = file_of(tmp_path, "/dev/a", {"pid": 7, "port": "/dev/a"})
    own, far = address(7, "/dev/a"), address(9, "/dev/a")
    shown.append(Table((own, far), frozenset()))
    assert running_kernels(tmp_path) == Running(
        (KernelAddress(7, "/dev/a", path.with_suffix(".sock")),), (far,), ""
    )


def test_a_file_whose_process_is_another_one_by_now_is_no_kernel(
    tmp_path: Path, shown: list[Table]
) -> None:
    file_of(tmp_path, "/dev/a", {"pid": 7, "port": "/dev/a"})
    shown.append(Table((address(8, "/dev/a"),), frozenset()))
    assert running_kernels(tmp_path) == Running((), (address(8, "/dev/a"),), "")


def test_a_port_that_is_cut_in_its_address_is_looked_for_in_all_files(
    tmp_path: Path, shown: list[Table]
) -> None:
    port = "/dev/" + "x" * 200
    path = file_of(tmp_path, port, {"pid": 7, "port": port})
    shown.append(Table((address(7, "~" + port[-60:]),), frozenset()))
    assert running_kernels(tmp_path) == Running(
        (KernelAddress(7, port, path.with_suffix(".sock")),), (), ""
    )


def test_files_that_no_address_points_to_are_read_only_where_a_port_is_cut(
    tmp_path: Path, shown: list[Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(tmp_path, "/dev/a", {"pid": 7, "port": "/dev/a"})
    looked: list[Path] = []

    def all_files(state: Path) -> list[str]:
        looked.append(state)
        return []

    monkeypatch.setattr(finding, "_all_files", all_files)
    whole, cut = address(8, "/dev/b"), address(7, "~a")
    shown += [Table((whole,), bound(path)), NOBODY]
    running_kernels(tmp_path)
    assert looked == []  # nothing is cut
    shown += [Table((cut,), bound(path)), NOBODY]
    running_kernels(tmp_path)
    assert looked == []  # it is found already
    shown += [Table((cut._replace(pid=9),), bound(path)), NOBODY]
    running_kernels(tmp_path)
    assert looked == [tmp_path]


def test_where_the_system_shows_no_sockets_files_are_believed_and_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hidden() -> Table:
        raise FileNotFoundError(2, "No such file or directory")

    path = file_of(tmp_path, "/dev/a", {"pid": 7, "port": "/dev/a"})
    (path.parent / "port-a.lock").touch()
    (path.parent / "zz.json").write_text("{")
    monkeypatch.setattr(finding, "table", hidden)
    at = path.with_suffix(".sock")
    assert running_kernels(tmp_path) == Running(
        (KernelAddress(7, "/dev/a", at),), (), "/proc/net/unix: No such file or directory"
    )


def test_what_the_system_says_without_words_is_told_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hidden() -> Table:
        raise OSError("odd")

    monkeypatch.setattr(finding, "table", hidden)
    assert running_kernels(tmp_path) == Running((), (), "/proc/net/unix: odd")


def test_so_many_files_are_read_in_the_order_of_their_names_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = paths.run_dir(tmp_path)
    folder.mkdir(parents=True)
    for name in ("c.json", "a.json", "b.json", "a.txt", "a.sock"):
        (folder / name).touch()
    assert finding._all_files(tmp_path) == ["a.json", "b.json", "c.json"]
    monkeypatch.setattr(finding, "FILES_MAX", 2)
    assert finding._all_files(tmp_path) == ["a.json", "b.json"]


@pytest.mark.parametrize(
    "said",
    [
        {"pid": 7},
        {"port": "/dev/a"},
        {"pid": "x", "port": "/dev/a"},
        {"pid": None, "port": "/dev/a"},
        7,
    ],
    ids=str,
)
def test_a_file_that_says_too_little_is_none_and_hides_no_other(
    tmp_path: Path, said: object
) -> None:
    odd = file_of(tmp_path, "/dev/odd", said)
    good = file_of(tmp_path, "/dev/a", {"pid": 7, "port": 5})
    names = ["gone.json", odd.name, good.name]
    found = ([KernelAddress(7, "5", good.with_suffix(".sock"))], "")
    assert finding._read(odd.parent, names) == found


@pytest.mark.parametrize(
    ("port", "same"), [("/dev/a", True), ("/dev/../dev/a", True), ("/dev/b", False)]
)
def test_a_kernel_serves_its_port_under_any_name_of_it(port: str, *, same: bool) -> None:
    assert serves(KernelAddress(7, "/dev/a", Path("/s")), port) is same


def test_a_file_that_goes_while_it_is_looked_at_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(tmp_path, "/dev/a", {"pid": 7, "port": "/dev/a"})
    monkeypatch.setattr(Path, "is_file", lambda _self: True)
    found = ([KernelAddress(7, "/dev/a", path.with_suffix(".sock"))], "")
    assert finding._read(path.parent, ["gone.json", path.name]) == found
