#!/usr/bin/env bash
# `exclusive=True` of pyserial keeps out pyserial, and nobody else.
#
# Version: pyserial 3.5, Linux. Source: serial/serialposix.py, `_reconfigure_port`: flock(LOCK_EX | LOCK_NB), no TIOCEXCL.
# Expected: the option has the name of the terminal's exclusive mode (TIOCEXCL), in which a second open fails with EBUSY.
# Seen: a second pyserial with exclusive=True is refused; a plain open(2), a terminal program, or a pyserial without the option opens
# the port, and the two readers share the bytes between them.
# The good guess that fails: "we open exclusively, so two programs on the port cannot be why frames are damaged".
# Here: the doctor looks for other holders of a port by name (controller/device/holders.py) beside opening it exclusively.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --disable-pip-version-check -qq install 'pyserial==3.5'
"$folder/venv/bin/python" - <<'PY'
import os
import tty
from importlib.metadata import version

import serial

print("pyserial", version("pyserial"))
master, slave = os.openpty()
tty.setraw(slave)
name = os.ttyname(slave)
first = serial.Serial(name, exclusive=True, timeout=0.2)
try:
    serial.Serial(name, exclusive=True)
except serial.SerialException as error:
    print("second exclusive pyserial:", str(error).split(":")[0])
else:
    raise SystemExit("changed: a second exclusive open works")
second = serial.Serial(name, timeout=0.2)
plain = os.open(name, os.O_RDWR | os.O_NOCTTY)
os.write(master, b"A")
got = second.read(1)
assert got == b"A", "changed: the second opener reads nothing"
print("pyserial without the option and open(2): both open; the second read", got)
os.close(plain)
PY
