"""The pages behind the first: what an auditor asks of one treatment."""

from collections.abc import Mapping
from typing import Any, Final

from controller.archive.report.charts import exposure_plot, flow_plot
from controller.archive.report.document import (
    Beside,
    Block,
    Heading,
    Picture,
    Points,
    Table,
    Terms,
    Tone,
    Verbatim,
    Words,
)
from controller.archive.report.facts import Facts, ZoneFacts
from controller.archive.report.outcome import person_words
from controller.archive.report.seal import Seal, qr_svg
from controller.archive.report.when import NOTHING, When
from controller.record.one_treatment import Unbelieved

EVENTS_MAX: Final = 60
"""Alarms and notices that are listed; a treatment has one or two for each zone."""
UNBELIEVED_MAX: Final = 20
"""Broken places of the record that are listed; `corneum records verify` has all of them."""

NOT_RECORDED: Final = "not recorded"
_PLOT_MM: Final = 172.0
_QR_MM: Final = 54.0

_PLAN_NAMES: Final = (
    "Zone", "Suction set", "Suction mean", "Suction peak", "Flow set", "Time planned", "Time given",
    "Depth planned", "Depth given", "Bound planned", "Bound given", "Cap", "Suction dose",
)  # fmt: skip


def other_pages(facts: Facts, seal: Seal, when: When) -> tuple[Block, ...]:
    """Return the blocks of the pages for an auditor."""
    return (
        Heading("For an auditor", new_page=True),
        *_identity(facts, when),
        Heading("Plan against delivered", 3),
        *_delivered(facts),
        *_plots(facts),
        Heading("Limits and their receipts", 3),
        *_receipts(facts),
        Heading("Alarms and notices", 3),
        *_events(facts, when),
        Heading("The record", 3),
        *_record(facts, seal),
    )


def _identity(facts: Facts, when: When) -> tuple[Block, ...]:
    simulated = "yes" if facts.simulated else "no"
    safe = "not seen" if facts.safe_ms is None else f"{facts.safe_ms:.0f} ms after stop or trip"
    same = {True: "as in the plan", False: "changed since the plan", None: "the plan does not say"}
    pairs = (
        ("Begun by", person_words(facts.by)),
        ("Reason given", facts.reason or "none on record"),
        ("Ended", f"{facts.end.value}{f', {facts.why}' if facts.why else ''}"),
        ("Stopped by", person_words(facts.stopped_by) if facts.stopped_by else "nobody on record"),
        ("Tripped by", facts.trip or "nothing on record"),
        ("Valve seen shut", safe),
        ("Handpiece", f"serial number {facts.unit}"),
        ("Simulated", simulated),
        ("Firmware", facts.versions.firmware or NOT_RECORDED),
        ("Tip", facts.tip or NOT_RECORDED),
        ("Lots of tip, crystals, filter", NOT_RECORDED),
        ("Calibration certificate", NOT_RECORDED),
        ("Consent, skin type, aftercare", NOT_RECORDED),
        ("Corneum", facts.versions.corneum or NOT_RECORDED),
        ("Python", facts.versions.python or NOT_RECORDED),
        ("Program", f"{facts.program}, version {facts.versions.program or NOT_RECORDED}"),
        ("Planned", when.minute(facts.versions.planned_wall_s)),
        ("Skin data", f"{facts.versions.skin}, {same[facts.versions.skin_is_the_plans]}"),
    )
    hashes = (
        ("Program, SHA-256", facts.versions.program_sha256 or NOT_RECORDED),
        ("Plan, SHA-256", facts.versions.plan_sha256 or NOT_RECORDED),
    )
    return (Terms(pairs, columns=2), Terms(hashes))


def _delivered(facts: Facts) -> tuple[Block, ...]:
    if not facts.zones:
        return (Words("The record names no zone."),)
    rows = tuple(_zone_row(zone) for zone in facts.zones)
    resumed = (
        " What a zone had before is in the bound and in the suction dose." if facts.resumes else ""
    )
    return (
        Table(
            _PLAN_NAMES,
            rows,
            numbers=tuple(range(1, 13)),
            widths=(8, *[4] * 6, 5, 4, 5, 4, 3, 6),
            small=True,
        ),
        Words(
            "Suction in kPa below the room, flow in g/min, time in s, depth, bound and cap in µm, "
            f"suction dose in kPa s in one place, of its limit.{resumed}",
            Tone.SMALL,
        ),
        *((Points(facts.notes),) if facts.notes else ()),
    )


def _zone_row(zone: ZoneFacts) -> tuple[str, ...]:
    plan = zone.planned
    set_kpa = plan.suction_kpa if zone.set_suction_kpa is None else zone.set_suction_kpa
    set_flow = plan.flow_g_per_min if zone.set_flow_g_per_min is None else zone.set_flow_g_per_min
    dose = f"{zone.had.suction_kpa_s:.0f} of {_figure(plan.suction_max_kpa_s, 0)}"
    return (
        f"{zone.number} {zone.display}",
        _figure(set_kpa, 1),
        _figure(zone.suction_kpa_mean, 1),
        _figure(zone.suction_kpa_peak, 1),
        _figure(set_flow, 1),
        _figure(plan.contact_s, 0),
        _figure(zone.own.contact_s, 1),
        _figure(plan.nominal_um, 3),
        _figure(zone.own.nominal_um, 3),
        _figure(plan.bound_um, 2),
        _figure(zone.had.bound_um, 2),
        _figure(plan.cap_um, 2),
        dose,
    )


def _figure(value: float | None, decimals: int) -> str:
    return NOTHING if value is None else f"{value:.{decimals}f}"


def _plots(facts: Facts) -> tuple[Block, ...]:
    exposure, flow = exposure_plot(facts), flow_plot(facts)
    found: list[Block] = []
    told = [f"{zone.number} {zone.display}: {_share(zone)}" for zone in facts.zones if zone.touched]
    if exposure is not None:
        words = (
            "Plot of exposure over time: the bound of each zone in percent of its cap rises while "
            f"the zone is treated. At the end: {'; '.join(told)}."
        )
        found += [Heading("Exposure over time", 3), Picture(exposure, words, _PLOT_MM)]
    if flow is not None:
        flows = [zone.planned.flow_g_per_min or 0.0 for zone in facts.zones]
        words = (
            "Plot of the crystal flow over time, as means over a second of contact, for each zone. "
            f"The plan set {min(flows):.1f} to {max(flows):.1f} g/min."
        )
        found += [Heading("Crystal flow over time", 3), Picture(flow, words, _PLOT_MM)]
    if found:
        found.append(
            Words(
                "Drawn from the rows of exposure; the numbers are those of the zones. Suction is "
                "not in these rows: its mean and peak stand in the table.",
                Tone.SMALL,
            )
        )
    return tuple(found)


def _share(zone: ZoneFacts) -> str:
    return "not known" if zone.share is None else f"{100 * zone.share:.0f} %"


def _receipts(facts: Facts) -> tuple[Block, ...]:
    if not facts.receipts:
        return (Words("The record has no receipts of this plan."),)
    zones: dict[tuple[str, ...], list[str]] = {}
    order = list(dict.fromkeys(str(each.get("quantity")) for each in facts.receipts))
    for each in sorted(facts.receipts, key=lambda said: order.index(str(said.get("quantity")))):
        zones.setdefault(_receipt(each), []).append(str(each["zone"]))
    count = len(facts.zones)
    rows = tuple(
        ("all" if len(names) == count > 1 else ", ".join(names), *said)
        for said, names in zones.items()
    )
    return (
        Table(
            ("Zones", "What was allowed, and why", "Chain of limits"),
            rows,
            widths=(3, 5, 5),
            small=True,
        ),
        *((Points(facts.later_receipts),) if facts.later_receipts else ()),
    )


def _receipt(said: Mapping[str, Any]) -> tuple[str, ...]:
    chain = ", ".join(
        f"{limit.get('source')} {_plain(limit.get('value'))}"
        for limit in said.get("chain", ())
        if isinstance(limit, dict)
    )
    return str(said.get("sentence", "")), f"{chain} {said.get('unit', '')}".strip()


def _plain(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else "not known"


def _events(facts: Facts, when: When) -> tuple[Block, ...]:
    if not facts.alarms:
        return (Words("None."),)
    rows = tuple(
        (when.second(each.wall_s), each.code, each.priority.lower(), each.sentence)
        for each in facts.alarms[:EVENTS_MAX]
    )
    more = len(facts.alarms) - EVENTS_MAX
    return (
        Table(("Time", "Code", "Priority", "What"), rows, widths=(0, 0, 0, 9), small=True),
        *((Words(f"And {more} more."),) if more > 0 else ()),
    )


def _record(facts: Facts, seal: Seal) -> tuple[Block, ...]:
    standing = facts.standing
    rows = f"{standing.first_row} to {standing.last_row} ({standing.rows} of this treatment)"
    pairs = (
        ("File", standing.file),
        ("Rows", rows),
        ("Journal", standing.head.journal),
        ("Newest row", f"{standing.head.row}"),
        ("Its hash", standing.head.hash),
    )
    signed = (
        "The code is a signed note: it proves later that the record had this row. Check it with "
        "corneum records verify --note FILE, where FILE has the text of the code."
        if seal.unsigned is None
        else f"The code is NOT signed, because {seal.unsigned}. It says which row was the newest, "
        "and anybody could have written it."
    )
    code = Picture(qr_svg(seal.text), "QR code of the text below it", _QR_MM)
    return (
        *_broken(facts),
        Beside((code,), (Terms(pairs), Words(signed)), 0.31),
        Verbatim(seal.text),
    )


def _broken(facts: Facts) -> tuple[Block, ...]:
    said = [facts.standing.lacking] if facts.standing.lacking else []
    said += [_unbelieved(each) for each in facts.standing.unbelieved[:UNBELIEVED_MAX]]
    more = len(facts.standing.unbelieved) - UNBELIEVED_MAX
    if more > 0:
        said.append(f"And {more} more places; corneum records verify names them.")
    if not said:
        return (
            Words("Each row of this treatment was verified against its neighbours, and holds."),
        )
    return (
        Words("Not to be believed, so that what was told there is not known:"),
        Points(tuple(said)),
    )


def _unbelieved(each: Unbelieved) -> str:
    rows = f"Row {each.first}" if each.first == each.last else f"Rows {each.first} to {each.last}"
    decided = (
        " A technician has decided that the record goes on without it." if each.decided else ""
    )
    return f"{rows}: {each.what}.{decided}"
