"""What happens every day to the CRM that is configured? Its addresses are validated, and who is to be told is told.

The ledger makes it safe to run twice, late or at the same time as somebody at a terminal, so nothing here is locked.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from channels.registry import alert_target, verifier
from db.session import transaction
from domain.alerts import Day
from domain.errors import Invalid, ParleyError
from domain.intent import Boundary
from services import alerts, prospects, verdicts
from services.alert_claims import Sending
from settings import Settings, settings
from workers.app import ALERTS, app

LONGEST_SECONDS = 3_600
"""A run that takes longer is killed; the next one goes on where it was."""

FILE_PATIENCE = timedelta(minutes=5)

log = structlog.get_logger()


@app.task(name=ALERTS, time_limit=LONGEST_SECONDS)  # type: ignore[untyped-decorator]
def alert() -> None:
    """Validate and alert on the configured file, as of today in UTC, which the CRM's days are in."""
    configured, now = settings(), datetime.now(UTC)
    if configured.intent_work is None:
        return
    try:
        validate(configured.intent_work, configured, now)
        tell(configured.intent_work, configured, now)
    except ParleyError as error:  # the next day, or somebody at a terminal, tries again
        log.warning("alerts_interrupted", code=error.code, error=str(error))


def validate(work: Path, configured: Settings, now: datetime) -> None:
    """Ask about addresses; those left without an answer are not alerted."""
    address = configured.verifier_address
    if address is None:
        fix = "Set PARLEY_VERIFIER_URL, or run `parley up`, which brings one along."
        raise Invalid("no_verifier", "This process knows no e-mail verification service.", fix, "PARLEY_VERIFIER_URL")
    verdicts.validate(
        work,
        as_of=now.date(),
        boundary=Boundary.STRICT,
        verifier=verifier(address, configured),
        now=now,
        keep=timedelta(days=configured.verifier_keep_days),
        patience=FILE_PATIENCE,
    )


def tell(work: Path, configured: Settings, now: datetime) -> None:
    """Alert whoever is to be."""
    target = alert_target(configured)
    day = Day(now.date(), Boundary.STRICT, now, timedelta(days=configured.verifier_keep_days))
    try:
        found, sending = prospects.read(work, day), Sending.configured(target, configured)
        decisions = alerts.run(transaction, found, day, sending, dry_run=False)
    finally:
        target.close()
    log.info("alerts_ended", **alerts.counts(decisions))
