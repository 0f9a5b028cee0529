"""Which addresses at companies with high intent are real, as a verification service tells?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from channels.verifier import Verifier
from db import prospects, verdicts
from domain.intent import Boundary
from domain.verdicts import Unanswered, Verdict, to_ask
from services import datasets, intent

log = structlog.get_logger()


@dataclass(frozen=True)
class Validation:
    """What one validation did: addresses of high intent, those asked about, and those left without an answer."""

    addresses: int
    asked: int
    verdicts: Sequence[Verdict]
    unanswered: Sequence[tuple[str, Unanswered]]

    @property
    def complete(self) -> bool:
        """Whether every address that was asked about has an answer."""
        return not self.unanswered

    def as_dict(self) -> dict[str, Any]:
        """As JSON, with every verdict that holds now."""
        return {
            "addresses": self.addresses,
            "asked": self.asked,
            "from_cache": self.addresses - self.asked,
            "by_status": dict(sorted(Counter(str(one.status) for one in self.verdicts).items())),
            "unanswered": dict(sorted(Counter(why.code for _, why in self.unanswered).items())),
            "verdicts": [
                {
                    "email": one.email,
                    "status": one.status,
                    "reason": one.reason,
                    "checked_at": one.checked_at.isoformat(),
                    "provider": one.provider,
                }
                for one in self.verdicts
            ],
        }


def validate(
    path: Path,
    *,
    as_of: date,
    boundary: Boundary,
    verifier: Verifier,
    now: datetime,
    keep: timedelta,
    patience: timedelta,
) -> Validation:
    """Ask about the addresses of companies with high intent on ``as_of``, and write the verdicts into the file.

    A verdict of the same service younger than ``keep`` at ``now`` is not asked for again. The file is not open while
    the service is asked; it is waited for, for as long as ``patience``, when the verdicts are written. What was
    answered is written even if other answers are missing. Raises as ``services.datasets.open_file``, Unavailable
    (``file_busy``).
    """
    with datasets.open_file(intent.DATASET, path) as dataset:
        high = intent.high(dataset, as_of=as_of, boundary=boundary)
        emails = [one.email for one in prospects.contacts(dataset.file) if one.company_id in high and one.email]
        known = prospects.verdicts(dataset.file)
        schema = prospects.schema(dataset.file, dataset.catalog.schemas)
    wanted = to_ask(emails, known, verifier.name, now, keep)
    log.info("validation_begins", addresses=len(set(emails)), asked=len(wanted), provider=verifier.name)
    answers = dict(zip(wanted, verifier.ask(wanted), strict=True))
    learned = [
        Verdict(email, answer.status, answer.reason, now, verifier.name)
        for email, answer in answers.items()
        if not isinstance(answer, Unanswered)
    ]
    if learned:
        verdicts.write(path, schema, learned, patience)
    holding = known | {one.email: one for one in learned}
    unanswered = [(email, answer) for email, answer in answers.items() if isinstance(answer, Unanswered)]
    found = Validation(
        addresses=len(set(emails)),
        asked=len(wanted),
        verdicts=[holding[email] for email in sorted(set(emails)) if email in holding],
        unanswered=unanswered,
    )
    log.info("validation_ended", learned=len(learned), unanswered=len(unanswered))
    return found
