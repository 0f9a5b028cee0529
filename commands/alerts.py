"""Who at companies that are about to buy has a real address, and who is told about them?

The functions behind ``parley intent validate`` and ``parley intent alert``; both answer whether all went well.
"""

import contextlib
import json as jsons
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import typer
from pydantic import SecretStr

import logs
from channels.alerts import Nobody, Target
from channels.registry import alert_target
from commands import verifier
from db import addresses
from db.session import transaction
from domain.alerts import REASONS, Day
from domain.errors import Invalid
from domain.intent import Boundary
from services import alerts, prospects, verdicts
from services.alert_claims import Sending
from services.alerts import FAILED, LEFT_OUT, UNKNOWN, Decision
from services.verdicts import Validation
from settings import Settings, settings


def validate(work: Path, as_of: date, boundary: Boundary, wait: float, *, json: bool) -> bool:
    """Ask about the addresses of companies with high intent and print what is known now."""
    configured = settings()
    logs.configure(configured.log_level, sys.stderr)
    with verifier.opened(configured) as service:
        found = verdicts.validate(
            work,
            as_of=as_of,
            boundary=boundary,
            verifier=service,
            now=datetime.now(UTC),
            keep=timedelta(days=configured.verifier_keep_days),
            patience=timedelta(seconds=wait),
        )
    said = found.as_dict()
    if json:
        typer.echo(jsons.dumps({"as_of": str(as_of), "boundary": str(boundary)} | said, indent=2))
    else:
        _print_validation(found, said)
    return found.complete


def _print_validation(found: Validation, said: dict[str, Any]) -> None:
    typer.echo(f"{found.addresses:,} addresses, {found.asked:,} asked about, {said['from_cache']:,} known already")
    for status, count in said["by_status"].items():
        typer.echo(f"{count:>8,}  {status}")
    for code, count in said["unanswered"].items():
        detail = next((why.detail for _, why in found.unanswered if why.code == code), "")
        typer.echo(f"{count:>8,}  not answered: {code}" + (f" ({detail})" if detail else ""))
    if not found.complete:
        typer.echo("What is known is kept; run it again for the rest.")


def alert(work: Path, as_of: date, boundary: Boundary, endpoint: str | None, *, dry_run: bool, json: bool) -> bool:
    """Decide about every contact, alert those who are to be, and print what became of each."""
    configured = _told(settings(), endpoint)
    logs.configure(configured.log_level, sys.stderr)
    day = Day(as_of, boundary, datetime.now(UTC), timedelta(days=configured.verifier_keep_days))
    with contextlib.closing(_target(configured, dry_run=dry_run)) as target:
        found, sending = prospects.read(work, day), Sending.configured(target, configured)
        with addresses.opened():
            decisions = alerts.run(transaction, found, day, sending, dry_run=dry_run)
    counts = alerts.counts(decisions)
    if json:
        said = {"as_of": str(as_of), "boundary": str(boundary), "dry_run": dry_run, "target": target.name}
        typer.echo(jsons.dumps(said | {"counts": counts, "decisions": [one.as_dict() for one in decisions]}, indent=2))
    else:
        _print_decisions(decisions)
    return not {FAILED, UNKNOWN} & counts.keys()


def _told(configured: Settings, endpoint: str | None) -> Settings:
    """The settings, with an endpoint that was given in their place."""
    if endpoint is None:
        return configured
    return configured.model_copy(update={"alert_target": "http", "alert_url": SecretStr(endpoint)})


def _target(configured: Settings, *, dry_run: bool) -> Target:
    """Who is told; a dry run needs nobody."""
    try:
        return alert_target(configured)
    except Invalid:
        if dry_run:
            return Nobody()
        raise


def _print_decisions(decisions: list[Decision]) -> None:
    """One line for each contact that was alerted or failed, then how many were left out and why."""
    for one in decisions:
        if one.outcome != LEFT_OUT:
            why = f" ({one.reason})" if one.reason else ""
            typer.echo(f"{one.outcome:<16}{one.prospect.company:<32}{one.prospect.contact.email}{why}")
    left_out = Counter(one.reason for one in decisions if one.outcome == LEFT_OUT)
    for reason, count in left_out.most_common():
        code = reason.partition(":")[0]
        typer.echo(f"{count:>8,}  left out: {reason:<24}{REASONS[code]}")
    outcomes = alerts.counts(decisions)
    typer.echo(", ".join(f"{count:,} {outcome.replace('_', ' ')}" for outcome, count in outcomes.items()))
