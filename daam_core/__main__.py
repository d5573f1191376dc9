"""``python -m daam_core``."""

import sys

from daam_core.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
