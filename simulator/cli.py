"""The command ``corneum-sim``: its own commands are in `simulator.app`, others in `plugins`."""

# Imported late, so that Ctrl-C is taken care of before anything else.
# ruff: noqa: PLC0415


def main() -> None:
    """Run the command and leave with its exit code."""
    from simulator import interrupts

    interrupts.end_at_once()
    from simulator import boundary

    boundary.run(_any)


def _any() -> int:
    import sys

    from simulator import boundary, output, plugins
    from simulator.app import app

    output.prepare()
    plugins.add_to(app, sys.argv[1] if sys.argv[1:] else "")
    return boundary.typed(app)


if __name__ == "__main__":
    main()
