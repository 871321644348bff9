"""configs/skin/chances.toml: how often a treatment with each preset goes too deep, simulated.

Usage: python -m tools.chances {gamma,tails} TREATMENTS.json [--part] [--of CONFIGS]

Keeps of what a campaign of treatments wrote the rows of tails that plans and pages need, as
docs/exposure/gamma.json or tails.json. ``python -m tools.generate`` makes chances.toml of them.
"""

import json
import sys
from collections.abc import Collection, Iterator, Mapping
from decimal import ROUND_CEILING, Context
from pathlib import Path
from typing import Any, Final

from controller.cli import boundary
from controller.config.locate import shipped_configs
from controller.config.programs import program_hashes
from qa.arguments import Arguments
from qa.campaigns.exposure.rows import Group
from qa.skin.tails import TAILS

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "exposure"
LIKELY: Final = "gamma"
"""The tail of the first figure, and the name of the campaign that counted it oftener."""
ALL: Final = "tails"
"""The name of the campaign of all tails."""
FIELDS: Final = (
    "group", "what", "program", "tail", "account", "n", "breached", "breached_bound",
    "breach_estimate", "depth_um",
)  # fmt: skip
HEAD: Final = """\
#:schema ../schemas/chances.json
# Generated from docs/exposure/gamma.json and tails.json by `python -m tools.generate`; do not edit.
# In how many simulated treatments, at most (95 %), a connected square millimetre loses its whole
# stratum corneum: an average hand, all zones, light skin of 34 years, a motion sensor. likely: by
# what is known of the removal rate, thickness by a gamma distribution. worst: by the assumption
# about skin and harm that gives most of them. A program of another sha256 was not simulated.
"""

_UP: Final = Context(prec=3, rounding=ROUND_CEILING)

Row = Mapping[str, Any]
Campaign = Mapping[str, Any]


def chances_file(folder: Path = FOLDER, configs: Path | None = None) -> str:
    """Return chances.toml: an entry of each program whose content is the one that was simulated."""
    likely, every = (
        json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in (LIKELY, ALL)
    )
    now = _hashes(configs)
    missing = {*unsimulated(likely, now, (LIKELY,)), *unsimulated(every, now)}
    entries = [
        _entry(name, now[name], likely, every) for name in sorted(now) if name not in missing
    ]
    return "\n".join((HEAD, *entries))


def unsimulated(
    campaign: Campaign, now: Mapping[str, str], tails: Collection[str] = tuple(TAILS)
) -> list[str]:
    """Return the programs of ``now``, by name with hash, that lack one of ``tails`` as they are."""
    rowed = {(row["program"], row["tail"]) for row in campaign["rows"]}
    return [
        name
        for name, sha256 in now.items()
        if campaign["programs"].get(name) != sha256
        or not all((name, tail) in rowed for tail in tails)
    ]


def worst_of(rows: list[Row]) -> Row:
    """Return the row with the largest bound; of equal ones that with the largest estimate.

    Where few treatments were counted, several tails have none and so the same bound.
    """
    return max(rows, key=lambda row: (row["breached_bound"], row["breach_estimate"]))


def _entry(name: str, sha256: str, likely: Campaign, every: Campaign) -> str:
    of_likely = next(
        row for row in likely["rows"] if (row["program"], row["tail"]) == (name, LIKELY)
    )
    others = [row for row in every["rows"] if row["program"] == name and row["tail"] != LIKELY]
    worst = worst_of([of_likely, *others])
    likely_share = _rounded_up(of_likely["breached_bound"])
    worst_share = _rounded_up(worst["breached_bound"])
    return (
        f'[[programs]]\nname = "{name}"\nsha256 = "{sha256}"\n'
        f"likely_n = {of_likely['n']}\nlikely_bound_share = {likely_share}\n"
        f"worst_n = {worst['n']}\nworst_bound_share = {worst_share}\n"
        f'worst_tail = "{worst["tail"]}"\n'
    )


def _rounded_up(bound: float) -> str:
    """Return a bound to three digits; it stays a bound."""
    return f"{float(_UP.create_decimal_from_float(bound)):g}"


def _hashes(configs: Path | None) -> dict[str, str]:
    found = program_hashes(shipped_configs() if configs is None else configs)
    return {name: sha256 for sha256, name in found.items()}


def kept(campaign: Campaign, programs: Mapping[str, str], before: Campaign | None = None) -> str:
    """Return what is kept of a campaign as JSON, a row a line; ``programs`` are those simulated.

    Of ``before``, a whole campaign of the same numbers, the other programs stay, and its command: a
    row has a seed of its own, so that it is the same whether or not others were simulated.
    """
    rows = list(_rows(campaign))
    hashes = {row["program"]: programs[row["program"]] for row in rows}
    whole = campaign if before is None else before
    if before is not None:
        rows += [row for row in before["rows"] if row["program"] not in hashes]
        hashes = {**before["programs"], **hashes}
    rows.sort(key=lambda row: row["program"])
    lines = ",\n".join(json.dumps(row) for row in rows)
    said = {"command": whole["command"], "seed": whole["seed"], "programs": hashes}
    return f'{json.dumps(said)[:-1]},\n"rows": [\n{lines}\n]}}\n'


def is_part_of(campaign: Campaign, before: Campaign) -> bool:
    """Return whether the whole campaign, run again, would have these rows: numbers and seed."""

    def numbers(of: Campaign) -> set[tuple[int, int]]:
        return {(of["seed"], row["n"]) for row in of["rows"] if row["group"] == Group.TAIL.value}

    return numbers(campaign) == numbers(before)


def _rows(campaign: Campaign) -> Iterator[Row]:
    """Yield the rows of tails, each tail by its name."""
    names = {tail.words: name for name, tail in TAILS.items()}
    for row in campaign["rows"]:
        if row["group"] == Group.TAIL.value:
            # A label begins with the program, which campaigns did not tell by itself at first.
            program = row.get("program", row["what"].partition(",")[0])
            told = {**row, "program": program, "tail": names[row["tail"]]}
            yield {field: told[field] for field in FIELDS}


def main(arguments: list[str]) -> int:
    """Keep a campaign; 1 where nobody knows which programs it simulated."""
    parser = Arguments(prog="python -m tools.chances", description=__doc__.partition("\n")[0])
    parser.add_argument("name", choices=(LIKELY, ALL), help="the campaign of one tail, or of all")
    parser.add_argument("result", type=Path, help="what `corneum-sim campaign treatments` wrote")
    parser.add_argument(
        "--of",
        type=Path,
        metavar="CONFIGS",
        help="the folder of configurations that was simulated, for a result that does not say it",
    )
    parser.add_argument(
        "--part", action="store_true", help="the other programs stay as they are kept already"
    )
    asked = parser.parse_args(arguments)
    campaign = json.loads(asked.result.read_text(encoding="utf-8"))
    programs = campaign.get("programs") or ({} if asked.of is None else _hashes(asked.of))
    if not programs:
        sys.stderr.write(
            f"{asked.result} does not say which programs were simulated; name the folder of them "
            "with --of, or run the campaign again.\n"
        )
        return 1
    path = FOLDER / f"{asked.name}.json"
    before = json.loads(path.read_text(encoding="utf-8")) if asked.part else None
    if before is not None and not is_part_of(campaign, before):
        sys.stderr.write(f"{asked.result} has another --n or --seed than {path}; take the same.\n")
        return 1
    path.write_text(kept(campaign, programs, before), encoding="utf-8")
    return 0


if __name__ == "__main__":
    boundary.run("tools.chances", lambda: main(sys.argv[1:]))
