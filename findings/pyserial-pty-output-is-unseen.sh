#!/usr/bin/env bash
# On a pty pyserial's view of its output is empty: nothing waits, flush waits for nothing, and a reset leaves the oldest 4,095 bytes.
#
# Version: pyserial 3.5, Linux. Source: pyserial posix backend (tcdrain, tcflush, TIOCOUTQ); Linux pty driver, which moves what is
# written straight into the reader's line discipline.
# Expected: after `reset_output_buffer()` a stop frame is the next thing that the other side reads.
# Seen: with a reader that does not read, `out_waiting` is 0 beside some 20,000 bytes under way, `flush()` returns at once, and after
# `reset_output_buffer()` the reader still gets the oldest 4,095 bytes first. Any baud rate is accepted, 3 included: a wrong rate never shows.
# The good guess that fails: testing on a pty that a stop overtakes queued output.
# Here: the host bounds what it queues itself and never relies on the operating system's buffer to be emptied (controller/device/transport.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --disable-pip-version-check -qq install 'pyserial==3.5'
"$folder/venv/bin/python" - <<'PY'
import contextlib
import os
import time
import tty
from importlib.metadata import version

import serial

print("pyserial", version("pyserial"))
master, slave = os.openpty()
tty.setraw(slave)
port = serial.Serial(os.ttyname(slave), 3, timeout=0)
print("baud rate accepted:", port.baudrate)
os.set_blocking(port.fd, False)
os.set_blocking(master, False)
under_way = 0
with contextlib.suppress(BlockingIOError):
    while True:
        under_way += os.write(port.fd, b"x" * 100)
began = time.monotonic()
port.flush()
assert time.monotonic() - began < 0.5, "changed: flush waits for a reader"
assert under_way > 8000 and port.out_waiting == 0, (under_way, port.out_waiting)
port.reset_output_buffer()
left = 0
for _ in range(100):
    with contextlib.suppress(BlockingIOError):
        left += len(os.read(master, 65536))
    time.sleep(0.005)
print(f"{under_way} bytes under way, out_waiting 0, still read after reset_output_buffer: {left}")
assert left == 4095, "changed: another part of the output survives a reset"
PY
