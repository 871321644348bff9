"""``python -m simulator.qa.explore [--small | --full] [--json]``: every state, every property."""

import sys

from simulator.qa.explore.exploration import main, watch_signals
from simulator.qa.explore.memory import OpaqueError

if __name__ == "__main__":
    watch_signals()
    try:
        sys.exit(main())
    except OpaqueError as error:
        sys.exit(f"Nothing was explored: {error}.")
