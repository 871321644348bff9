"""What a report says in sentences: how a treatment ended, what ended each zone, what comes next."""

from collections.abc import Sequence
from typing import Final

from controller.archive.report.facts import End, Facts, Person, ZoneFacts
from controller.archive.report.when import When
from controller.safety.exposure import SECONDS_PER_MIN

_SPENT: Final = {
    "time": "its time was up",
    "exposure": "its exposure was spent",
    "suction": "its suction dose was spent",
}
_LEFT: Final = {
    End.STOPPED: "the treatment was stopped",
    End.TRIPPED: "a safety trip",
    End.CUT_OFF: "cut off",
    End.REFUSED: "not begun",
    End.COMPLETED: "the end of the treatment",
    End.UNKNOWN: "not known",
}


def person_words(person: Person | None) -> str:
    """Return who it was; what the record does not say is said."""
    if person is None or not (person.name or person.role):
        return "somebody the record does not name"
    name = person.name or "somebody without a name"
    far = f", {person.origin}" if person.origin and person.origin != "local" else ""
    return f"{name} ({person.role}{far})" if person.role else name


def outcome_words(facts: Facts) -> str:
    """Say how the treatment ended, in one or two sentences."""
    return {
        End.COMPLETED: _completed,
        End.STOPPED: _stopped,
        End.TRIPPED: _tripped,
        End.REFUSED: _refused,
        End.CUT_OFF: _cut_off,
        End.UNKNOWN: _unknown,
    }[facts.end](facts)


def _completed(_: Facts) -> str:
    return "Completed: every planned zone is done."


def _stopped(facts: Facts) -> str:
    by = facts.stopped_by
    if by is None:
        return f"Ended before all zones were done, by no person.{_why(facts)}"
    plain = facts.why in {"", f"stop by {by.name}", f"emergency stop by {by.name}"}
    return (
        f"Stopped by {person_words(by)} before all zones were done.{'' if plain else _why(facts)}"
    )


def _tripped(facts: Facts) -> str:
    what = f" {facts.trip}" if facts.trip else _why(facts) or " The record does not say which."
    return f"Ended by a safety trip, which shut the crystals off.{what}"


def _refused(facts: Facts) -> str:
    return f"Not begun, so that nothing was delivered.{_why(facts)}"


def _why(facts: Facts) -> str:
    """Return the reason that the record gives, as a sentence of its own."""
    why = facts.why.strip()
    return f" {why[0].upper()}{why[1:].rstrip('.')}." if why else ""


def _cut_off(facts: Facts) -> str:
    seconds = f"{facts.unseen_s:.2f} s"
    if facts.unseen_s <= 0.0:
        return "Cut off by a failure of computer, program or power before the unit was armed."
    stands = (
        f"Nobody saw the last moments: {seconds} are charged at the worst case."
        if facts.charge_stands
        else f"Nobody saw the last moments: at least {seconds} at the worst case are counted here, "
        "and the next start of Corneum charges them, or more where the unit tells of more."
    )
    return f"Cut off by a failure of computer, program or power. {stands}"


def _unknown(_: Facts) -> str:
    return "How it ended is not known: the row that says so cannot be believed or is missing."


def zone_end_words(zone: ZoneFacts, facts: Facts) -> str:
    """Say what ended one zone."""
    if zone.ended_by is not None:
        return _SPENT.get(zone.ended_by, zone.ended_by)
    if not zone.touched:
        return "not known" if facts.end is End.UNKNOWN else "not treated"
    if zone.state == "skipped":
        return "left for the next zone"
    return _LEFT[facts.end] + (" (worst case)" if zone.charged_s > 0.0 else "")


def unknown_words(facts: Facts) -> Sequence[str]:
    """Say what the record cannot say, one sentence each."""
    found = []
    if facts.standing.lacking:
        found.append("The record lacks rows that were written: treatments may be missing in it.")
    if facts.standing.unbelieved:
        found.append(_unbelieved_words(facts))
    if facts.at_least:
        found.append("Grams, time and depth are therefore at least those told here.")
    charged = [zone.display for zone in facts.zones if zone.charged_s > 0.0]
    if charged:
        found.append(f"Charged at the worst case: {', '.join(charged)}.")
    return found


def _unbelieved_words(facts: Facts) -> str:
    count = sum(each.last - each.first + 1 for each in facts.standing.unbelieved)
    if count == 1:
        return "1 row cannot be believed or is gone; what it told is not known (see the last page)."
    return (
        f"{count} rows cannot be believed or are gone; what they told is not known (see the last "
        "page)."
    )


def next_words(facts: Facts, when: When) -> Sequence[str]:
    """Say what comes next."""
    return [*_look(facts), *_again(facts, when), *_go_on(facts, when)]


def _again(facts: Facts, when: When) -> Sequence[str]:
    rested = [zone for zone in facts.zones if zone.free_wall_s is not None]
    if not rested:
        return ["No zone needs a rest because of this treatment."]
    rest, zone = facts.rest, rested[0]
    said = [
        f"The treated zones rest. Corneum refuses them for {rest.refuse_days:g} days, until "
        f"{when.minute(zone.free_wall_s)}, and asks for a reason until "
        f"{when.minute(zone.rested_wall_s)}. "
        f"For a client of {rest.old_from_years} years or more it is {rest.old_refuse_days:g} and "
        f"{rest.old_reason_days:g} days. A later treatment of the same zone moves these dates."
    ]
    if facts.rests_from_wall_s - facts.ended_wall_s >= SECONDS_PER_MIN:
        found = when.minute(facts.rests_from_wall_s)
        said.append(f"They rest from {found}: then it was found that it had been cut off.")
    if facts.practice:
        said.append("This was practice: for a practice client no rest is counted.")
    return said


def _go_on(facts: Facts, when: When) -> Sequence[str]:
    if facts.resumed_by is not None:
        return [f"It was gone on with as treatment {facts.resumed_by}, which has its own report."]
    if facts.dismissed is not None:
        why = f": {facts.dismissed_reason}" if facts.dismissed_reason else ""
        return [f"It will not be gone on with, as {person_words(facts.dismissed)} noted{why}."]
    if facts.resumable_until_wall_s is None:
        return []
    return [
        f"It may be gone on with until {when.minute(facts.resumable_until_wall_s)}: "
        f"corneum treat {facts.program} --client {facts.client} --resume."
    ]


def _look(facts: Facts) -> Sequence[str]:
    said = []
    if facts.end is End.TRIPPED:
        said.append("Look at the skin, and note what you see, before anything else is done.")
    if facts.standing.unbelieved or facts.standing.lacking:
        said.append(
            "Show this report to a technician: corneum records verify names what is broken."
        )
    return said
