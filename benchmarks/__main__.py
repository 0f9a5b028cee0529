"""Runs the measurements named on the command line, or all of them: ``python -m benchmarks segments planner``."""

import importlib
import sys
from pathlib import Path

NOT_MEASUREMENTS = {"__init__", "__main__", "table", "chaos"}

known = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in NOT_MEASUREMENTS)
wanted = sys.argv[1:] or known
if unknown := set(wanted) - set(known):
    sys.exit(f"no measurement named {', '.join(sorted(unknown))}; there are {', '.join(known)}")
for name in wanted:
    importlib.import_module(f"benchmarks.{name}").run()
