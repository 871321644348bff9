#!/usr/bin/env bash
# The two faces of one package disagree: the compiled cobs refuses a memoryview, the pure one takes it.
#
# Version: cobs 1.2.2, wheel for CPython on Linux. Source: cobs/_cobs_ext.c against cobs/cobs/_cobs_py.py of the package.
# Expected: a codec that takes bytes and bytearray takes a memoryview too, so a receive buffer can be cut without a copy.
# Seen: cobs.cobs.encode and decode (the extension) raise BufferError for every memoryview, also a contiguous read-only one; BufferError
# is no DecodeError, so a handler for damaged frames does not catch it. The pure module of the same package answers.
# The good guess that fails: `decode(memoryview(buffer)[start:end])`, tried on a machine without a compiler (pure), shipped as a wheel.
# Here: runs are cut as bytes before they are decoded (firmware_protocol/frame.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --disable-pip-version-check -qq install 'cobs==1.2.2'
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from cobs import cobs
from cobs.cobs import _cobs_py

print("cobs", version("cobs"))
plain = b"\x11\x00\x22"
coded = cobs.encode(plain)
assert cobs.encode.__module__.endswith("_cobs_ext"), "the compiled module is not the one in use"
assert cobs.decode(bytearray(coded)) == plain
for function, data in ((cobs.encode, plain), (cobs.decode, coded)):
    try:
        function(memoryview(data))
    except BufferError as error:
        assert not isinstance(error, cobs.DecodeError)
        print(f"compiled {function.__name__}(memoryview): BufferError: {error}")
    else:
        raise SystemExit("changed: the compiled module takes a memoryview now")
assert _cobs_py.decode(memoryview(coded)) == plain
assert _cobs_py.encode(memoryview(plain)) == coded
print("pure decode(memoryview) and encode(memoryview): as for bytes")
PY
