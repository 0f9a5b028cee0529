"""Which topics can people choose, and how does one note what somebody said on the phone?"""

from typing import Annotated

import typer

from commands import new_app
from db import addresses, store
from db.consent import Proof
from db.session import reading, transaction
from services import customers, topics

app = new_app("Topics: what people can choose to be written to about.")

Email = Annotated[str, typer.Argument(help="The person's email address.")]
Topic = Annotated[str, typer.Argument(help="The topic's name.")]
PROOF = Proof("command line")


@app.command()
def add(topic: Topic, label: Annotated[str, typer.Option(help="What people call it.")] = "") -> None:
    """Offer a topic; segments and flows can name it from now on."""
    with addresses.opened(), transaction() as session:
        topics.add(session, topic, label)
    typer.echo(f"There is a topic {topic} now.")


@app.command("list")
def listed() -> None:
    """The topics there are."""
    with addresses.opened(), reading() as session:
        for name, label in topics.listed(session).items():
            typer.echo(f"{name:24}{label}")


@app.command()
def subscribe(email: Email, topic: Topic) -> None:
    """Somebody wants to be written to about a topic."""
    with addresses.opened(), transaction() as session:
        now = store.business_now(session)
        topics.subscribe(session, customers.named(session, email, now=now).id, topic, PROOF, now)
    typer.echo(f"{email} is subscribed to {topic}.")


@app.command()
def unsubscribe(email: Email, topic: Topic) -> None:
    """Somebody wants no more of a topic; other messages still reach them."""
    with addresses.opened(), transaction() as session:
        now = store.business_now(session)
        topics.unsubscribe(session, customers.named(session, email, now=now).id, topic, PROOF, now)
    typer.echo(f"{email} gets nothing more about {topic}.")
