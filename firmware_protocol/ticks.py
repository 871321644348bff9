"""Counters that wrap: the device's millisecond tick (32 bits) and sequence numbers (16 bits)."""

from math import floor
from typing import Final

TICK_SPAN: Final = 2**32
"""The tick wraps after 49.7 days."""
SEQ_SPAN: Final = 2**16
SEQ_HALF: Final = SEQ_SPAN // 2
_MS_PER_S: Final = 1000
_ROUNDING_MS: Final = 1e-6  # 0.029 s is 28.999999999999996 ms in binary; it is tick 29


def tick_of(now_s: float, boot_offset_ms: int = 0) -> int:
    """Return the tick at ``now_s`` of a device whose tick was ``boot_offset_ms`` at zero."""
    return (floor(now_s * _MS_PER_S + _ROUNDING_MS) + boot_offset_ms) % TICK_SPAN


def age_ms(now_tick: int, old_tick: int) -> int:
    """Return how long ago ``old_tick`` was; a tick of the future counts as 49 days old."""
    return (now_tick - old_tick) % TICK_SPAN


def newer(seq_a: int, seq_b: int) -> bool:
    """True where ``seq_a`` comes strictly after ``seq_b``, less than half a turn ahead."""
    return 0 < (seq_a - seq_b) % SEQ_SPAN < SEQ_HALF


def next_seq(seq: int) -> int:
    """Return the sequence after ``seq``; zero is skipped, because it means none."""
    return seq % (SEQ_SPAN - 1) + 1
