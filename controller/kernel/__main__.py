"""`python -m controller.kernel`: one kernel for one port."""

import sys

from controller.kernel.process import main

if __name__ == "__main__":
    sys.exit(main())
