"""`python -m controller.kernel`: one kernel for one port."""

import sys

from controller.api import interrupts

if __name__ == "__main__":
    interrupts.end_at_once()
    from controller.kernel.process import main

    sys.exit(main())
