"""``python -m simulator.qa.explore [--small | --full] [--json]``: every state, every property."""

import sys

from simulator.qa.explore.exploration import main, watch_signals

if __name__ == "__main__":
    watch_signals()
    sys.exit(main())
