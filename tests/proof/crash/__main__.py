"""``python -m tests.proof.crash [--seed S] [--sample N] [--resume FILE] [--json]``."""

from controller.api import interrupts


def _run() -> int:
    from tests.proof.crash.command import main  # noqa: PLC0415 - once Ctrl-C is taken care of

    return main()


if __name__ == "__main__":
    interrupts.end_at_once()
    from controller.cli import boundary

    boundary.run("tests.proof.crash", _run)
