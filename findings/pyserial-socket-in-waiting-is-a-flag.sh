#!/usr/bin/env bash
# On a socket:// port `in_waiting` is 0 or 1: a yes or no, not a count.
#
# Version: pyserial 3.5. Source: serial/urlhandler/protocol_socket.py, `in_waiting` (length of what select returned).
# Expected: bytes that can be read, as on a tty: the usual loop is `data = port.read(port.in_waiting or 1)`.
# Seen: with 500 bytes received, `in_waiting` is 1, so that loop takes one byte a turn: 500 reads for what a tty gives in one.
# Opening also empties the receive buffer: a greeting that the server sends at once is lost now and then, by the timing.
# The good guess that fails: the same reading loop for /dev/tty* and socket://; it works, at a five-hundredth of the speed.
# Here: a TCP port is read as a socket by the loop itself (controller/device/port.py), not through pyserial's URL handler.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --disable-pip-version-check -qq install 'pyserial==3.5'
"$folder/venv/bin/python" - <<'PY'
import socket
import threading
import time
from importlib.metadata import version

import serial

print("pyserial", version("pyserial"))
listener = socket.create_server(("127.0.0.1", 0))


opened, read = threading.Event(), threading.Event()


def send() -> None:
    peer, _ = listener.accept()
    opened.wait(10)  # what is sent earlier is thrown away by the opening itself
    peer.sendall(b"x" * 500)
    read.wait(10)


threading.Thread(target=send, daemon=True).start()
port = serial.serial_for_url(f"socket://127.0.0.1:{listener.getsockname()[1]}", timeout=1)
opened.set()
time.sleep(0.5)
waiting = port.in_waiting
reads = got = 0
while got < 500:
    got += len(port.read(port.in_waiting or 1))
    reads += 1
read.set()
print(f"500 bytes received, in_waiting {waiting}, reads needed by the usual loop: {reads}")
assert (waiting, reads) == (1, 500), "changed: in_waiting counts now"
PY
