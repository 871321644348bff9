"""The `corneum` command: `stop` goes before everything else, also before what the others load."""

import sys


def main() -> None:
    """Run the command and leave with its exit code."""
    if sys.argv[1:2] == ["stop"]:
        from controller.cli import stop  # noqa: PLC0415

        code = stop.run(sys.argv[2:])
        if code is not None:
            sys.exit(code)
    from controller.cli import app  # noqa: PLC0415

    app.main()


if __name__ == "__main__":
    main()
