"""``corneum-sim attack``: what a hostile hand does, and whether it is found."""

from pathlib import Path
from typing import Annotated, Final

import typer

from qa.commands.campaign_options import AsJson, Resume, Seed, campaign_in, finish, refuse
from simulator.refusals import told

N_DEFAULT: Final = 1000

attack = typer.Typer(no_args_is_help=True)


@attack.callback()
def _attack() -> None:
    """What a hostile hand does, and whether it is found."""


def record(
    n: Annotated[int, typer.Option("--n", min=1, help="How many edits.")] = N_DEFAULT,
    seed: Seed = 1,
    resume: Resume = None,
    journal: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Attack copies of this record instead of a new one."),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Edit copies of a record like somebody who owns its file, and ask both verifiers.

    Values, types, hashes, cuts, insertions, swaps and bytes of the file; cut tails and chains that
    are hashed anew to their end, which a witness of the newest row finds. About 40 edits a second.
    Exit code 1 when one that changes what is read back is not found, or the verifiers disagree.
    """
    from qa.attacks import record as attacks  # noqa: PLC0415

    if journal is not None and not journal.is_file():
        refuse(f"{journal} is no file; name a journal.sqlite3 that no kernel writes")
    of = "" if journal is None else f" --journal {journal}"
    with campaign_in(resume, f"attack record --seed {seed}{of}") as kept:
        said = attacks.run(n, seed, journal, kept)
    finish(said, attacks.text(said), as_json=as_json)


attack.command(
    epilog="Examples:  corneum-sim attack record --n 10000 --seed 1 --resume attack.jsonl   "
    "corneum-sim attack record --journal copy.sqlite3 --json"
)(told(record))
