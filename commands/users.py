"""How does somebody who lost a password, or never had an account, get in?"""

from datetime import UTC, datetime
from typing import Annotated

import typer

from commands import new_app
from db import addresses
from db.session import transaction
from services import users

app = new_app("Accounts of the team.")

Password = Annotated[str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True)]


@app.command()
def add(username: str, password: Password, role: users.Role = "marketer") -> None:
    """Create an account."""
    with addresses.opened(), transaction() as session:
        users.add(session, username, password, role, actor="command line")
    typer.echo(f"{username} may sign in now.")


@app.command()
def password(username: str, password: Password) -> None:
    """Give an account a new password and end its sign-ins."""
    with addresses.opened(), transaction() as session:
        users.set_password(session, username, password, now=datetime.now(UTC), actor="command line")
    typer.echo(f"{username} has a new password.")
