"""The first page: one treatment for the person who gave it, and for the client."""

from typing import Final

from controller.archive.report.body_map import body_map, map_in_words, not_on_map
from controller.archive.report.document import (
    Beside,
    Block,
    Heading,
    Picture,
    Points,
    Table,
    Terms,
    Tone,
    Words,
)
from controller.archive.report.facts import AlarmFact, End, Facts, ZoneFacts
from controller.archive.report.outcome import (
    next_words,
    outcome_words,
    person_words,
    unknown_words,
    zone_end_words,
)
from controller.archive.report.when import NOTHING, When
from controller.safety.alarms import Priority

ALARMS_MAX: Final = 3
"""Alarms that are told on the first page, the gravest first; the other pages have all of them."""

_MAP_MM: Final = 72.0
_NARROW_UNITS: Final = 220.0
"""Above this the map has two drawings and needs more of the page."""
_WIDE_MM: Final = 112.0

NAMES: Final = (
    "No.", "Zone", "Crystals", "On skin", "What ended it", "Depth",
    "Bound, of its cap", "Again from",
)  # fmt: skip


def first_page(facts: Facts, when: When) -> tuple[Block, ...]:
    """Return the blocks of the first page."""
    drawn, unknown = body_map(facts.zones), unknown_words(facts)
    said = (*_about(facts, when), *_what_it_did(facts), Heading("Alarms"), *_alarms(facts))
    if drawn is None:
        middle: tuple[Block, ...] = said
    else:
        svg, width = drawn
        wide = width > _NARROW_UNITS
        width_mm = _WIDE_MM if wide else _MAP_MM
        picture = Picture(svg, map_in_words(facts.zones), width_mm)
        middle = (Beside((picture,), said, 0.63 if wide else 0.44),)
    return (
        Heading(f"{facts.display_name}: treatment {facts.treatment}", 1),
        *_simulated(facts),
        Words(outcome_words(facts), Tone.LEAD),
        *((Words(" ".join(unknown), Tone.WARNING),) if unknown else ()),
        *middle,
        *_zones(facts, when),
        Heading("What comes next"),
        Points(tuple(next_words(facts, when))),
    )


def _simulated(facts: Facts) -> tuple[Block, ...]:
    if not facts.simulated:
        return ()
    return (
        Words("SIMULATED: the handpiece was a simulator. No person was treated.", Tone.WARNING),
    )


def _about(facts: Facts, when: When) -> tuple[Block, ...]:
    charged = any(zone.charged_s > 0.0 for zone in facts.zones)
    least = "at least " if facts.at_least else "up to " if charged else ""
    own = [zone.own for zone in facts.zones]
    grams = sum(use.grams for use in own)
    given = (
        f"{least}{grams:.{1 if grams >= 1.0 else 2}f} g of crystals in "
        f"{sum(use.contact_s for use in own):.0f} s on the skin"
    )
    simulated = " (simulated)" if facts.simulated else ""
    pairs = [
        ("Client", f"{facts.client}{' (practice)' if facts.practice else ''}"),
        ("Begun", when.minute(facts.begun_wall_s)),
        (
            "Last seen" if facts.end in {End.CUT_OFF, End.UNKNOWN} else "Over",
            when.minute(facts.ended_wall_s),
        ),
        ("Clock", when.zone_words(facts.ended_wall_s)),
        ("By", person_words(facts.by)),
        ("Handpiece", f"{facts.unit}{simulated}"),
        ("Given", given),
    ]
    if facts.resumes:
        earlier = ", ".join(str(number) for number in facts.resumes)
        pairs.append(("Goes on with", f"treatment {earlier}; the bound counts both"))
    return (Terms(tuple(pairs)),)


def _what_it_did(facts: Facts) -> tuple[Block, ...]:
    if facts.effect is None:
        return (Words("What was removed cannot be said: the sites are not in the skin data."),)
    return (Heading("What it did"), Words(facts.effect))


def _zones(facts: Facts, when: When) -> tuple[Block, ...]:
    if not facts.zones:
        return (Words("The record names no zone."),)
    rows = tuple(_row(zone, facts, when) for zone in facts.zones)
    missing = [zone.display for zone in not_on_map(facts.zones)]
    lacking = f" Not on the map: {', '.join(missing)}." if missing else ""
    return (
        Table(NAMES, rows, numbers=(0, 2, 3, 5), widths=(0, 4, 0, 0, 5, 0, 5, 4), small=True),
        Words(
            "Depth is the mean over the zone, in thousandths of a millimetre (µm). The bound is "
            "the most that is likely in the place that was treated most; crystals stop before it "
            f"passes the cap.{lacking}",
            Tone.SMALL,
        ),
    )


def _row(zone: ZoneFacts, facts: Facts, when: When) -> tuple[str, ...]:
    least = "≥ " if facts.at_least else "≤ " if zone.charged_s > 0.0 else ""
    if not zone.touched:
        free = "not known" if facts.end is End.UNKNOWN else "any time"
        ended = zone_end_words(zone, facts)
        return (
            str(zone.number),
            zone.display,
            NOTHING,
            NOTHING,
            ended,
            NOTHING,
            bound_words(zone),
            free,
        )
    return (
        str(zone.number),
        zone.display,
        f"{least}{zone.own.grams:.2f} g",
        f"{least}{zone.own.contact_s:.0f} s",
        zone_end_words(zone, facts),
        f"{least}{zone.own.nominal_um:.2f} µm",
        bound_words(zone),
        when.short_day(zone.free_wall_s),
    )


def bound_words(zone: ZoneFacts) -> str:
    """Say how much of its cap a zone has had."""
    cap_um, share = zone.planned.cap_um, zone.share
    if cap_um is None or share is None:
        return f"{zone.had.bound_um:.2f} µm of a cap not known"
    return f"{zone.had.bound_um:.2f} of {cap_um:.2f} µm ({100 * share:.0f} %)"


def _alarms(facts: Facts) -> tuple[Block, ...]:
    told = grave(facts.alarms)
    if not told:
        return (Words("None on record."),)
    more = len(told) - ALARMS_MAX
    said = [each.sentence for each in told[:ALARMS_MAX]]
    if more > 0:
        said.append(f"And {more} more, on the next pages.")
    return (Points(tuple(said)),)


def grave(alarms: tuple[AlarmFact, ...]) -> list[AlarmFact]:
    """Return each alarm once, the gravest first; what only guided the hand is left out."""
    rank = {each.name: each.value for each in Priority}
    once = {each.code: each for each in alarms if rank.get(each.priority, 1) > 0}
    return sorted(once.values(), key=lambda each: (-rank.get(each.priority, 1), each.wall_s))
