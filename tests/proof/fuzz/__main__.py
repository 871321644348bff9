"""``python -m tests.proof.fuzz --n 10000000 --seed 1 [--json]``: a campaign with its figures."""

from controller.api import interrupts


def _run() -> int:
    from tests.proof.fuzz.command import main  # noqa: PLC0415 - once Ctrl-C is taken care of

    return main()


if __name__ == "__main__":
    interrupts.end_at_once()
    from controller.cli import boundary

    boundary.run("tests.proof.fuzz", _run)
