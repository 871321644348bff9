"""Messages of the unit become readings: wire counts turn into floats and text."""

from functools import lru_cache
from typing import Final

from controller.device.answers import Witnessed
from controller.safety.reading import Reading, Supplies
from firmware_protocol.messages import (
    Status,
    Telemetry,
    WitnessAsk,
    WitnessHead,
    WitnessKeep,
    mg_per_min_to_g_per_min,
    pa_to_kpa,
)
from firmware_protocol.vocabulary import Cause, Defect, Input, Mode, Permit

_PER_MILLI: Final = 1000
_WORD_DIGITS: Final = 8
"""Hexadecimal digits of a name or hash that one field of 32 bits carries."""
JOURNAL_WORDS: Final = 2
HASH_WORDS: Final = 3
"""Of a hash; HASH_WORDS and the name of a journal fit a frame, the other 40 digits do not."""
_WORDS_MAX: Final = 512  # as many sets of permits as there are; nearly every frame says the same

# Looked up: to make a member or a set of flags costs more than all other fields of a reading.
_mode = lru_cache(_WORDS_MAX)(Mode)
_cause = lru_cache(_WORDS_MAX)(Cause)
_permits = lru_cache(_WORDS_MAX)(Permit)
_inputs = lru_cache(_WORDS_MAX)(Input)


def reading_of(
    telemetry: Telemetry, at_s: float, supplies: Supplies | None, boot_id: int
) -> Reading:
    """Return the reading of a telemetry frame that arrived at ``at_s``."""
    return Reading(
        at_s=at_s,
        tick_ms=telemetry.tick_ms,
        mode=_mode(telemetry.mode),
        cause=_cause(telemetry.cause),
        permits=_permits(telemetry.permits),
        inputs=_inputs(telemetry.inputs),
        valve_percent=float(telemetry.valve_percent),
        suction_kpa=pa_to_kpa(telemetry.suction_pa),
        suction_b_kpa=pa_to_kpa(telemetry.suction_b_pa),
        flow_g_per_min=mg_per_min_to_g_per_min(telemetry.flow_mg_per_min),
        lease_left_s=telemetry.lease_left_ms / _PER_MILLI,
        loop_counter=telemetry.loop_counter,
        last_request_seq=telemetry.last_request_seq,
        set_suction_kpa=telemetry.set_suction_pa / _PER_MILLI,
        set_flow_g_per_min=telemetry.set_flow_mg_per_min / _PER_MILLI,
        supplies=supplies,
        boot_id=boot_id,
    )


def supplies_of(status: Status, at_s: float) -> Supplies:
    """Return the slow state of a status frame that arrived at ``at_s``."""
    return Supplies(
        at_s=at_s,
        crystal_total_g=status.crystal_total_mg / _PER_MILLI,
        contact_total_s=status.contact_total_ms / _PER_MILLI,
        hopper_g=status.hopper_mg / _PER_MILLI,
        waste_percent=float(status.waste_percent),
        filter_kpa=pa_to_kpa(status.filter_pa),
        pump_deg_c=float(status.pump_deg_c),
        supply_v=status.supply_mv / _PER_MILLI,
        bad_frames=status.bad_frames,
        defects=Defect(status.defects),
    )


def witness_keep_of(journal: str, row: int, row_hash: str, *, decided: bool) -> WitnessKeep:
    """Return the message that tells a unit of a row; name and hash are hexadecimal digits."""
    journal_high, journal_low = _words(journal, JOURNAL_WORDS)
    high, middle, low = _words(row_hash, HASH_WORDS)
    return WitnessKeep(journal_high, journal_low, row, high, middle, low, int(decided))


def witness_ask_of(journal: str) -> WitnessAsk:
    """Return the message that asks a unit for a journal."""
    high, low = _words(journal, JOURNAL_WORDS)
    return WitnessAsk(high, low)


def witnessed_of(head: WitnessHead) -> Witnessed:
    """Return what a unit says that it keeps."""
    words = (head.hash_high, head.hash_middle, head.hash_low)
    row_hash = "".join(f"{word:0{_WORD_DIGITS}x}" for word in words) if head.row else ""
    return Witnessed(head.row, row_hash, head.decided, head.kept)


def _words(digits: str, count: int) -> list[int]:
    """Return the first ``8 * count`` hexadecimal digits as numbers of 32 bits."""
    return [int(digits[_WORD_DIGITS * at : _WORD_DIGITS * (at + 1)], 16) for at in range(count)]
