"""Writes every generated file, or with --check says which ones differ from what would be written.

Run from the top folder: `python -m tools.generate [--check]`. To add a generated file, add a row to
`FILES`: its path from the top folder, and a pure function that returns its text. With --trace it
prints the trace matrix instead: which test shows what about which hazard.
"""

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from controller.cli import boundary
from controller.config.schema import SCHEMAS, schema_text
from firmware_protocol.catalogue import Direction
from firmware_protocol.vectors import render_vectors
from qa.anchors.rows import AnchorsFile
from qa.arguments import Arguments
from qa.scenarios.document import scenarios_page
from qa.scenarios.model import Scenario
from tools import credibility, tables
from tools.campaign_figures import misfits
from tools.chances import chances_file
from tools.codecs import render_codec
from tools.evidence import anomalies
from tools.exposure_figures import figures_page
from tools.programs_page import programs_page
from tools.protocol_page import render_document
from tools.record_page import record_page
from tools.records_page import records_page
from tools.register import load
from tools.safety_document import render_safety
from tools.unit_page import unit_chapters
from tools.waveforms_page import waveforms_page

TOP: Final = Path(__file__).resolve().parent.parent

FILES: Final[tuple[tuple[str, Callable[[], str]], ...]] = (
    ("firmware_protocol/codec_to_device.py", lambda: render_codec(Direction.TO_DEVICE)),
    ("firmware_protocol/codec_to_host.py", lambda: render_codec(Direction.TO_HOST)),
    ("firmware_protocol/vectors.json", render_vectors),
    ("docs/PROTOCOL.md", lambda: "\n".join((render_document(), unit_chapters()))),
    ("docs/SAFETY.md", render_safety),
    ("docs/KNOWN_ANOMALIES.md", lambda: anomalies.render(anomalies.load(), load())),
    ("configs/skin/chances.toml", chances_file),
    ("docs/PROGRAMS.md", programs_page),
    ("docs/MESSAGES.md", tables.messages_page),
    ("docs/STATES.md", tables.states_page),
    ("docs/API.md", tables.api_page),
    ("docs/RECORD.md", record_page),
    ("docs/RECORDS.md", records_page),
    ("docs/WAVEFORMS.md", waveforms_page),
    ("docs/FAULTS.md", tables.faults_page),
    ("docs/CONFORMANCE.md", tables.conformance_page),
    ("docs/CONTROL.md", tables.control_page),
    *(
        (f"configs/schemas/{name}.json", partial(schema_text, model))
        for name, model in SCHEMAS.items()
    ),
    ("configs/schemas/scenario.json", partial(schema_text, Scenario)),
    ("configs/schemas/anchors.json", partial(schema_text, AnchorsFile)),
    ("docs/SCENARIOS.md", scenarios_page),
    ("docs/EXPOSURE_FIGURES.md", figures_page),
    ("docs/CREDIBILITY.md", lambda: credibility.render(credibility.load())),
)
CODECS: Final = 2
"""So many of them, from the first, are codecs."""


def stale_files(top: Path) -> list[str]:
    """Return the paths whose text is missing or differs from what would be written.

    With codecs of another catalogue the unit cannot be tried, so that they alone are told then.
    """
    return _old_codecs(top) or [name for name, render in FILES if _text_of(top / name) != render()]


def write_files(top: Path) -> None:
    """Write every generated file below ``top``; by a fresh interpreter after the codecs changed."""
    anew = bool(_old_codecs(top))
    for name, render in FILES[:CODECS] if anew else FILES:
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(), encoding="utf-8")
    if anew:
        subprocess.run([sys.executable, "-m", "tools.generate"], cwd=top, check=True)


def _old_codecs(top: Path) -> list[str]:
    """Return the codecs that are there, and are not those of the catalogue."""
    return [name for name, render in FILES[:CODECS] if _text_of(top / name) not in (None, render())]


def _trace(junit: list[Path]) -> int:
    """Print the trace matrix, with the results of JUnit XML files where some are given."""
    # pytest is needed for this alone
    from tools.trace import ResultsError, collect, render_trace, results_of  # noqa: PLC0415

    try:
        results = results_of(*junit) if junit else None
    except ResultsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(render_trace(load(), collect(TOP), results))
    return 0


def _orphans() -> int:
    """Say which hazards lack a test or a control, and what belongs to no hazard; 1 where any."""
    # pytest is needed for this alone
    from tools.loose_ends import loose_ends  # noqa: PLC0415
    from tools.trace import collect, complaints  # noqa: PLC0415

    register = load()
    found = (*complaints(register, collect(TOP)), *loose_ends(register))
    for sentence in found:
        sys.stderr.write(f"{sentence}\n")
    return 1 if found else 0


def _text_of(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main(arguments: list[str]) -> int:
    """Write the files, or check them; 1 where a check finds a difference."""
    parser = Arguments(prog="python -m tools.generate", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, report differences")
    parser.add_argument(
        "--trace", action="store_true", help="print the trace matrix; with --check its orphans"
    )
    parser.add_argument(
        "--junit",
        type=Path,
        action="append",
        default=[],
        help="for --trace: JUnit XML that pytest wrote, as often as wanted; else 'not run'",
    )
    wanted = parser.parse_args(arguments)
    if wanted.trace and wanted.check:
        return _orphans()
    if wanted.trace:
        return _trace(wanted.junit)
    if not wanted.check:
        write_files(TOP)
        return 0
    stale = stale_files(TOP)
    unproven = list(misfits())  # none where no campaign was run here
    for name in stale:
        sys.stderr.write(f"{name} is out of date: run `python -m tools.generate`\n")
    for sentence in unproven:
        sys.stderr.write(f"{sentence}\n")
    return 1 if stale or unproven else 0


if __name__ == "__main__":
    boundary.run("tools.generate", lambda: main(sys.argv[1:]))
