"""How likely a dose is to leave a hole in skin of each tail: all tails side by side.

Usage: python -m qa.campaigns.exposure.tail_tables [--json FILE]

Prints the chance of a breach for each mm² of skin at a reference: the mean of the published
thicknesses of the cheek, layers of the usual thickness, and the middle of the published share of
variance within a site. The file has the whole tables that campaigns use as well.
"""

import json
import math
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from controller.cli import boundary
from qa.arguments import Arguments
from qa.campaigns.exposure.tables import (
    LOG_TINY,
    SPREAD_STEPS,
    SPREADS,
    THICKNESS_LAYERS,
    THICKNESS_STEPS,
    SkinTables,
    dose_centres,
    log_at,
    skin_tables,
)
from qa.skin.sites import thickness_of
from qa.skin.tails import TAILS, Tail
from qa.skin.truth import LAYER_UM, WITHIN_SHARE, within_cv_of

Array = NDArray[np.float64]

ZONE: Final = "cheek_left"
REFERENCE_LAYER_UM: Final = LAYER_UM[1]
REFERENCE_SHARE: Final = sum(WITHIN_SHARE) / 2.0
CENTRAL_NAME: Final = next(iter(TAILS))
DOSES_UM: Final = (0.05, 0.1, 0.2, 0.27, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
"""Mean depths: 0.27 is that of the standard program, 3.5 the cap on a face."""
DIGITS: Final = 3  # of a log10: finer than anything that is known about skin
WIDE: Final = 9


def main(arguments: list[str]) -> int:
    """Compute all tables, print them at the reference, and write them where asked to."""
    parser = Arguments(
        prog="python -m qa.campaigns.exposure.tail_tables",
        description=__doc__.partition("\n")[0],
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all tables here")
    asked = parser.parse_args(arguments)
    began_s = time.monotonic()
    made: dict[str, SkinTables] = {}
    for number, (name, tail) in enumerate(TAILS.items(), 1):
        made[name] = skin_tables(tail)
        spent_s = time.monotonic() - began_s
        sys.stderr.write(f"{number} of {len(TAILS)}: {name}, {spent_s:.1f} s so far\n")
    chances = {name: log10_chances(tail, made[name]) for name, tail in TAILS.items()}
    sys.stdout.write("\n".join(lines_of(chances)) + "\n")
    if asked.json is not None:
        text = json.dumps(as_json(chances, made))
        asked.json.write_text(text + "\n", encoding="utf-8")
    sys.stderr.write(f"all {len(TAILS)} tails in {time.monotonic() - began_s:.1f} s\n")
    return 0


def log10_chances(tail: Tail, tables: SkinTables) -> Array:
    """Return the log10 of breaches per mm² of the reference skin at each of ``DOSES_UM``."""
    share = REFERENCE_SHARE if tail.within_share is None else tail.within_share
    logs = log_at(
        tables,
        tables.log_breach,
        np.array(DOSES_UM) / REFERENCE_LAYER_UM,
        thickness_of(ZONE) / REFERENCE_LAYER_UM,
        within_cv_of(share),
    )
    return logs / math.log(10.0)


def lines_of(chances: Mapping[str, Array]) -> Iterator[str]:
    """Yield the lines of both tables: the chances, and how many times those of the central tail."""
    yield (
        f"log10 of breaches per mm² of skin; {thickness_of(ZONE):.1f} µm ({ZONE}), layers of "
        f"{REFERENCE_LAYER_UM:g} µm, {REFERENCE_SHARE:g} of the variance within a site; "
        f"{LOG_TINY / math.log(10.0):.2f} is as far as the tables go"
    )
    head = "".join(f"{dose:>{WIDE}g}" for dose in DOSES_UM)
    yield f"{'mean depth, µm':14}{head}"
    for name, logs in chances.items():
        yield f"{name:14}" + "".join(f"{value:{WIDE}.2f}" for value in logs)
    yield ""
    yield f"times as likely as {CENTRAL_NAME}"
    yield f"{'mean depth, µm':14}{head}"
    for name, logs in chances.items():
        times = 10.0 ** (logs - chances[CENTRAL_NAME])
        yield f"{name:14}" + "".join(f"{value:{WIDE}.2g}" for value in times)


def as_json(chances: Mapping[str, Array], made: Mapping[str, SkinTables]) -> dict[str, Any]:
    """Return the reference and the whole tables as one object.

    In ``tables`` the axes are thickness in layers, spread within a site, and dose in layers.
    """
    shape = (THICKNESS_STEPS, SPREAD_STEPS, -1)
    return {
        "what": "log10 of breaches per mm² of skin",
        "reference": {
            "zone": ZONE,
            "thickness_um": thickness_of(ZONE),
            "layer_um": REFERENCE_LAYER_UM,
            "within_share": REFERENCE_SHARE,
            "depths_um": DOSES_UM,
            "log10_breach_per_mm2": {
                name: logs.round(DIGITS).tolist() for name, logs in chances.items()
            },
        },
        "tables": {
            "thickness_layers": np.geomspace(*THICKNESS_LAYERS, THICKNESS_STEPS).tolist(),
            "spread": np.linspace(*SPREADS, SPREAD_STEPS).tolist(),
            "dose_layers": dose_centres().tolist(),
            "log10_breach_per_mm2": {
                name: _log10(tables.log_breach).reshape(shape).tolist()
                for name, tables in made.items()
            },
        },
    }


def _log10(logs: NDArray[np.float32]) -> Array:
    return (logs.astype(np.float64) / math.log(10.0)).round(DIGITS)


if __name__ == "__main__":
    boundary.run("qa.campaigns.exposure.tail_tables", lambda: main(sys.argv[1:]))
