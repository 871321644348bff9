"""The command ``corneum-sim``; what it can do is put together in `qa.app`."""

# Imported late, so that Ctrl-C is taken care of before anything else.
# ruff: noqa: PLC0415


def main() -> None:
    """Run the command and leave with its exit code."""
    from controller.api import interrupts

    interrupts.end_at_once()
    from controller.cli import boundary

    boundary.run("corneum-sim", _any)


def _any() -> int:
    from controller.cli import boundary, output
    from qa.app import app

    output.prepare(wanted=False)
    return boundary.typed(app, "corneum-sim")


if __name__ == "__main__":
    main()
