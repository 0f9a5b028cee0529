"""How is a campaign drafted, approved and followed from a terminal? Through the same approvals as everywhere."""

import time
import uuid
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table
from sqlalchemy.orm import Session

from agent.answers import ask
from commands import new_app
from commands.instants import as_of as instant
from db import addresses, store
from db.session import reading, transaction
from domain.errors import Invalid, Unavailable
from domain.flows import FlowSpec, Now, parse
from domain.segments import parse as parse_segment
from domain.templates import readable
from services import approvals, content, flows, previews, results, users

POLL_SECONDS = 0.5

app = new_app("Flows and campaigns: draft, approve, follow.")

By = Annotated[str, typer.Option("--by", help="The account that does it.")]
Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


@app.command()
def draft(
    text: Annotated[str, typer.Argument(help="What you want to reach, in your own words.")],
    as_of: Annotated[str | None, typer.Option(help="Take people and data as of a past date or instant.")] = None,
    send_now: Annotated[bool, typer.Option(help="Start when approved, not at the proposed time.")] = False,  # noqa: FBT002 - a switch
    by: By = users.FIRST_USERNAME,
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """Draft a campaign for the people a sentence means, and put it up for approval."""
    with addresses.opened(), transaction() as session:
        then = instant(session, as_of)
        now = store.business_now(session)
        answer = ask(text, session=session, now=then)
        if answer.definition is None:
            raise Invalid("no_audience", answer.question or answer.text, "Say which customers you mean.", "text")
        definition = parse_segment(answer.definition)
        campaign = content.propose_flow(session, definition, text, now=now, as_of=then if as_of else None)
        if send_now:
            campaign = campaign.model_copy(update={"spec": campaign.spec.model_copy(update={"start": Now()})})
        made = approvals.propose(
            session, "flow", campaign.as_proposal(), by=users.named(session, by).username, now=now, trace_id=_trace()
        )
        if json:
            typer.echo(made.model_dump_json(indent=2))
            return
        _show(session, campaign.spec, made)


@app.command()
def approve(
    approval: Annotated[uuid.UUID, typer.Argument(help="The approval's id, as draft printed it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,  # noqa: FBT002 - a switch
    by: By = users.FIRST_USERNAME,
) -> None:
    """Show a proposed flow once more, ask, and start it."""
    with addresses.opened(), transaction() as session:
        found = approvals.get(session, approval)
        if found.kind != "flow":
            raise Invalid("not_a_flow", f"This proposal is about a {found.kind}.", "Decide it in the console.")
        _show(session, parse(found.proposal["spec"]), found)
        if not yes and not typer.confirm("Approve it as shown?"):
            raise typer.Exit(1)
        person, now = users.named(session, by), store.business_now(session)
        outcome = approvals.decide(session, approval, found.digest, "approve", by=person, now=now)
    if outcome.approval.status != "approved" or outcome.approval.result is None:
        typer.echo(outcome.message, err=True)
        raise typer.Exit(2)
    typer.echo(f"Flow {outcome.approval.result['flow_id']} is {outcome.approval.status} by {by}.")


@app.command("list")
def list_() -> None:
    """List the flows that are not archived, latest first."""
    with addresses.opened(), reading() as session:
        for flow in flows.listed(session):
            typer.echo(f"{flow.id:>6}  {flow.status:<9}  {flow.audience_size or 0:>9,}  {flow.name}")


@app.command("results")
def results_(
    flow_id: Annotated[int, typer.Argument(help="The flow's number.")],
    wait: Annotated[float, typer.Option(help="Wait up to so many seconds until nothing of it is under way.")] = 0,
    json: Json = False,  # noqa: FBT002 - a switch
) -> None:
    """Say what became of each message of a flow; the workers of `parley up` send them."""
    deadline = time.monotonic() + wait
    with addresses.opened():
        while True:
            with reading() as session:
                found = results.results(session, flow_id)
            if wait == 0 or not _under_way(found):
                break
            if time.monotonic() > deadline:
                raise Unavailable("still_under_way", f"Flow {flow_id} is not done.", "Is `parley up` running?")
            time.sleep(POLL_SECONDS)
    if json:
        typer.echo(found.model_dump_json(indent=2))
        return
    figures = ("planned", "waiting", "sent", "delivered", "failed", "unknown")
    table = Table("message", *(Column(name, no_wrap=True) for name in figures), "left out")
    for place, step in enumerate(found.steps, 1):
        counts = step.counts
        left_out = ", ".join(
            f"{number:,} {results.reason_in_words(reason)}" for reason, number in step.left_out.items()
        )
        numbers = (counts.planned, counts.waiting, counts.sent, counts.delivered, counts.failed, counts.unknown)
        table.add_row(
            f"{place} {readable(step.subject) or step.channel}", *(f"{number:,}" for number in numbers), left_out
        )
    Console().print(table)


def _under_way(found: results.Results) -> bool:
    """Whether the flow still starts, or a message has no outcome yet; done is a flow before its receipts are in."""
    counts = [step.counts for step in found.steps]
    unsettled = sum(one.waiting + one.sent - one.delivered - one.failed for one in counts)
    return found.status in {"active", "done"} and (not found.people or unsettled > 0)


def _show(session: Session, spec: FlowSpec, made: approvals.Approval) -> None:
    seen = previews.preview(session, spec, now=store.business_now(session), samples=1)
    typer.echo(f"{spec.name}: {made.proposal['audience']['size']:,} people, {made.proposal['read_back']}.")
    for message in seen.messages:
        for sample in message.samples[:1]:
            typer.echo(f"  {message.at:%Y-%m-%d %H:%M}  {message.channel}  {sample.subject}")
    for problem in seen.problems:
        typer.echo(f"  ! {problem.message}")
    for idea in made.proposal.get("ideas", ()):
        typer.echo(f"  - {idea}")
    typer.echo(f"Approve it with: parley flow approve {made.id}")


def _trace() -> str:
    return uuid.uuid4().hex
