"""``python -m qa.matrix [--full] [--json]``: every fault in every state."""

from controller.api import interrupts


def _run() -> int:
    from qa.matrix.campaign import main  # noqa: PLC0415 - once Ctrl-C is taken care of

    return main()


if __name__ == "__main__":
    interrupts.end_at_once()
    from controller.cli import boundary

    boundary.run("qa.matrix", _run)
