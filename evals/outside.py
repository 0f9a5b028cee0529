"""How does the planner do on somebody else's cases, on the store at hand? One verdict per case, as JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from evals.cases import Case
from evals.measures import summary
from evals.running import ground


def judged(session: Session, cases: Sequence[Case], now: datetime) -> dict[str, Any]:
    """The figures and the verdict on every case, asked as of ``now``; the session is only read."""
    here = ground([session], now)
    verdicts = [here.verdict(case) for case in cases]
    return {
        "as_of": now.isoformat(),
        "figures": summary(verdicts),
        "cases": [verdict.as_json() for verdict in verdicts],
    }
