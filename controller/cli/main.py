"""The `corneum` command: `stop` goes before everything else, also before what the others load."""

# Imported late, so that Ctrl-C is taken care of before anything else.
# ruff: noqa: PLC0415

import sys

from controller.api import interrupts

LED = "A treatment that this screen led pauses within 2 s; `corneum stop` ends it."
"""What a person should know where the command that shows a treatment meets a fault of our own."""


def main() -> None:
    """Run the command and leave with its exit code."""
    interrupts.end_at_once()
    from controller.cli import boundary, outcome

    verb = sys.argv[1] if sys.argv[1:] else ""
    beside = {"stop": outcome.BY_HAND, "treat": LED, "watch": LED}.get(verb, "")
    boundary.run("corneum", _stop_first if verb == "stop" else _any, beside)


def _stop_first() -> int:
    import signal

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # for some seconds: nothing undoes a stop
    try:
        from controller.cli import stop

        code = stop.run(sys.argv[2:])
        return _any() if code is None else code
    finally:
        signal.signal(signal.SIGINT, before)


def _any() -> int:
    from controller.cli import app

    return app.main()


if __name__ == "__main__":
    main()
