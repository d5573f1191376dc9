"""``python -m daam_core``."""

import sys

from daam_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
