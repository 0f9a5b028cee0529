"""Does a token let in whom it was made for, until it is revoked, and is it kept nowhere?"""

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from db.audit import AuditEntry
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from services import tokens
from tests.planted import NOW


def test_a_token_is_known_by_its_hash_until_it_is_revoked(session: Session) -> None:
    token = tokens.create(session, "shop backend", secret="something random", by="mia")
    assert token == "parley_something random"
    stored = session.execute(text("select t::text from api_tokens t")).scalar_one()
    assert "something" not in stored
    caller = tokens.caller(session, token, now=NOW)
    assert caller is not None
    caller.require("anything")
    session.expire_all()
    (listed,) = tokens.listed(session)
    assert (listed.name, listed.last_used_on, listed.revoked_at) == ("shop backend", NOW.date(), None)
    tokens.revoke(session, "shop backend", by="tom", now=NOW)
    assert tokens.caller(session, token, now=NOW) is None
    assert tokens.caller(session, "parley_other", now=NOW) is None
    acts = session.scalars(select(AuditEntry).where(AuditEntry.action.like("token.%")).order_by(AuditEntry.id)).all()
    assert [(act.action, act.actor) for act in acts] == [("token.created", "mia"), ("token.revoked", "tom")]


def test_a_token_may_be_for_some_datasets_alone(session: Session) -> None:
    token = tokens.create(session, "analyst", secret="x", datasets=["duckmart"], by="mia")
    caller = tokens.caller(session, token, now=NOW)
    assert caller is not None
    caller.require("duckmart")
    with pytest.raises(Forbidden):
        caller.require("store")


def test_names_are_given_once_and_datasets_must_exist(session: Session) -> None:
    tokens.create(session, "analyst", secret="x", by="mia")
    with pytest.raises(Conflict):
        tokens.create(session, "analyst", secret="y", by="mia")
    with pytest.raises(Invalid):
        tokens.create(session, " ", secret="y", by="mia")
    with pytest.raises(NotFound):
        tokens.create(session, "other", secret="y", datasets=["duckmat"], by="mia")
    with pytest.raises(NotFound):
        tokens.revoke(session, "nobody", by="mia", now=NOW)
