"""``python -m tests.proof.explore [--small | --full] [--json]``: every state, every property."""

from controller.api import interrupts


def _run() -> int:
    # Once Ctrl-C is taken care of.
    from controller.cli.outcome import Failure  # noqa: PLC0415
    from tests.proof.explore.exploration import main, watch_signals  # noqa: PLC0415
    from tests.proof.explore.memory import OpaqueError  # noqa: PLC0415

    watch_signals()
    try:
        return main()
    except OpaqueError as error:
        raise Failure(f"Nothing was explored: {error}.") from error


if __name__ == "__main__":
    interrupts.end_at_once()
    from controller.cli import boundary

    boundary.run("tests.proof.explore", _run)
