"""``python -m simulator.qa.matrix [--full] [--json]``: every fault in every state."""

import sys

from simulator.qa.matrix.campaign import main

if __name__ == "__main__":
    sys.exit(main())
