"""``corneum-sim conformance``: does what is on this port speak the protocol?"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from simulator.refusals import PORT, USAGE, Refusal

if TYPE_CHECKING:
    from qa.conformance.case import Case
    from qa.conformance.suite import Outcome

FAILED: Final = 1
TIP_MAX: Final = 255


def conformance(
    handpiece: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="A serial port or pty, tcp://host:port, or sim: for a simulator of its own.",
        ),
    ],
    control: Annotated[
        Path | None,
        typer.Option(help="Control socket of the simulator on that port: a hand and faults."),
    ] = None,
    case: Annotated[
        list[str] | None, typer.Option("--case", metavar="C01", help="Only these cases.")
    ] = None,
    tip: Annotated[
        int, typer.Option(min=0, max=TIP_MAX, help="Number of the tip that is fitted.")
    ] = 1,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML to this file.")] = None,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on standard output.")
    ] = False,
) -> None:
    """Run the conformance kit against a port: 0 conforms, 1 a case failed, 2 usage, 3 no unit."""
    from qa.conformance.reports import json_of, summary_of, write_junit  # noqa: PLC0415
    from qa.conformance.suite import Verdict, chosen  # noqa: PLC0415

    try:
        cases = chosen(case or [])
    except ValueError as error:
        raise Refusal(str(error), USAGE) from error
    outcomes, lost = _run(handpiece, control, tip, cases, quiet=as_json)
    if junit is not None:
        try:
            write_junit(junit, handpiece, outcomes)
        except OSError as error:
            raise Refusal(f"cannot write {junit}: {error.strerror or error}", USAGE) from error
    if as_json:
        typer.echo(json.dumps(json_of(handpiece, outcomes) | {"error": lost or None}))
    elif outcomes:
        typer.echo(summary_of(outcomes))
    if lost:
        typer.echo(f"corneum-sim: {lost}", err=True)
        raise typer.Exit(PORT)
    if any(one.verdict is Verdict.FAILED for one in outcomes):
        raise typer.Exit(FAILED)


def _run(
    url: str, control: Path | None, tip: int, cases: "tuple[Case, ...]", *, quiet: bool
) -> "tuple[list[Outcome], str]":
    """Run the cases and return their outcomes, and why the unit was lost where it was."""
    from controller.device.answers import PortError  # noqa: PLC0415
    from qa.conformance.places import place  # noqa: PLC0415
    from qa.conformance.reports import line_of  # noqa: PLC0415
    from qa.conformance.suite import Outcome, Verdict, run_case  # noqa: PLC0415
    from qa.conformance.verdicts import NonconformityError, UnitLostError  # noqa: PLC0415
    from simulator.serve import run  # noqa: PLC0415

    outcomes: list[Outcome] = []
    lost: list[str] = []

    async def main() -> None:
        try:
            async with place(url, control, tip) as bench:
                for case in cases:
                    outcomes.append(await run_case(case, bench))
                    if not quiet:
                        typer.echo(line_of(outcomes[-1]))
                await bench.fresh()  # and leaves the unit DISARMED
        except PortError as error:
            lost.append(f"{error.sentence}; {error.next_step}")
        except (NonconformityError, UnitLostError) as error:
            lost.append(str(error))

    run(main())
    if lost and outcomes:
        missed = cases[len(outcomes) :]
        outcomes += [Outcome(case, Verdict.NOT_RUN, lost[0], 0.0, 0) for case in missed]
    return outcomes, "; ".join(lost)
