"""`corneum doctor --jitter`: whether this computer keeps time, measured as before each arming."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from controller.cli.outcome import ExitCode
from controller.device.precedence import (
    Precedence,
    loop_factory,
    settle_memory,
    take_precedence,
)
from controller.device.timers import armed_s
from controller.safety.jitter import BEATS_MIN, JitterWatch, Measured
from firmware_protocol.envelope import SETPOINT_PERIOD_S

SECONDS: Final = 10.0
"""Three windows: long enough for a program that wakes now and then, short enough to wait for."""
BOUNDS_MS: Final = (1, 2, 5, 10, 20, 50, 100)
BAR_MAX: Final = 40
_ADVICE: Final = "Close other programs, switch power saving off, and measure again."


@dataclass(frozen=True, slots=True)
class Found:
    """The beats of a measurement."""

    precedence: Precedence
    late_ms: tuple[float, ...]
    looks: tuple[Measured, ...]
    """What the preparation of a treatment would have measured at each beat."""

    @property
    def steady_share(self) -> float:
        """At how many of the looks a treatment would have been let through."""
        return sum(look.steady for look in self.looks) / len(self.looks) if self.looks else 0.0

    @property
    def worst(self) -> Measured:
        """The look with the longest gap."""
        unknown = Measured(0, 0.0, 0.0, 0.0)
        return max(self.looks, key=lambda look: look.beat_gap_max_s, default=unknown)


def run(*, as_json: bool, seconds: float = SECONDS) -> ExitCode:
    """Beat for a while as the kernel does, and print what came of it."""
    found = measure(seconds)
    sys.stdout.write((json.dumps(as_object(found)) if as_json else "\n".join(lines(found))) + "\n")
    return ExitCode.DONE if found.steady_share > 0.0 else ExitCode.REFUSED


def measure(seconds: float) -> Found:
    """Beat with the loop, the memory and the priority that the kernel would have."""
    settle_memory()
    precedence = take_precedence()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        late_ms, looks = runner.run(_beat(round(seconds / SETPOINT_PERIOD_S)))
    return Found(precedence, tuple(late_ms), tuple(looks))


async def _beat(beats: int) -> tuple[list[float], list[Measured]]:
    loop, watch = asyncio.get_running_loop(), JitterWatch()
    late_ms: list[float] = []
    looks: list[Measured] = []
    due_s = loop.time()
    for _ in range(beats):
        now_s = loop.time()
        due_s = max(due_s + SETPOINT_PERIOD_S, now_s)
        await asyncio.sleep(armed_s(due_s, now_s) - now_s)
        now_s = loop.time()
        late_ms.append(max(0.0, (now_s - due_s) * 1000))
        watch.reading(now_s)  # there is no unit: the beat stands for its readings
        watch.beat(now_s)
        look = watch.measured()
        if look.beats >= BEATS_MIN:
            looks.append(look)
    return late_ms, looks


def as_object(found: Found) -> dict[str, Any]:
    """Return it as JSON."""
    return {
        "jitter": {
            "ok": found.steady_share > 0.0,
            "steady_percent": round(found.steady_share * 100, 1),
            **found.worst.as_row(),
            "histogram": [
                {"up_to_ms": bound, "beats": count} for bound, count in _histogram(found.late_ms)
            ],
            "precedence": found.precedence.as_dict(),
        }
    }


def lines(found: Found) -> list[str]:
    """Return it for people, with a small histogram."""
    granted = found.precedence
    memory = "locked" if granted.memory_locked else "not locked"
    said = [f"The system grants: {granted.scheduling}, memory {memory}."]
    said += [f"  refused: {each}" for each in granted.refused]
    said.append(f"{len(found.late_ms)} beats of the control loop, and how late they came:")
    most = max((count for _, count in _histogram(found.late_ms)), default=1)
    for bound, count in _histogram(found.late_ms):
        words = f"over {BOUNDS_MS[-1]:>4} ms" if bound is None else f"up to {bound:>3} ms"
        bar = "#" * -(-count * BAR_MAX // max(most, 1))
        said.append(f"  {words} {count:>5} {bar}".rstrip())
    return [*said, f"{found.worst.beats_as_text()}.", _verdict(found)]


def _verdict(found: Found) -> str:
    share = found.steady_share
    if share >= 1.0:
        return "This computer keeps time: a treatment can begin at any moment."
    if share > 0.0:
        return f"At {1 - share:.0%} of the looks a treatment would have had to wait. {_ADVICE}"
    return f"A treatment would be refused. {_ADVICE}"


def _histogram(late_ms: Sequence[float]) -> list[tuple[int | None, int]]:
    """Return how many beats came up to each bound, and how many beyond the last."""
    counts: list[tuple[int | None, int]] = []
    low_ms = -1.0
    for bound in BOUNDS_MS:
        counts.append((bound, sum(low_ms < late <= bound for late in late_ms)))
        low_ms = bound
    return [*counts, (None, sum(late > low_ms for late in late_ms))]
