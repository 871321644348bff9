#!/usr/bin/env bash
# call_at of uvloop fires before its deadline, spins where a caller arms it again, and runs close deadlines out of order.
#
# Version: uvloop 0.23.0, wheel for CPython on Linux. Source: uvloop/loop.pyx of the package (call_later: `when = <uint64_t>round(delay * 1000)`, and a
# `when` of 0 becomes call_soon; time(): `uv_now(...)` over 1000) and handles/timer.pyx (uv_timer_start counts from the same uv_now).
# Expected: as the documentation of asyncio has it, a callback of call_at(when) runs at or after `when`, to the resolution of the clock, and an
# earlier deadline first. The documentation of uvloop calls itself a drop-in replacement.
# Seen: the loop's clock is cut to whole milliseconds, and a delay is rounded to the nearest millisecond, half to even. So callbacks run up to 0.5 ms
# early by the loop's own clock, and up to 0.9 ms early by the monotonic clock. A delay up to 0.5 ms is no delay: it runs in the next turn of the loop.
# Deadlines that round to one millisecond run in the order in which they were armed, not in that of their times.
# The good guess that fails: a timer that looks at the clock and, being too early, arms the same deadline again. On asyncio it looks once; here
# it turns the loop hundreds of times until the deadline has come, at full load.
# Here: every timer is armed at least 1 ms ahead (controller/device/timers.py), and nothing rests on an order below 1 ms.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --disable-pip-version-check -qq install 'uvloop==0.23.0'
"$folder/venv/bin/python" - <<'PY'
import asyncio

import uvloop

ROUNDS = 200


async def looks(lead_s):
    """Return the earliest fire in ms, and the most looks that one deadline took."""
    loop, early_s, most = asyncio.get_running_loop(), 0.0, 0
    for number in range(ROUNDS):
        await asyncio.sleep(0.00137)  # another phase within the millisecond each time
        deadline_s = loop.time() + 0.0204 + number * 0.000005
        done, count = loop.create_future(), 0

        def look():
            nonlocal early_s, count
            count += 1
            left_s = deadline_s - loop.time()
            if left_s <= 0:
                done.set_result(None)
                return
            early_s = max(early_s, left_s)
            loop.call_at(max(deadline_s, loop.time() + lead_s), look)

        loop.call_at(deadline_s, look)
        await done
        most = max(most, count)
    return early_s * 1e3, most


async def disordered():
    """Return in how many rounds nine deadlines, 0.1 ms apart and armed last first, ran out of order."""
    loop, wrong = asyncio.get_running_loop(), 0
    for _ in range(ROUNDS):
        await asyncio.sleep(0.00137)
        first_s, fired = loop.time() + 0.005, []
        for number in reversed(range(9)):
            loop.call_at(first_s + number * 0.0001, fired.append, number)
        await asyncio.sleep(0.010)
        wrong += fired != sorted(fired)
    return wrong


def measured(make):
    with asyncio.Runner(loop_factory=make) as runner:
        return runner.run(looks(0.0)), runner.run(looks(0.001)), runner.run(disordered())


(early_ms, most), (_, most_led), wrong = measured(asyncio.new_event_loop)
print(f"asyncio: {early_ms:.2f} ms early, {most} looks for one deadline, {wrong} of {ROUNDS} rounds out of order")
assert early_ms <= 0.001 and most == 1 and wrong == 0, "asyncio is not what it was compared with"

(early_ms, most), (_, most_led), wrong = measured(uvloop.new_event_loop)
print(f"uvloop {uvloop.__version__}: {early_ms:.2f} ms early, {most} looks for one deadline, {wrong} of {ROUNDS} rounds out of order")
print(f"uvloop {uvloop.__version__}, armed at least 1 ms ahead: {most_led} looks for one deadline")
assert early_ms > 0.1, "changed: timers are not early any more"
assert most > 20, "changed: a deadline armed again does not spin any more"
assert most_led <= 4, "changed: one millisecond ahead is not enough any more"
assert wrong > ROUNDS // 2, "changed: close deadlines run in order now"
PY
