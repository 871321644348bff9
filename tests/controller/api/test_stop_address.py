"""Names under which kernels listen for STOP: found under every name of their port."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from controller.api import stop_address
from controller.api.stop_address import CUT, StopAddress, name_for, serves, table

NAME_MAX_BYTES = 108


def found(monkeypatch: pytest.MonkeyPatch, folder: Path, *names: bytes) -> list[StopAddress]:
    """Return what is read from a table of sockets with these names."""
    head = b"Num       RefCount Protocol Flags    Type St Inode Path\n"
    rows = [b"0000: 00000002 00000000 00000000 0002 01 7 @" + name[1:] + b"\n" for name in names]
    (folder / "sockets").write_bytes(head + b"".join(rows))
    monkeypatch.setattr(stop_address, "SOCKETS", folder / "sockets")
    return list(table().addresses)


@pytest.mark.parametrize(
    "port",
    ["/dev/ttyUSB0", "tcp://unit.local:5000", "/dev/a b\n%41/é", "/dev/" + "x" * 200, "/é" * 90],
)
def test_a_name_fits_and_is_read_back_as_its_port(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, port: str
) -> None:
    name = name_for(port, 4711)
    (address,) = found(monkeypatch, tmp_path, name)
    assert len(name) <= NAME_MAX_BYTES
    assert address.pid == 4711
    assert address.name == name
    assert serves(address, port)
    assert not serves(address, "/dev/other")
    assert address.port == port or port.endswith(address.port.removeprefix(CUT))


def test_a_link_and_what_it_leads_to_are_one_port(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "device").touch()
    link = tmp_path / "link"
    link.symlink_to("device")
    (by_link,) = found(monkeypatch, tmp_path, name_for(str(link), 1))
    (by_device,) = found(monkeypatch, tmp_path, name_for(str(tmp_path / "device"), 1))
    assert serves(by_link, str(tmp_path / "device"))
    assert serves(by_device, str(link))
    assert serves(by_device, os.path.relpath(link))


def test_a_link_that_leads_elsewhere_by_now_is_still_the_port_of_its_kernel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with TemporaryDirectory(prefix="c-") as folder:  # a name that fits whole
        link = Path(folder) / "link"
        link.symlink_to("one")
        (address,) = found(monkeypatch, tmp_path, name_for(str(link), 1))
        link.unlink()
        link.symlink_to("two")
        assert serves(address, str(link))
        assert serves(address, str(link.with_name("two")))


def test_the_name_of_a_serial_adapter_by_its_id_fits_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    port = "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0"
    (address,) = found(monkeypatch, tmp_path, name_for(port, 4_194_304))
    assert address.port == port


@pytest.mark.parametrize(
    "other", ["TCP://LOCALHOST:5000", "tcp://127.0.0.1:5000", "tcp://[::1]:5000/"]
)
def test_this_computer_has_many_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, other: str
) -> None:
    (address,) = found(monkeypatch, tmp_path, name_for("tcp://localhost:5000", 1))
    assert serves(address, other)
    assert not serves(address, "tcp://localhost:5001")


def test_a_kernel_of_another_version_is_stopped_whatever_its_port(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (address,) = found(monkeypatch, tmp_path, b"\0corneum/stop/7/what/ever")
    assert address.pid == 0
    assert serves(address, "/dev/ttyUSB0")


def test_only_datagram_sockets_of_the_abstract_kind_are_addresses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "sockets").write_text(
        "Num       RefCount Protocol Flags    Type St Inode Path\n"
        "0000: 00000002 00000000 00010000 0001 01 7 @corneum/stop/1/5/00/x\n"
        "0000: 00000002 00000000 00000000 0002 01 7 /corneum/stop/1/5/00/x\n"
        "0000: 00000002 00000000 00000000 0002 01 7\n"
        "0000: 00000002 00000000 00010000 0001 01 7 /run/a b/0011.sock\n"
    )
    monkeypatch.setattr(stop_address, "SOCKETS", tmp_path / "sockets")
    assert table().addresses == ()
    assert table().bound == {"0011.sock"}
