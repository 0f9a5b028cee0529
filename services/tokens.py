"""Which programs may call the API? Each has a token of its own, which can be revoked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from db import audit
from db import tokens as rows
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from services import catalog
from services.users import hash_of

PREFIX = "parley_"
"""What every token begins with, so that a leaked one is recognised for what it is."""


@dataclass(frozen=True)
class Token:
    """What may be told of a token; the token itself is shown once, when it is made."""

    name: str
    datasets: tuple[str, ...]
    created_by: str
    created_at: datetime
    last_used_on: date | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class Caller:
    """Who calls the API. Without ``datasets`` all of them may be asked."""

    name: str
    datasets: tuple[str, ...] = ()

    def require(self, dataset: str) -> None:
        """Raise Forbidden (``dataset_not_allowed``) unless this dataset may be asked."""
        if self.datasets and dataset not in self.datasets:
            message = f"This token may not ask the dataset {dataset}."
            fix = f"It may ask {', '.join(self.datasets)}; another is made with `parley token create`."
            raise Forbidden("dataset_not_allowed", message, fix, "dataset")


def create(session: Session, name: str, *, secret: str, datasets: Sequence[str] = (), by: str) -> str:
    """Make a token out of a random ``secret`` and return it; only its hash is kept.

    Raises Invalid for an empty name, Conflict (``token_name_taken``), NotFound (``unknown_dataset``).
    """
    name = name.strip()
    if not name:
        raise Invalid("token_name_missing", "A token needs a name.", "Name it after who uses it.", "name")
    if rows.named(session, name):
        message = f"There is, or was, a token named {name}."
        raise Conflict("token_name_taken", message, "Choose another name; each is given once.", "name")
    for dataset in datasets:
        catalog.file(dataset)
    token = PREFIX + secret
    row = rows.ApiToken(name=name, token_hash=hash_of(token), datasets=list(datasets) or None, created_by=by)
    session.add(row)
    session.flush()
    detail = {"name": name, "datasets": list(datasets)}
    audit.record(session, actor=by, action="token.created", subject=f"token:{row.id}", detail=detail)
    return token


def revoke(session: Session, name: str, *, by: str, now: datetime) -> None:
    """End a token at once. Raises NotFound (``unknown_token``)."""
    ended = rows.revoke(session, name, now)
    if ended is None:
        fix = "`parley token list` shows them."
        raise NotFound("unknown_token", f"There is no token named {name} that still works.", fix, "name")
    audit.record(session, actor=by, action="token.revoked", subject=f"token:{ended}", detail={"name": name})


def listed(session: Session) -> list[Token]:
    """All tokens, oldest first."""
    return [
        Token(row.name, tuple(row.datasets or ()), row.created_by, row.created_at, row.last_used_on, row.revoked_at)
        for row in rows.listed(session)
    ]


def caller(session: Session, token: str, *, now: datetime) -> Caller | None:
    """Whom a token stands for; nobody where it is unknown or revoked."""
    row = rows.holder(session, hash_of(token))
    if row is None:
        return None
    rows.note_use(session, row.id, now.date())
    return Caller(f"token:{row.name}", tuple(row.datasets or ()))
