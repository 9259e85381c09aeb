"""`python -m minicnn` is the command line."""

import sys

from minicnn.cli import main

if __name__ == "__main__":
    sys.exit(main())
