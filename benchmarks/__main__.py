"""Runs the measurements named on the command line, or all of them: ``python -m benchmarks segments planner``.

``--customers``, ``--home`` and ``--only`` are for those that can be told a size, a folder to keep, or a part of a name.
"""

import argparse
import importlib
import inspect
from pathlib import Path

NOT_MEASUREMENTS = {"__init__", "__main__", "chaos", "memory", "segments_by_hand", "store", "table"}

known = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in NOT_MEASUREMENTS)
asked = argparse.ArgumentParser(description=__doc__)
asked.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
asked.add_argument("--customers", type=int, help="how many customers the store has")
asked.add_argument("--home", type=Path, help="the folder of a store that is kept and used again")
asked.add_argument("--only", help="only what has this in its name")
options = vars(asked.parse_args())
wanted = options.pop("names") or known
if unknown := set(wanted) - set(known):
    asked.error(f"no measurement named {', '.join(sorted(unknown))}; there are {', '.join(known)}")
for name in wanted:
    run = importlib.import_module(f"benchmarks.{name}").run
    takes = inspect.signature(run).parameters
    run(**{key: value for key, value in options.items() if value is not None and key in takes})
