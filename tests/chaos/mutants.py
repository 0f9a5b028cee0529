"""Would the rig notice? Each mutant is the worker with one safeguard taken out: ``celery -A mutants``.

``MUTANT`` in the environment names the safeguard. Only the rig's own processes ever load this.
"""

import os
from collections.abc import Sequence

from sqlalchemy.orm import Session

from channels.gateway import Gateway
from db import claims
from domain.messages import Letter
from workers.app import app

__all__ = ["app"]


def key_per_attempt() -> None:
    """The idempotency key names the attempt, so a repeated call is a new message."""
    right = Gateway._headers

    def wrong(gateway: Gateway, letter: Letter) -> dict[str, str]:
        return right(gateway, letter) | {"Idempotency-Key": f"{letter.id}:{letter.attempt}"}

    Gateway._headers = wrong  # type: ignore[method-assign, assignment]


def no_recipient_locks() -> None:
    """People are not locked while their messages are handed over, so a stop cannot wait for them."""

    def wrong(_session: Session, customer_ids: Sequence[int]) -> set[int]:
        return set(customer_ids)

    claims.lock_recipients = wrong  # type: ignore[assignment]


MUTANTS = {mutant.__name__: mutant for mutant in (key_per_attempt, no_recipient_locks)}

MUTANTS[os.environ["MUTANT"]]()
