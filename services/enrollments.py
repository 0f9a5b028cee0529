"""How do people go through flows: in, from step to step, and out?"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.orm import Session

from db import enrollments as rows
from db import flows as flow_rows
from db import recipients, store
from db.enrollments import Enrollment
from domain import enrollments as engine
from domain import flows
from domain.enrollments import Due, Effect, Left, Run
from domain.flows import FlowSpec, Send
from domain.messages import MARKETING, PlannedMessage, Policy
from services import messages

CHUNK = 10_000
FIRST_ENTRY = "1"


def enroll(
    session: Session, *, flow_id: int, version_id: int, spec: FlowSpec, customer_ids: Sequence[int], now: datetime
) -> int:
    """Let people into a flow version, each with the first step due by their own clock; answer how many came in.

    Nobody comes in twice. Who has no time zone, or one that does not exist, goes by the store's.
    """
    entered = 0
    for first in range(0, len(customer_ids), CHUNK):
        chunk = customer_ids[first : first + CHUNK]
        zones = {stored: zone_of(session, stored) for stored in recipients.time_zones(session, chunk)}
        entered += rows.enroll(
            session,
            flow_id=flow_id,
            version_id=version_id,
            entry_key=FIRST_ENTRY,
            customer_ids=chunk,
            dues={stored: (zone, flows.first_due(spec.start, zone, now)) for stored, zone in zones.items()},
            now=now,
        )
    return entered


def advance(session: Session, now: datetime, limit: int = 1000) -> int:
    """Take the next step of up to ``limit`` people for whom it is due in active flows; answer how many were taken.

    People others work on are passed over. Whoever ordered or unsubscribed since the last step leaves instead. A flow is
    done when nobody waits in it and all its messages have gone, so that it can be paused and ended until then.
    """
    due = rows.flows_with_due(session, now)
    taken = 0
    for place, flow_id in enumerate(due):
        share = max(1, (limit - taken) // (len(due) - place))
        runs = rows.claim_due(session, flow_id, now, share)
        _step(session, runs, now)
        taken += len(runs)
    for flow_id in rows.left_behind(session):
        end_all(session, flow_id, reason="canceled", now=now)
    for flow_id in rows.finished(session):
        flow_rows.move(session, flow_id, {flow_rows.ACTIVE}, flow_rows.DONE, now)
    return taken


def leave(session: Session, customer_id: int, *, reason: str, now: datetime, channel: str | None = None) -> int:
    """Take one person out of the marketing flows they are in; answer out of how many.

    With ``channel``, only out of those whose next message goes there. Runs that somebody works on at this moment are
    passed over: whoever holds them looks at consent before the next message. This never waits for a row.
    """
    runs = rows.claim_waiting(session, customer_id)
    specs = _specs(session, runs)
    gone = [
        run
        for run in runs
        if (spec := specs[run.flow_version_id]).message_class == MARKETING
        and (channel is None or _next_channel(spec, run.cursor) == channel)
    ]
    _write(session, [(run, *_decided(specs[run.flow_version_id], run, Left(reason), now)) for run in gone])
    return len(gone)


def end_all(session: Session, flow_id: int, *, reason: str, now: datetime) -> int:
    """Take everybody out of a flow; answer how many were in it.

    Whoever takes a step at this very moment is passed over; ``advance`` takes them out of a flow that has ended.
    """
    ended = 0
    while runs := rows.claim_of_flow(session, flow_id, CHUNK):
        specs = _specs(session, runs)
        _write(session, [(run, *_decided(specs[run.flow_version_id], run, Left(reason), now)) for run in runs])
        ended += len(runs)
    return ended


def zone_of(session: Session, stored: str) -> str:
    """The time zone that counts for people with this one stored: the store's where there is none or no such zone."""
    try:
        ZoneInfo(stored)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        found = store.current(session)
        return found.time_zone if found else "UTC"
    return stored


def _step(session: Session, runs: Sequence[Enrollment], now: datetime) -> None:
    if not runs:
        return
    specs = _specs(session, runs)
    left = _reasons_to_leave(session, runs, specs, now)
    decided = []
    for run in runs:
        spec = specs[run.flow_version_id]
        event = Left(left[run.id]) if run.id in left else Due()
        decided.append((run, *_decided(spec, run, event, now)))
    _write(session, decided)
    planned = _planned(session, decided, specs)
    if planned:
        messages.plan(session, planned)


def _reasons_to_leave(
    session: Session, runs: Sequence[Enrollment], specs: Mapping[int, FlowSpec], now: datetime
) -> dict[int, str]:
    buyers = [run for run in runs if "order" in specs[run.flow_version_id].exit_on]
    asked = [
        (run.id, run.customer_id, channel)
        for run in runs
        if specs[run.flow_version_id].message_class == MARKETING
        and (channel := _next_channel(specs[run.flow_version_id], run.cursor))
    ]
    left = rows.who_left(session, asked) if asked else {}
    ordered = rows.who_ordered(session, buyers, now) if buyers else set()
    return left | dict.fromkeys(ordered, "ordered")


def _decided(spec: FlowSpec, run: Enrollment, event: Due | Left, now: datetime) -> tuple[Run, list[Effect]]:
    state = Run(run.entered_at, run.time_zone, run.due_at, run.cursor, run.seq)
    return engine.decide(spec, state, event, now, engine.sticky(run.flow_id, run.customer_id))


def _write(session: Session, decided: Sequence[tuple[Enrollment, Run, list[Effect]]]) -> None:
    """Store where people stand now, with the log of what was decided."""
    states, effects = [], []
    for run, state, done in decided:
        ended_at = None if state.status == engine.WAITING else done[-1].at
        due_local = rows.wall_clock(state.due_at, state.zone)
        standing = (state.status, state.cursor, state.seq, state.due_at, due_local, ended_at, state.reason)
        states.append((run.customer_id, run.id, *standing))
        for effect in done:
            until_at = effect.at if effect.kind == "wait" else None
            what = (effect.seq, effect.step, effect.kind, effect.variant, until_at, effect.reason)
            effects.append((run.customer_id, run.id, *what, effect.begun_at))
    if states:
        rows.put_forward(session, states, effects)


def _planned(
    session: Session, decided: Iterable[tuple[Enrollment, Run, list[Effect]]], specs: Mapping[int, FlowSpec]
) -> list[PlannedMessage]:
    policies: dict[int, Policy] = {version_id: spec.guardrails.policy() for version_id, spec in specs.items()}
    traces = flow_rows.traces(session, specs)
    planned = []
    for run, _, effects in decided:
        spec = specs[run.flow_version_id]
        for effect in effects:
            step = spec.steps[effect.step] if effect.kind == "send" else None
            if isinstance(step, Send) and effect.expires_at is not None:
                planned.append(
                    PlannedMessage(
                        decision_key=engine.decision_key(run.id, effect.seq),
                        customer_id=run.customer_id,
                        channel=step.channel,
                        due_at=effect.at,
                        expires_at=effect.expires_at,
                        trace_id=traces[run.flow_version_id],
                        message_class=spec.message_class,
                        flow_version_id=run.flow_version_id,
                        step=effect.step,
                        variant=effect.variant,
                        enrollment_id=run.id,
                        topic=spec.topic,
                        policy=policies[run.flow_version_id],
                    )
                )
    return planned


def _specs(session: Session, runs: Iterable[Enrollment]) -> dict[int, FlowSpec]:
    found = flow_rows.specs(session, {run.flow_version_id for run in runs})
    return {version_id: flows.parse(spec) for version_id, spec in found.items()}


def _next_channel(spec: FlowSpec, cursor: int) -> str | None:
    return next((step.channel for step in spec.steps[cursor:] if isinstance(step, Send)), None)
