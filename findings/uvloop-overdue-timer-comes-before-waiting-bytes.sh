#!/usr/bin/env bash
# Where a callback of one descriptor holds up the loop, uvloop runs a timer that fell due meanwhile before bytes that came before it; asyncio reads first.
#
# Version: uvloop 0.23.0 on Linux. Source: libuv, src/unix/core.c, uv_run: after uv__io_poll has called the callbacks of descriptors it runs the timers,
# and polls again only in the next turn. asyncio's selector loop (base_events.py, _run_once) polls first in each turn and then adds what is due.
# Expected: what arrived before a deadline is read before the deadline is judged.
# Seen: 80 ms pass in a reader's callback; bytes of a pseudo terminal came after 20 ms, a timer was due after 40: uvloop runs the timer, then the reader.
# Held up from call_soon instead, both loops read first: it is the phase of the loop that decides, so that a test with call_soon shows nothing.
# The good guess that fails: `call_later(silence, give_up)` renewed by the reader, as a watchdog on a serial line. One slow callback of another
# socket, and a line whose bytes have waited all the time is judged silent and told as a broken cable.
# Here: an overdue look at the line that finds the loop late reads what waits first, and the sentence says that the computer was held up.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --disable-pip-version-check -qq install 'uvloop==0.23.0'
"$folder/venv/bin/python" - <<'PY'
import asyncio
import os
import socket
import time
import tty
from importlib.metadata import version

import uvloop


async def order(*, soon: bool) -> list[str]:
    loop, seen = asyncio.get_running_loop(), []
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    here, there = socket.socketpair()

    def held_up() -> None:
        if not soon:
            here.recv(64)
        time.sleep(0.020)
        os.write(theirs, b"status")  # 20 ms before the timer is due
        time.sleep(0.060)

    loop.add_reader(ours, lambda: (os.read(ours, 64), seen.append("bytes")))
    loop.add_reader(here, held_up)
    await asyncio.sleep(0.01)  # the readers are in place, and the loop has waited once
    loop.call_later(0.040, seen.append, "timer")
    if soon:
        loop.call_soon(held_up)
    else:
        there.send(b"request")
    await asyncio.sleep(0.2)
    loop.remove_reader(ours)
    loop.remove_reader(here)
    os.close(ours), os.close(theirs), here.close(), there.close()
    return seen


def of(factory, *, soon: bool = False) -> list[list[str]]:
    with asyncio.Runner(loop_factory=factory) as runner:
        return [runner.run(order(soon=soon)) for _ in range(10)]


print("uvloop", version("uvloop"))
plain, quick = of(asyncio.new_event_loop), of(uvloop.new_event_loop)
print("asyncio:", plain[0], "uvloop:", quick[0])
if plain != [["bytes", "timer"]] * 10:
    raise SystemExit(f"changed: asyncio's loop gives {plain}")
if quick != [["timer", "bytes"]] * 10:
    raise SystemExit(f"changed: uvloop gives {quick}")
for factory in (asyncio.new_event_loop, uvloop.new_event_loop):
    if of(factory, soon=True) != [["bytes", "timer"]] * 10:
        raise SystemExit("changed: held up from call_soon, a loop runs the timer first")
print("10 of 10: asyncio reads first, uvloop runs the overdue timer first")
PY
