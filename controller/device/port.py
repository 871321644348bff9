"""Opening a port: everything that may block or fail, done in a thread with a time-out.

Every failure is one sentence that names the port and, where it is held, the process that holds it.
"""

import asyncio
import contextlib
import errno
import os
import socket
import stat
import termios
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import serial
from serial.tools import list_ports

from controller.device.answers import PortError, PortTrouble
from controller.device.holders import Holder, held_here, holders_of
from firmware_protocol.address import TCP_FORM, TCP_SCHEMES, address_of

BAUD: Final = 115_200  # a setpoint of 36 bytes takes 3.1 ms, telemetry a fifth of the line
OPEN_MAX_S: Final = 5.0  # opening a dead radio or network port can hang for minutes
RIVAL_CHECKS: Final = 3  # a rival that is only being refused itself is gone at the next look
RIVAL_PAUSE_S: Final = 0.05
PORTS_NAMED_MAX: Final = 5  # in a sentence

_GONE: Final = frozenset({errno.ENOENT, errno.ENXIO, errno.ENODEV, errno.EIO, errno.ENOTDIR})
_LOCKED: Final = frozenset({errno.EWOULDBLOCK, errno.EBUSY})


_USE_IT: Final = "end that program, or use the service that already runs on this port"
_CHECK_UNIT: Final = "check that the unit is on, then unplug it and plug it in again"


class OpenPort(NamedTuple):
    """An open, non-blocking descriptor and the way to close it."""

    name: str
    fd: int
    close: Callable[[], None]


class _Waiter(NamedTuple):
    """Who gets the port when it opens."""

    loop: asyncio.AbstractEventLoop
    opened: "asyncio.Future[OpenPort]"


_waiters: Final[dict[str, _Waiter]] = {}
"""By port, whoever waits for the one try that is under way, or gave up waiting for it."""
_waiters_lock: Final = threading.Lock()


async def open_in_thread(url: str, timeout_s: float = OPEN_MAX_S) -> OpenPort:
    """Open ``url`` without holding up the loop. Raises PortError, also when it takes too long.

    A try that hangs in the system cannot be ended. No other is begun beside it: whoever asks next
    waits for the same one, and gets the port if it opens after all.
    """
    loop = asyncio.get_running_loop()
    waiter = _Waiter(loop, loop.create_future())
    late = f"{url} did not open within {timeout_s:g} s"
    if not _begun(url, waiter):
        late = f"{url} does not open: a try to open it hangs, and no other is begun beside it"
    try:
        async with asyncio.timeout(timeout_s):
            return await waiter.opened
    except TimeoutError as error:
        raise PortError(PortTrouble.TIMED_OUT, late, _CHECK_UNIT) from error


def open_port(url: str) -> OpenPort:
    """Open ``url`` and return its descriptor; may block. Raises PortError."""
    scheme, mark, _ = url.partition("://")
    if not mark:
        return _open_tty(url)
    if scheme.lower() in TCP_SCHEMES:
        return _open_tcp(url)
    raise PortError(
        PortTrouble.NOT_A_PORT,
        f"{url} is not a port: '{scheme}' is not a known kind",
        f"give the path of a serial port such as /dev/ttyUSB0, or {TCP_FORM}",
    )


def _begun(url: str, waiter: _Waiter) -> bool:
    """Begin to open ``url``; False where a try of before is under way, which then is for this one.

    Raises:
        PortError: somebody in this process waits for that try.
    """
    with _waiters_lock:
        before = _waiters.get(url)
        if before is not None and not before.opened.done():
            raise PortError(
                PortTrouble.HELD, f"{url} is being opened by this process ({os.getpid()})", _USE_IT
            )
        _waiters[url] = waiter
    if before is None:
        # A daemon of its own: a stuck open must not keep the process from ending, as a pool would.
        threading.Thread(target=_open_for, args=(url,), name=f"open {url}", daemon=True).start()
    return before is None


def _open_for(url: str) -> None:
    """Run in the thread: open, and hand the port or the error to whoever waits by then."""
    result: OpenPort | PortError = PortError(
        PortTrouble.NOT_A_PORT, f"{url} cannot be opened: this program has a fault", _CHECK_UNIT
    )
    try:
        result = open_port(url)
    except PortError as error:
        result = error
    finally:
        with _waiters_lock:
            waiter = _waiters.pop(url)
        try:
            waiter.loop.call_soon_threadsafe(_hand_over, waiter.opened, result)
        except RuntimeError:  # the loop has ended meanwhile
            _discard(result)


def _hand_over(opened: asyncio.Future[OpenPort], result: OpenPort | PortError) -> None:
    if opened.done():  # nobody waits any more
        _discard(result)
    elif isinstance(result, PortError):
        opened.set_exception(result)
    else:
        opened.set_result(result)


def _discard(result: OpenPort | PortError) -> None:
    if isinstance(result, OpenPort):
        result.close()


def _open_tty(path: str) -> OpenPort:
    _check_path(path)
    try:
        port = serial.Serial(path, BAUD, timeout=0, exclusive=True)
    except (OSError, ValueError) as error:
        raise _explained(path, error) from error
    rivals = _rivals(path)
    if rivals:
        port.close()
        raise _held(path, rivals)
    fd = int(port.fileno())
    try:
        _settle_tty(port, fd)
    except (OSError, termios.error) as error:
        port.close()
        raise _explained(path, error) from error
    return OpenPort(path, fd, port.close)


def _settle_tty(port: serial.Serial, fd: int) -> None:
    """Make an empty read mean a hang-up, and a USB adapter answer in 1 instead of 16 ms.

    Closing the port must not drop DTR, because on many boards that resets the unit.
    """
    settings = termios.tcgetattr(fd)
    settings[2] &= ~termios.HUPCL
    settings[6][termios.VMIN] = 1
    settings[6][termios.VTIME] = 0
    termios.tcsetattr(fd, termios.TCSANOW, settings)
    os.set_blocking(fd, False)
    with contextlib.suppress(OSError, ValueError, AttributeError):  # only some drivers have it
        port.set_low_latency_mode(True)


def _check_path(path: str) -> None:
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError as error:
        raise _missing(path) from error
    except OSError as error:
        raise _explained(path, error) from error
    if not stat.S_ISCHR(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a file"
        raise PortError(
            PortTrouble.NOT_A_PORT, f"{path} is {kind}, not a serial port", _present_ports()
        )


def _explained(path: str, error: Exception) -> PortError:
    number = getattr(error, "errno", None)
    if isinstance(error, PermissionError) or number in (errno.EACCES, errno.EPERM):
        return PortError(
            PortTrouble.DENIED,
            f"{path} may not be opened by this user",
            f"add the user to the group {_group_of(path)} and log in again",
        )
    if number in _LOCKED:
        return _held(path, holders_of(path))
    if number in _GONE:
        return _missing(path)
    return PortError(
        PortTrouble.NOT_A_PORT,
        f"{path} is not a serial port ({error})",
        _present_ports(),
    )


def _rivals(path: str) -> tuple[Holder, ...]:
    """Return who has the port open without the lock that this program takes, such as a terminal."""
    pause = threading.Event()
    rivals = holders_of(path)
    for _ in range(RIVAL_CHECKS - 1):
        if not rivals:
            break
        pause.wait(RIVAL_PAUSE_S)
        rivals = holders_of(path)
    return rivals


def _held(path: str, holders: tuple[Holder, ...]) -> PortError:
    who = ", ".join(map(str, holders))
    if not who:
        mine = held_here(path)
        who = f"this process ({os.getpid()})" if mine else "a process that this user cannot see"
    return PortError(
        PortTrouble.HELD,
        f"{path} is held by {who}",
        _USE_IT,
    )


def _missing(path: str) -> PortError:
    return PortError(
        PortTrouble.NOT_FOUND, f"there is no port {path}: no such device", _present_ports()
    )


def _present_ports() -> str:
    ports = [port.device for port in list_ports.comports() if port.hwid != "n/a"]
    if not ports:
        return "plug the unit in and switch it on; this machine shows no serial port now"
    return f"use one of the ports that are there: {', '.join(sorted(ports)[:PORTS_NAMED_MAX])}"


def _group_of(path: str) -> str:
    import grp  # noqa: PLC0415 - not on every system, and needed for one sentence only

    try:
        return grp.getgrgid(Path(path).stat().st_gid).gr_name
    except (OSError, KeyError):
        return "that owns the port"


def _open_tcp(url: str) -> OpenPort:
    host, port = _address(url)
    try:
        line = socket.create_connection((host, port), timeout=OPEN_MAX_S)
    except TimeoutError as error:
        raise PortError(
            PortTrouble.TIMED_OUT,
            f"{url} did not answer within {OPEN_MAX_S:g} s",
            "check the address and the network",
        ) from error
    except ConnectionRefusedError as error:
        raise PortError(
            PortTrouble.NOT_FOUND,
            f"nobody answers at {url} ({error.strerror or error})",
            "start the unit or the simulator, and check host and port number",
        ) from error
    except socket.gaierror as error:
        raise PortError(
            PortTrouble.NOT_FOUND,
            f"there is no computer called {host} ({error.strerror or error})",
            "check how the name is written, or give its number",
        ) from error
    except OSError as error:
        raise PortError(
            PortTrouble.UNREACHED,
            f"{url} could not be reached ({error.strerror or error})",
            "check the network and the address; whether a unit is there is not known",
        ) from error
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a setpoint must not wait
    line.settimeout(0.0)
    return OpenPort(url, line.fileno(), line.close)


def _address(url: str) -> tuple[str, int]:
    address = address_of(url)
    if address is None or address[1] == 0:
        raise PortError(
            PortTrouble.NOT_A_PORT,
            f"{url} is not an address",
            f"write {TCP_FORM}, and a port number from 1 to 65535",
        )
    return address
