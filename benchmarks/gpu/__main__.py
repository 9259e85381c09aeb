"""`python -m benchmarks.gpu`: the command of measure.py."""

import sys

from .measure import main

sys.exit(main())
