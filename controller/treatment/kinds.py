"""The kinds of rows in a journal: the one table of what is written, by whom, and what it says.

A row is read by builds that did not write it, for as long as a record is kept: a name in this table
is never given to another kind, and a field keeps its meaning. docs/RECORD.md is made from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final


@unique
class Kind(StrEnum):
    """What a row tells of; the value is the name in the file."""

    TREATMENT = "treatment"
    TIP = "tip"
    BEGIN = "begin"
    SELF_TEST = "self_test"
    LEASE_PROOF = "lease_proof"
    ARM = "arm"
    STATE = "state"
    ZONE = "zone"
    EXPOSURE = "exposure"
    UNSEEN = "unseen"
    PAUSE = "pause"
    RESUME = "resume"
    LEAD = "lead"
    LOWER = "lower"
    DECLINED = "declined"
    REFUSED = "refused"
    STOP = "stop"
    STOP_REPORT = "stop_report"
    TRIP = "trip"
    SAFE = "safe"
    ENDED = "ended"
    INTERRUPTED = "interrupted"
    DISMISSED = "dismissed"
    ACK = "ack"
    RESET = "reset"
    RESET_DONE = "reset_done"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    ALARM = "alarm"
    ALARM_GONE = "alarm_gone"
    ALARM_QUIET = "alarm_quiet"
    KERNEL = "kernel"
    PRECEDENCE = "precedence"
    LINK = "link"
    LINK_GIVEN_UP = "link_given_up"
    CLOCK_STEP = "clock_step"
    LOCK_UNKNOWN = "lock_unknown"
    NOT_ALLOWED = "not_allowed"
    FAULT_INJECTED = "fault_injected"
    TIP_STERILISED = "tip_sterilised"
    WITNESS_ASKED = "witness_asked"
    WITNESSED = "witnessed"
    DECISION = "decision"
    WAVEFORM = "waveform"
    LISTS_MENDED = "lists_mended"
    GAP = "gap"
    NOTED = "noted"


@dataclass(frozen=True, slots=True)
class Part:
    """What one field of a body holds; a plain text stands for a field that is always there."""

    says: str
    parts: "Mapping[str, str | Part]" = field(default_factory=dict)
    """The fields of an object, of each object in a list, or of the second of each pair in one."""
    optional: bool = False
    """True where rows of this kind may lack it."""
    unknown: bool = False
    """True where an object may be null or empty: what it tells of was not known."""


Body = Mapping[str, str | Part]


@dataclass(frozen=True, slots=True)
class Written:
    """One occasion on which a row is written; a kind with several may differ in its body."""

    kind: Kind
    by: str
    """The package of `controller` that makes the row."""
    when: str
    body: Body
    since: str = "0.1"
    """The first version of Corneum that writes it so."""


TREATMENT: Final = "treatment"
KERNEL: Final = "kernel"
RECORD: Final = "record"

# A row is one line here with its fields below it, as on the page: a formatter would make it nine.
# fmt: off
_WHO: Final[Body] = MappingProxyType({
    "name": "of the person, empty where not said", "role": "practitioner, technician and so on",
    "origin": "local or remote",
})
_USE: Final[Body] = MappingProxyType({
    "nominal_um": "removed as expected, µm of stratum corneum", "bound_um": "removed at most, µm",
    "contact_s": "time with crystals on skin", "grams": "g of crystals",
    "suction_kpa_s": "suction dose in one place, null where unbounded",
})
_READING: Final[Body] = MappingProxyType({
    "tick_ms": "clock of the unit", "mode": "of the unit", "cause": "that the unit has latched",
    "valve_percent": "position", "suction_kpa": "null where unknown",
    "flow_g_per_min": "null where unknown", "contact": "true on skin",
})
_HEAD: Final[Body] = MappingProxyType({
    "file": "of the record", "journal": "which", "row": "its number", "hash": "of it",
})
_TOTALS: Final[Body] = MappingProxyType({
    "boot_id": "boot of the unit since which they count", "contact_s": "open valve on skin",
    "crystal_g": "crystals through the valve",
})
_RECEIPT: Final[Body] = MappingProxyType({
    "quantity": "which setting", "unit": "of the numbers", "requested": "what was asked for",
    "allowed": "what was granted", "limited": "true where that is less", "refused": "true or false",
    "binding": "source of the limit that bound it, null where none did",
    "margin": "from the setting to that limit",
    "chain": Part("every limit", {"source": "whose it is", "value": "null where unknown"}),
    "sentence": "the same in words",
})
_WHOSE: Final[Body] = MappingProxyType({
    "unit": "serial number", "simulated": "true or false", "boot": "boot of this computer",
})
_CLOCK: Final[Body] = MappingProxyType({
    "boot": "boot of this computer, empty where unknown",
    "asleep_s": "how long it has slept since",
})

FORMS: Final[Mapping[str, Body]] = MappingProxyType({
    "person": _WHO, "use": _USE, "reading": _READING, "totals": _TOTALS, "receipt": _RECEIPT,
})
"""What stands in several rows, by the name that docs/RECORD.md gives it."""

_ASKED: Final = Part("who asked", _WHO)
_ASKED_MAYBE: Final = Part("who asked; lacks where no person did", _WHO, optional=True)
_SEEN: Final = Part("the newest reading; empty where there is none", _READING, unknown=True)
_UNIT_TOTALS: Final = Part("totals of the unit; null where it has not told", _TOTALS, unknown=True)
_FILE: Final = "name in the folder waveforms"
_MAY_OPEN: Final = "zones on which the valve may open within 2 s after this row"
_CAUSE: Final = "cause of the trip"
_STOP_KIND: Final = "NORMAL or EMERGENCY"
_TIMES: Final = Part("how many there were since the last such row", optional=True)
_RECEIPTS: Final = Part("of each setting", _RECEIPT)

ROWS: Final[tuple[Written, ...]] = (
    Written(Kind.TREATMENT, RECORD, "before a treatment begins; its number is given with it", {
        "client": "reference", "program": "name", "display_name": "of the program",
        "program_version": "of its file", "program_sha256": "of its file",
        "unit": "serial number", "simulated": "true or false", "practice": "true for practice",
        "kernel_lock": "file that its kernel holds while it lives",
        "resumes": "number of the treatment that is gone on with, or null",
        "zones": Part("pairs: a zone and what it has had before", _USE),
        "worst_per_s": Part("pairs: a zone and the worst case of one second", _USE),
        "who": _ASKED, "reason": "why in spite of advice; null where not said",
        "corneum": "version of the software", "plan_sha256": "fingerprint of the plan",
        "planned_at_s": "when it was planned, on the wall clock",
        "plan": "the whole plan, as in API.md"}),
    Written(Kind.TIP, RECORD, "with the row above, where tips are told apart", {
        "label": "of the tip", "use": "single or sterilise", "unit": "serial number",
        "simulated": "true or false", "client": "reference"}),
    Written(Kind.BEGIN, TREATMENT, "a person begins; CONFIG goes out when it is durable", {
        "who": _ASKED}),
    Written(Kind.SELF_TEST, TREATMENT, "the unit says more of itself than that it passed", {
        "found": "what it says"}),
    Written(Kind.LEASE_PROOF, TREATMENT, "the unit shut down when the host fell silent", {
        "took_ms": "since its lease was renewed", "channel_b": "true when channel B has lived",
        "beat_gap_max_ms": "longest gap of the loop", "beat_gap_p95_ms": "its 95th percentile",
        "reading_gap_max_ms": "longest gap between readings"}),
    Written(Kind.ARM, TREATMENT, "before arming; ARM goes out when it is durable", {
        "offer": "how often it was offered", "reading": _SEEN, "may_open": _MAY_OPEN,
        "totals": _UNIT_TOTALS}),
    Written(Kind.STATE, TREATMENT, "the unit has moved to another mode", {
        "from": "state of the treatment before", "to": "state now"}),
    Written(Kind.ZONE, TREATMENT, "a zone is done", {
        "zone": "which", "by": "time, exposure or suction", "receipts": _RECEIPTS,
        "may_open": _MAY_OPEN}),
    Written(Kind.EXPOSURE, TREATMENT, "every 0.5 s while it changes, and at each turn", {
        "zone": "which", **_USE, "may_open": _MAY_OPEN, "totals": _UNIT_TOTALS}),
    Written(Kind.UNSEEN, TREATMENT, "the unit delivered more than was seen; it is charged", {
        "surplus_s": "contact that nobody saw"}),
    Written(Kind.PAUSE, TREATMENT, "the flow is held", {
        "who": _ASKED, "why": Part("where it was no wish of a person", optional=True)}),
    Written(Kind.RESUME, TREATMENT, "before the flow is granted again", {"who": _ASKED}),
    Written(Kind.LEAD, KERNEL, "another screen leads a treatment", {
        "who": Part("whose screen", _WHO), "from": "who led before", "asked": "who asked for it"}),
    Written(Kind.LOWER, TREATMENT, "settings were lowered", {
        "who": _ASKED, "receipts": _RECEIPTS}),
    Written(Kind.DECLINED, TREATMENT, "settings were not lowered", {
        "code": "why", "who": _ASKED, "receipts": _RECEIPTS}),
    Written(Kind.REFUSED, TREATMENT, "the unit refused settings that the host had allowed", {
        "step": "what was asked of it", "receipts": _RECEIPTS}),
    Written(Kind.REFUSED, KERNEL, "a treatment that was asked for does not begin", {
        "who": _ASKED, "program": "asked for", "client": "asked for", "code": "why",
        "sentence": "the same in words",
        "receipt": Part("of the limit; null where none was", _RECEIPT, unknown=True)}),
    Written(Kind.STOP, TREATMENT, "a treatment is stopped; the bytes went out before", {
        "kind": _STOP_KIND, "why": "in words", "who": _ASKED_MAYBE, "reading": _SEEN}),
    Written(Kind.STOP, TREATMENT, "a stopped treatment is stopped again; one row in a second", {
        "kind": _STOP_KIND, "why": "in words", "who": _ASKED_MAYBE, "again": "true",
        "times": _TIMES}),
    Written(Kind.STOP, KERNEL, "a stop without a treatment; one row in a second", {
        "kind": _STOP_KIND, "why": "in words", "who": _ASKED, "times": _TIMES}),
    Written(Kind.STOP_REPORT, RECORD, "how a stop ended; one row in a second", {
        "kind": _STOP_KIND, "confirmed": "true when the unit has said so",
        "took_ms": "from the first frame", "frames": "that were sent", "times": _TIMES}),
    Written(Kind.TRIP, TREATMENT, "a trip is latched; the bytes of STOP went out before", {
        "by": "device or host", "cause": "word of the protocol or of the interlock",
        "code": "of MESSAGES.md", "sentence": "the same in words", "reading": _SEEN}),
    Written(Kind.SAFE, TREATMENT, "the valve is first seen shut after a stop or trip", {
        "took_ms": "since that was decided", "why": "reason of the stop or trip"}),
    Written(Kind.ENDED, TREATMENT, "a treatment is over", {
        "outcome": "completed, stopped, tripped or refused", "why": "in words",
        "zones": Part("in the order of the plan", {
            "zone": "which", **_USE, "state": "done, current, waiting or skipped",
            "suction_kpa_mean": "with crystals on skin, null where none were",
            "suction_kpa_peak": "the same", "set_suction_kpa": "setting at the end",
            "set_flow_g_per_min": "setting at the end"}),
        "time_to_safe_ms": "from stop or trip to a shut valve, null where not seen"}),
    Written(Kind.ENDED, RECORD, "a treatment with a number never began", {
        "outcome": "refused", "why": "in words", "zones": "empty"}),
    Written(Kind.INTERRUPTED, RECORD, "a kernel finds a treatment that nobody ended", {
        "client": "reference", "program": "name", **_CLOCK,
        "unseen_s": "for how long the worst case is charged",
        "told": Part("what the unit says that it delivered; null where it cannot be known", {
            "contact_s": "open valve on skin", "crystal_g": "crystals through the valve"},
            unknown=True),
        "charged": "zones that are charged",
        "zones": Part("with the charge in", {"zone": "which", **_USE})}),
    Written(Kind.DISMISSED, RECORD, "a treatment will not be gone on with", {
        "who": _ASKED, "reason": "in the person's words"}),
    Written(Kind.ACK, TREATMENT, "a person acknowledges, during a treatment", {"who": _ASKED}),
    Written(Kind.ACK, KERNEL, "a person acknowledges, without a treatment", {"who": _ASKED}),
    Written(Kind.RESET, TREATMENT, "before RESET goes out, during a treatment", {
        "who": _ASKED, "why": "reason of the trip"}),
    Written(Kind.RESET, KERNEL, "before RESET goes out, without a treatment", {
        "who": _ASKED, "cause": _CAUSE}),
    Written(Kind.RESET_DONE, RECORD, "the unit was reset", {"cause": _CAUSE, **_WHOSE}),
    Written(Kind.LOCKED, RECORD, "too many resets of one cause lock the unit", {
        "cause": _CAUSE, **_WHOSE}),
    Written(Kind.UNLOCKED, RECORD, "service takes that lock off", {
        "cause": _CAUSE, **_WHOSE, "who": _ASKED, "reason": "in the person's words"}),
    Written(Kind.ALARM, TREATMENT, "an alarm begins to stand", {
        "code": "of MESSAGES.md", "priority": "HIGH, MEDIUM, LOW or INFORMATION",
        "sentence": "what happened", "first_out": "true for the first of those that stand"}),
    Written(Kind.ALARM_GONE, TREATMENT, "its condition has gone", {"code": "of MESSAGES.md"}),
    Written(Kind.ALARM_QUIET, TREATMENT, "sound or light of alarms is held back, or no longer", {
        "state": "what holds them back", "why": "in words", "who": _ASKED_MAYBE}),
    Written(Kind.KERNEL, RECORD, "a kernel has found its unit; later rows are of its boot", {
        "pid": "of its process", "port": "of the unit", "unit": "serial number",
        "firmware": "version", "simulated": "true or false", **_CLOCK,
        "corneum": "version of the software", "python": "version"}),
    Written(Kind.PRECEDENCE, KERNEL, "what the system has granted to the kernel", {
        "scheduling": "in words", "memory_locked": "true or false", "refused": "what it has not"}),
    Written(Kind.LINK, KERNEL, "the line has changed", {
        "state": "disconnected, connected or identified", "why": "in words"}),
    Written(Kind.LINK_GIVEN_UP, KERNEL, "a lost unit was looked for in vain", {"why": "in words"}),
    Written(Kind.CLOCK_STEP, KERNEL, "the wall clock was set, or the computer slept", {
        "step_s": "set forward by so much", "asleep_s": "slept in all since its boot"}),
    Written(Kind.LOCK_UNKNOWN, RECORD, "a treatment stays open: its lock could not be looked at", {
        "lock": "name of its file"}),
    Written(Kind.NOT_ALLOWED, KERNEL, "a request was refused for its role; not every one", {
        "do": "what was asked for", "who": _ASKED, "times": "how many since the last such row"}),
    Written(Kind.FAULT_INJECTED, RECORD, "a fault was put into a simulated unit, or taken out", {
        "unit": "serial number", "simulated": "true", "fault": "number of FAULTS.md",
        "active": "false where it ended", "record_seq": "in the log of the unit",
        "tick_ms": "clock of the unit"}),
    Written(Kind.WITNESS_ASKED, RECORD, "a unit was asked for the end of this record; not where it "
            "agrees", {
        "unit": "serial number", "simulated": "true or false",
        "answer": "unknown, forgotten, differs, decided or no_answer",
        "journal": "which was asked for", "row": "that the unit keeps, null where none",
        "hash": "its first 24 digits, null where none",
        "decided": "how often a decision has put it back, null without an answer",
        "journals": "that the unit keeps a row of, null without an answer"}, "0.2"),
    Written(Kind.WITNESSED, RECORD, "after a treatment the unit was told the end of the record", {
        "unit": "serial number", "simulated": "true or false",
        "kept": "true when it keeps that row",
        "why": "empty where it does; without, line_lost, refused or no_answer", "head": Part(
            "what it was told of; null where it was not told", _HEAD, unknown=True)}, "0.2"),
    Written(Kind.TIP_STERILISED, RECORD, "a tip was sterilised", {
        "label": "of the tip", "simulated": "true or false", "cycle": "of the steriliser, or empty",
        "who": _ASKED}),
    Written(Kind.DECISION, RECORD, "a technician decides on a row that is broken", {
        "subject": "row", "row": "its number", "found": "what is wrong with it",
        "who": _ASKED, "reason": "in the person's words"}),
    Written(Kind.DECISION, RECORD, "a technician decides on rows that are gone", {
        "subject": "head", "heads": Part("the newest rows that are known", _HEAD),
        "who": _ASKED, "reason": "in the person's words"}),
    Written(Kind.DECISION, RECORD, "a technician decides on rows that a unit keeps and this record "
            "has not", {
        "subject": "witness", "units": "serial numbers", "heads": Part("what they keep", {
            "journal": "which", "row": "its number", "hash": "its first 24 digits"}),
        "who": _ASKED, "reason": "in the person's words"}, "0.2"),
    Written(Kind.DECISION, RECORD, "a technician says that the wall clock is right", {
        "subject": "clock", **_CLOCK, "who": _ASKED, "reason": "in the person's words"}),
    Written(Kind.WAVEFORM, RECORD, "the file with the waveforms of a treatment is finished", {
        "file": _FILE, "sha256": "of it", "bytes": "its size", "samples": "readings in it",
        "seconds": "from the first reading to the last", "gaps": "marked in it",
        "missing_s": "of all gaps"}),
    Written(Kind.WAVEFORM, RECORD, "waveforms of a treatment are not, or not all, in a file", {
        "file": f"{_FILE}, null where there is none", "why": "in words",
        "lost_samples": "readings that found no room on the way"}),
    Written(Kind.LISTS_MENDED, RECORD, "lists or head were made anew from the rows", {}),
    Written(Kind.GAP, RECORD, "rows could not be written", {"lost_rows": "how many"}),
    Written(Kind.NOTED, RECORD, "notes that sign the end of this record were written", {
        "row": "which row they name", "hash": "of that row", "places": "list of their files"}),
)
# fmt: on
"""Every row that is written, in the order in which a treatment meets them."""
