"""The figures that documents need of the campaigns of simulated treatments, and their proof.

A *result* is everything that a campaign counted: megabytes below build/campaigns, which git does
not have and `make campaigns` makes. *Figures* are the few kilobytes of it that pages, plans and
chances.toml rest on, one file a campaign in docs/exposure, with the SHA-256 of the result, the
command, seed and versions that made it. The same seed gives the same bytes of a result again: no
time, no machine and no version is in it. Versions stand in a file beside it.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context
from pathlib import Path
from typing import Any, Final

from qa.campaigns.exposure.rows import Group
from qa.campaigns.exposure.settings import Arm
from qa.skin.tails import TAILS
from qa.skin.truth import Account

TOP: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = TOP / "docs" / "exposure"
RESULTS: Final = TOP / "build" / "campaigns"
RESULT: Final = "treatments.json"
DECIDES: Final = "sobol.json"
RESTS_ON: Final = "rests_on.json"
HALF_DONE: Final = "half-done.jsonl"
"""Where a campaign keeps its blocks until it is through; a stopped one goes on with them."""
PICTURES: Final = ("depth-map.png", "frontier.svg", "sensitivity.svg")
COLUMNS: Final = (
    "breached", "breached_bound", "breach_estimate", "estimate_time_limit", "estimate_nothing",
)  # fmt: skip
"""What a question has of each account; the last two are without interlocks."""
TOLD: Final = (
    "deepest_50", "deepest_95", "deepest_999", "dwell_passed", "suction_dose_passed",
    "stopped_early", "usefulness", "depth_um",
)  # fmt: skip
"""What a question has of the posterior account, or of the only one in which it was asked."""
TAIL_COLUMNS: Final = ("breached", "breached_bound", "breach_estimate", "depth_um")
"""What a preset has of each tail."""
DIGITS: Final = 3
ESTIMATE_DIGITS: Final = 2
"""An estimate is known to no more."""

_UP: Final = Context(prec=DIGITS, rounding=ROUND_CEILING)

Row = Mapping[str, Any]
Figures = Mapping[str, Any]


class UnfitResultError(ValueError):
    """A result cannot be kept, or does not fit what is kept; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign of treatments: what is asked, and what is kept of the answer."""

    name: str
    n: int
    """Treatments in each row."""
    only: tuple[str, ...]
    rows: Callable[[Figures], Iterable[Row]]
    drawn: bool = False
    """Whether pictures and the Sobol indices come with it."""


def question_rows(result: Figures) -> Iterator[Row]:
    """Yield a row for each question but those of tails, which have a campaign of their own."""
    questions: dict[tuple[str, str], dict[tuple[str, str], Row]] = {}
    for row in result["rows"]:
        if row["group"] != Group.TAIL.value:
            of = questions.setdefault((row["group"], row["what"]), {})
            of[row["account"], row["limits"]] = row
    for (group, what), of in questions.items():
        interlocked = {a: row for a in Account if (row := of.get((a.value, Arm.INTERLOCKED.value)))}
        told = interlocked.get(Account.POSTERIOR) or next(iter(interlocked.values()))
        yield {
            "group": Group(group).name,
            "what": what,
            **{a.name.lower(): _of_account(row, of) for a, row in interlocked.items()},
            "told": list(_told(told).values()),
        }


def _of_account(row: Row, of: Mapping[tuple[str, str], Row]) -> list[float]:
    others = (of.get((row["account"], arm.value)) for arm in (Arm.TIME_LIMIT, Arm.NONE))
    return [
        *_counted(row).values(),
        *(
            _short(other["breach_estimate"], ESTIMATE_DIGITS)
            for other in others
            if other is not None
        ),
    ]


def _told(row: Row) -> dict[str, float]:
    """Return what is told of one account alone: depth, and how zones ended."""
    return {name: _short(row[name]) for name in TOLD}


def preset_rows(result: Figures) -> Iterator[Row]:
    """Yield a row for each preset, as one of the lowest plausible rate with interlocks."""
    for row in result["rows"]:
        yield {"program": row["program"], **_counted(row), **_told(row)}


def tail_rows(result: Figures) -> Iterator[Row]:
    """Yield a row for each preset, with what was counted with each tail by its name."""
    names = {tail.words: name for name, tail in TAILS.items()}
    found: dict[str, dict[str, list[float]]] = {}
    for row in result["rows"]:
        if row["group"] == Group.TAIL.value:
            counted = [*_counted(row).values(), _short(row["depth_um"])]
            found.setdefault(row["program"], {})[names[row["tail"]]] = counted
    for program, tails in found.items():
        yield {"program": program, "tails": tails}


def each_tail(figures: Figures) -> Iterator[Row]:
    """Yield a row for each preset and tail of kept figures, what was counted by its names."""
    for row in figures["rows"]:
        for tail, counted in row["tails"].items():
            yield {"program": row["program"], "tail": tail, "n": figures["n"],
                   **dict(zip(TAIL_COLUMNS, counted, strict=True))}  # fmt: skip


def _counted(row: Row) -> dict[str, Any]:
    return {
        "breached": row["breached"],
        "breached_bound": rounded_up(row["breached_bound"]),
        "breach_estimate": _short(row["breach_estimate"], ESTIMATE_DIGITS),
    }


CAMPAIGNS: Final = {
    each.name: each
    for each in (
        Campaign("gamma", 40_000, ("TAIL", "gamma"), tail_rows),
        Campaign("tails", 4000, ("TAIL",), tail_rows),
        Campaign("presets", 40_000, ("PRESET", "interlocked", "lowest"), preset_rows),
        Campaign("treatments", 1000, (), question_rows, drawn=True),
    )
}


def rounded_up(bound: float) -> float:
    """Return a bound to three digits; it stays a bound."""
    return float(_UP.create_decimal_from_float(bound))


def _short(value: float, digits: int = DIGITS) -> float:
    return float(f"{value:.{digits}g}")


# -- from a result to figures ----------------------------------------------------------------------
def figures_of(campaign: Campaign, folder: Path) -> dict[str, Any]:
    """Return the figures of the result of a campaign below ``folder``, of `make campaigns`.

    Raises:
        UnfitResultError: there is none, it is none, or it does not say what was simulated.
    """
    path = folder / campaign.name / RESULT
    text, result = _read(path)
    if not result.get("programs") or not result.get("rows"):
        raise UnfitResultError(
            f"{path} does not say which programs were simulated; run the campaign again: "
            f'make campaigns ARGS="--only {campaign.name}"'
        )
    rows = list(campaign.rows(result))
    treated = {row["program"] for row in result["rows"]}
    found: dict[str, Any] = {
        "campaign": campaign.name,
        "seed": result["seed"],
        "n": result["rows"][0]["n"],
        "results": [
            {
                "sha256": hashlib.sha256(text).hexdigest(),
                "command": result["command"],
                "rests_on": _rests_on(path.parent),
                "programs": {k: v for k, v in result["programs"].items() if k in treated},
            }
        ],
    }
    if campaign.drawn:
        found |= _whole(result) | {"decides": _decides(path.parent)}
    return found | {"rows": rows}


def _whole(result: Figures) -> dict[str, Any]:
    """Return the sums of a whole campaign, and its goals by what they ask."""
    goals: dict[str, list[Row]] = {}
    for goal in result["goals"]:
        goals.setdefault(goal["sentence"].partition(": ")[0], []).append(goal)
    return {
        "runs": result["runs"],
        "questions": len(result["rows"]),
        "handpiece_h": round(result["handpiece_s"] / 3600.0),
        "columns": {"account": list(COLUMNS), "told": list(TOLD)},
        "goals": [
            {
                "goal": words, "limit": of[0]["limit"],
                **{v: sum(one["verdict"] == v for one in of)
                   for v in ("holds", "undecided", "falls short")},
                "values": [_short(min(one["value"] for one in of)),
                           rounded_up(max(one["value"] for one in of))],
                "missed": [one["sentence"].partition(": ")[2] for one in of
                           if one["verdict"] == "falls short"],
            }
            for words, of in goals.items()
        ],
    }  # fmt: skip


def _decides(folder: Path) -> dict[str, Any]:
    text, found = _read(folder / DECIDES)
    of_chance = {each["name"]: each for each in found["log_chance"]}
    return {
        "sha256": hashlib.sha256(text).hexdigest(),
        "treatments": found["treatments"],
        "columns": ["depth, first", "depth, total", "log chance, first", "log chance, total"],
        "indices": {
            each["words"]: [
                round(one[kind], 2)
                for one in (each, of_chance[each["name"]])
                for kind in ("first", "total")
            ]
            for each in found["depth"]
        },
    }


def _rests_on(folder: Path) -> dict[str, str] | None:
    path = folder / RESTS_ON
    return _read(path)[1] if path.is_file() else None


def _read(path: Path) -> tuple[bytes, dict[str, Any]]:
    try:
        text = path.read_bytes()
        found = json.loads(text)
    except FileNotFoundError:
        raise UnfitResultError(f"{path} is not there; it is made by: make campaigns") from None
    except (OSError, ValueError) as error:
        raise UnfitResultError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(found, dict):
        raise UnfitResultError(f"{path} must hold one JSON object")
    return text, found


# -- figures as a file -----------------------------------------------------------------------------
def kept_figures(name: str, folder: Path = FOLDER) -> dict[str, Any]:
    """Return the figures of a campaign as they are kept.

    Raises:
        UnfitResultError: they are missing, or are none.
    """
    return _read(folder / f"{name}.json")[1]


def programs_of(figures: Figures) -> dict[str, str]:
    """Return the hash of each program as it was when its rows were simulated, by name."""
    return {name: sha for result in figures["results"] for name, sha in result["programs"].items()}


def with_part(part: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Return ``before`` with the programs of ``part`` renewed.

    A row has a seed of its own, so that it is the same whether or not others were simulated.

    Raises:
        UnfitResultError: they are of another n or seed, or of more than rows of programs.
    """
    if "decides" in before:
        raise UnfitResultError(f"{before['campaign']} is kept as a whole; run all of it")
    if (part["n"], part["seed"]) != (before["n"], before["seed"]):
        raise UnfitResultError(
            f"{part['campaign']} was run with n {part['n']} and seed {part['seed']}, and what is "
            f"kept with {before['n']} and {before['seed']}; take the same"
        )
    renewed = programs_of(part)
    left = [
        {**result, "programs": {k: v for k, v in result["programs"].items() if k not in renewed}}
        for result in before["results"]
    ]
    rows = [row for row in before["rows"] if row["program"] not in renewed]
    return before | {
        "results": [*(result for result in left if result["programs"]), *part["results"]],
        "rows": sorted((*rows, *part["rows"]), key=lambda row: str(row["program"])),
    }


def as_text(figures: Figures) -> str:
    """Return figures as JSON, a row a line, so that a change of one number is a line of a diff."""
    parts = [f'"{name}": {_lines(value)}' for name, value in figures.items()]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _lines(value: object) -> str:
    if isinstance(value, Sequence) and value and isinstance(value[0], Mapping):
        return "[\n" + ",\n".join(map(_line, value)) + "\n]"
    return _line(value)


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# -- whether they fit ------------------------------------------------------------------------------
def misfits(results: Path = RESULTS, folder: Path = FOLDER) -> Iterator[str]:
    """Yield a sentence for each result below ``results`` that kept figures do not follow from.

    A campaign without a result there is none: nobody needs the results.
    """
    for campaign in CAMPAIGNS.values():
        if (results / campaign.name / RESULT).is_file():
            try:
                sentence = _misfit(
                    figures_of(campaign, results), kept_figures(campaign.name, folder)
                )
            except UnfitResultError as error:
                sentence = str(error)
            if sentence:
                yield sentence


def _misfit(found: dict[str, Any], kept: dict[str, Any]) -> str | None:
    """Compare the figures that follow from a result with the ones that are kept."""
    name, renewed = found["campaign"], programs_of(found)
    again = "keep what follows from it: python -m tools.campaigns keep"
    if (found["n"], found["seed"]) != (kept["n"], kept["seed"]):
        return f"{name}: the result has another n or seed than docs/exposure/{name}.json; {again}"
    rows = [row for row in kept["rows"] if row["program"] in renewed]
    beside = [key for key in found if key not in ("results", "rows")]
    if sorted(map(_key, rows)) != sorted(map(_key, found["rows"])) or any(
        found[key] != kept.get(key) for key in beside
    ):
        return f"{name}: docs/exposure/{name}.json does not follow from the result; {again}"
    of = found["results"][0]
    if all(of["sha256"] != result["sha256"] for result in kept["results"]):
        return (
            f"{name}: the figures are the same, but the result has the SHA-256 {of['sha256']}, "
            f"which docs/exposure/{name}.json does not name; {again}"
        )
    return None


def _key(row: Row) -> str:
    return json.dumps(row, sort_keys=True)
