"""Everything an auditor wants to see of a commit, in one folder with a manifest: `make evidence`.

`python -m tools.evidence [--quick] [--out DIR]` runs or collects each part, writes the folder and
prints the hash of its manifest. A part that fails makes the exit code 1 and stands as failed on the
front page; the bundle is written all the same. `--verify DIR` says what was done to one since.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from controller.cli import boundary
from qa.arguments import Arguments, whole
from tools.evidence import anomalies
from tools.evidence.manifest import ManifestError, sign, signer_of, verify, write_manifest
from tools.evidence.page import Front, page
from tools.evidence.parts import PARTS, Make
from tools.evidence.results import Outcome, Result
from tools.evidence.versions import commit_of
from tools.evidence.workshop import Workshop
from tools.register import load

TOP: Final = Path(__file__).resolve().parent.parent.parent
FAILED: Final = 1
USAGE: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a bundle or verify one: 0 all is well, 1 a part failed or a file differs, 2 usage."""
    asked = _asked(arguments)
    try:
        if asked.verify is not None:
            return _verify(asked.verify, asked.signers)
        return _make(asked)
    except ManifestError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    except OSError as error:
        written = error.filename or "the bundle"
        sys.stderr.write(f"{written}: {error.strerror}; make room or name another folder: --out\n")
        return USAGE


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    about = (__doc__ or "").partition("\n")[0]
    parser = Arguments(prog="python -m tools.evidence", description=about)
    parser.add_argument("--out", type=Path, help="a new folder; else evidence/TIME-COMMIT")
    parser.add_argument("--quick", action="store_true", help="a selection, about a minute, for CI")
    parser.add_argument("--workers", default="auto", help="processes of the tests (as pytest -n)")
    parser.add_argument("--fuzz", type=whole, default=0, metavar="N", help="hostile frames to send")
    parser.add_argument("--seed", type=whole, default=1, help="of the fuzzing")
    parser.add_argument("--sign", type=Path, metavar="KEY", help="sign with this SSH key")
    parser.add_argument("--json", action="store_true", help="print evidence.json at the end")
    parser.add_argument("--verify", type=Path, metavar="DIR", help="only say what was changed")
    parser.add_argument("--signers", type=Path, help="for --verify: allowed signers, of ssh-keygen")
    return parser.parse_args(arguments)


def _make(asked: argparse.Namespace) -> int:
    commit, now = commit_of(TOP), datetime.now(UTC)
    name = f"{now:%Y%m%dT%H%M%SZ}-{commit.id[:12] or 'no-commit'}"
    bundle = (asked.out or TOP / "evidence" / name).resolve()
    if bundle.exists() and any(bundle.iterdir()):
        sys.stderr.write(f"{bundle} is not empty: name a new folder with --out\n")
        return USAGE
    bundle.mkdir(parents=True, exist_ok=True)
    shop = Workshop(TOP, bundle, commit, _tell, quick=asked.quick, workers=asked.workers,
                    fuzz_frames=asked.fuzz, fuzz_seed=asked.seed)  # fmt: skip
    front = make(shop, now)
    told = write(front, bundle)
    manifest_sha256 = write_manifest(bundle)
    if asked.sign is not None:
        sign(bundle, asked.sign)
    _tell(f"The bundle is {bundle}; read its index.html.")
    _tell(f"Its manifest has the SHA-256 {manifest_sha256}.")
    if asked.json:
        summary = told | {"bundle": str(bundle), "manifest_sha256": manifest_sha256}
        sys.stdout.write(json.dumps(summary) + "\n")
    return FAILED if front.failed else 0


def make(
    shop: Workshop, now: datetime, parts: Sequence[tuple[str, str, Make]] = PARTS
) -> Front:  # fmt: skip
    """Make every part, one after the other; where one breaks down the rest goes on."""
    began_s = time.monotonic()
    results: dict[str, tuple[str, Result]] = {}
    for name, title, part in parts:
        shop.tell(f"{title} ...")
        part_began_s = time.monotonic()
        try:
            result = part(shop)
        except Exception as error:  # noqa: BLE001  whatever it is, the other parts are wanted
            result = Result(Outcome.FAILED, f"{type(error).__name__}: {error}")
        result = replace(result, took_s=time.monotonic() - part_began_s)
        results[name] = (title, result)
        shop.tell(f"{title}: {result.outcome.value}. {result.says} ({result.took_s:.0f} s)")
    after = commit_of(shop.top, beside=shop.bundle)
    if after != shop.commit:
        said = "the working tree changed while the bundle was made: its parts do not fit together"
        results["tree"] = ("Working tree", Result(Outcome.FAILED, said, command="git status"))
    return Front(shop.commit, now.isoformat(timespec="seconds"), shop.quick,
                 time.monotonic() - began_s, results, anomalies.load(),
                 anomalies.left_open(load()))  # fmt: skip


def write(front: Front, bundle: Path) -> dict[str, object]:
    """Write the front page and the same for machines; return the latter."""
    told: dict[str, object] = {
        "made_at": front.made_at,
        "commit": front.commit.id,
        "uncommitted": list(front.commit.changed),
        "quick": front.quick,
        "passed": not front.failed,
        "parts": {name: result.as_dict() for name, (_, result) in front.results.items()},
    }
    (bundle / "evidence.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    (bundle / "index.html").write_text(page(front, bundle), encoding="utf-8")
    return told


def _verify(bundle: Path, signers: Path | None) -> int:
    changes = verify(bundle)
    for what, names in changes._asdict().items():
        for name in names:
            sys.stdout.write(f"{what}: {name}\n")
    if signers is not None:
        sys.stdout.write(f"signed by {signer_of(bundle, signers)}\n")
    if any(changes):
        return FAILED
    sys.stdout.write(f"{bundle} is as its manifest says.\n")
    return 0


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    boundary.run("tools.evidence", main)
