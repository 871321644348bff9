"""The attack on a record: hostile edits of copies of a real one, and which verifier finds each.

An edit that leaves everything that is read back as it was is no attack: it counts as without
effect. The one witness knows the newest row of the record, as the handpiece or a report would.
"""

import random
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

from controller.record import independent_verifier
from controller.record.head_note import Head
from controller.record.verify import verify
from qa.attacks.edits import ALL, BY_WITNESS
from qa.campaigns.kept import Kept
from qa.campaigns.workers import Progress
from qa.loop import run_virtual
from qa.rig import RigSpec, service

JOURNAL: Final = "journal.sqlite3"
NAMED_MAX: Final = 20
"""Attacks that are named one by one when they were not found."""


class Seen(NamedTuple):
    """What the verifiers say of one copy, each with the witness's head."""

    ours: int | None
    """The first row that is wrong; 0 where it is none in particular; None where all is well."""
    ours_alone: int | None
    """The same without the witness."""
    independent: int | None
    lists_only: bool
    """True where only lists or indexes do not fit, which the independent one does not read."""


def make(folder: Path, seed: int) -> Path:
    """Write the record of one treatment in virtual time, and return its file."""

    async def treat() -> None:
        async with service(RigSpec(seed=seed, record=folder)) as made:
            await made.treat("refresh", zones=["chin"])

    run_virtual(treat())
    path = folder / JOURNAL
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def head_of(path: Path) -> Head:
    """Return what a witness of the newest row knows."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        ((journal,),) = connection.execute("SELECT journal FROM identity").fetchall()
        ((row, own),) = connection.execute("SELECT id, hash FROM head").fetchall()
    return Head(path.name, str(journal), int(row), str(own))


def look(path: Path, head: Head) -> Seen:
    """Ask both verifiers about a file."""
    found, alone = verify(path, heads=(head,)), verify(path)
    try:
        _, bad = independent_verifier.check(path, ((head.row, head.hash),))
        independent = bad[0][0] if bad else None
    except independent_verifier.CannotReadError:
        independent = 0
    lists_only = found.lists is not None and not found.breaks
    return Seen(found.first_bad_id, alone.first_bad_id, independent, lists_only)


def read_back(path: Path) -> object:
    """Return everything that is read from the rows of a file, by table and by index."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            file.text_factory = bytes
            return [
                file.execute(question).fetchall()
                for question in (
                    "SELECT id, text, hash, typeof(text), kind, treatment FROM journal NOT INDEXED"
                    " ORDER BY id",
                    "SELECT id, kind, treatment FROM journal INDEXED BY journal_kind"
                    " WHERE kind > '' ORDER BY id",
                    "SELECT id, hash FROM head",
                    "SELECT journal FROM identity",
                )
            ]
    except (sqlite3.Error, UnicodeDecodeError) as error:
        return str(error)


def attack(base: Path, number: int, seed: int, folder: Path) -> dict[str, Any]:
    """Make one edit on a copy of a record, and return what became of it."""
    chance = random.Random(f"{seed} attack {number}")  # noqa: S311 - an attack must repeat
    name = chance.choice(sorted(ALL))
    copy = folder / JOURNAL
    for each in folder.glob(f"{JOURNAL}*"):
        each.unlink()
    shutil.copy(base, copy)
    ALL[name](copy, chance)
    changed = read_back(copy) != read_back(base)
    seen = look(copy, head_of(base))
    return {"number": number, "edit": name, "changed": changed, **seen._asdict()}


def run(n: int, seed: int, base: Path | None, kept: Kept | None) -> dict[str, Any]:
    """Make ``n`` attacks, those that were kept among them, and return the figures."""
    results: dict[int, dict[str, Any]] = {}
    progress = Progress("attacks", n)
    with tempfile.TemporaryDirectory(prefix="corneum-attack-") as name:
        place = Path(name)
        base = base or make(place / "base", seed)
        for number in range(n):
            key = f"attack {number}"
            known = None if kept is None else kept.results.get(key)
            results[number] = known or attack(base, number, seed, place)
            if known is None and kept is not None:
                kept.keep(key, results[number])
            progress.step()
    return figures(results, seed)


def figures(results: Mapping[int, dict[str, Any]], seed: int) -> dict[str, Any]:
    """Return what was found and what was not, by edit and by verifier."""
    attacks = [one for one in results.values() if one["changed"]]
    missed = [one for one in attacks if one["ours"] is None]
    missed_too = [one for one in attacks if one["independent"] is None and not one["lists_only"]]
    differing = [one for one in results.values() if not agree(one)]
    return {
        "attack": "record",
        "runs": len(results),
        "violations": len({one["number"] for one in (*missed, *missed_too, *differing)}),
        "seed": seed,
        "attacks": len(attacks),
        "without_effect": len(results) - len(attacks),
        "found": len(attacks) - len(missed),
        "found_without_witness": sum(one["ours_alone"] is not None for one in attacks),
        "only_by_witness": sum(one["ours_alone"] is None for one in attacks),
        "found_by_independent": len(attacks) - len(missed_too),
        "by_edit": dict(sorted(Counter(one["edit"] for one in attacks).items())),
        "not_found": sorted(one["number"] for one in (*missed, *missed_too))[:NAMED_MAX],
        "disagreements": sorted(one["number"] for one in differing)[:NAMED_MAX],
    }


def agree(one: Mapping[str, Any]) -> bool:
    """Return True where both verifiers say the same: whole, or broken."""
    return one["lists_only"] or (one["ours"] is None) == (one["independent"] is None)


def text(said: Mapping[str, Any]) -> str:
    """Return the figures for people."""
    lines = [
        f"{said['attacks']} of {said['runs']} edits change what is read back; "
        f"{said['found']} found, {said['found_by_independent']} by the independent verifier; "
        f"{said['only_by_witness']} of them only by a witness "
        f"({', '.join(sorted(BY_WITNESS))}).",
        "  ".join(f"{name} {count}" for name, count in said["by_edit"].items()),
    ]
    if said["not_found"]:
        lines.append(f"not found: {', '.join(map(str, said['not_found']))}")
    if said["disagreements"]:
        lines.append(f"the verifiers disagree: {', '.join(map(str, said['disagreements']))}")
    return "\n".join(lines)
