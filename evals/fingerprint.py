"""What does this process make of all development cases? One fingerprint, which no hash seed may change."""

import sys
from pathlib import Path

from evals.cases import development
from evals.harness import digest
from evals.running import Ground

if __name__ == "__main__":
    ground = Ground.from_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.stdout.write(digest([ground.read(case)[0] for case in development()]) + "\n")
