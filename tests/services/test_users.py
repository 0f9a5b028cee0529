"""Who gets in, for how long, and what keeps others out?"""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.sign_ins import SignIn
from db.users import User
from domain.errors import Conflict, Forbidden, Invalid
from services import users

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PASSWORD = "four words in a row"


@pytest.fixture
def ana(session: Session) -> users.Person:
    return users.add(session, " Ana@Example.com ", PASSWORD, "marketer", actor="test")


def test_the_first_account_is_made_once_and_its_password_told_once(session: Session) -> None:
    password = users.ensure_admin(session)
    assert password is not None
    assert users.ensure_admin(session) is None
    assert users.sign_in(session, "admin", password, token="t", now=NOW).role == "admin"


def test_a_sign_in_holds_for_its_time_and_not_longer(session: Session, ana: users.Person) -> None:
    users.sign_in(session, "ana@example.com", PASSWORD, token="t", now=NOW)
    last = NOW + users.SIGN_IN_LASTS
    assert users.signed_in(session, "t", now=last - timedelta(seconds=1)) == ana
    assert users.signed_in(session, "t", now=last) is None
    assert users.signed_in(session, "another", now=NOW) is None


def test_a_name_is_found_whatever_its_case(session: Session, ana: users.Person) -> None:
    assert users.sign_in(session, "ANA@example.COM", PASSWORD, token="t", now=NOW) == ana


@pytest.mark.parametrize(
    ("name", "password"), [("ana@example.com", "a wrong password"), ("nobody", PASSWORD), ("", "")]
)
def test_a_wrong_name_and_a_wrong_password_are_refused_in_the_same_words(
    session: Session, ana: users.Person, name: str, password: str
) -> None:
    with pytest.raises(Forbidden) as refused:
        users.sign_in(session, name, password, token="t", now=NOW)
    assert refused.value.message == "Name and password do not match an account."
    assert users.signed_in(session, "t", now=NOW) is None


def test_signing_out_ends_the_sign_in_at_once(session: Session, ana: users.Person) -> None:
    users.sign_in(session, ana.username, PASSWORD, token="t", now=NOW)
    users.sign_out(session, "t", now=NOW)
    assert users.signed_in(session, "t", now=NOW) is None


def test_a_new_password_ends_every_sign_in(session: Session, ana: users.Person) -> None:
    users.sign_in(session, ana.username, PASSWORD, token="t", now=NOW)
    users.set_password(session, ana.username, "another four words", now=NOW, actor="test")
    assert users.signed_in(session, "t", now=NOW) is None
    with pytest.raises(Forbidden):
        users.sign_in(session, ana.username, PASSWORD, token="u", now=NOW)


def test_a_disabled_account_is_out_at_once_and_cannot_come_back(session: Session, ana: users.Person) -> None:
    users.sign_in(session, ana.username, PASSWORD, token="t", now=NOW)
    session.execute(update(User).where(User.id == ana.id).values(disabled_at=NOW))
    assert users.signed_in(session, "t", now=NOW) is None
    with pytest.raises(Forbidden):
        users.sign_in(session, ana.username, PASSWORD, token="u", now=NOW)


def test_a_short_password_and_a_taken_name_are_refused(session: Session, ana: users.Person) -> None:
    with pytest.raises(Invalid, match="needs 12"):
        users.add(session, "ben", "short", "viewer", actor="test")
    with pytest.raises(Conflict):
        users.add(session, "ana@EXAMPLE.com", PASSWORD, "viewer", actor="test")


def test_the_token_itself_is_stored_nowhere(session: Session, ana: users.Person) -> None:
    users.sign_in(session, ana.username, PASSWORD, token="secret-token", now=NOW)
    stored = session.scalars(select(SignIn)).one()
    assert "secret-token" not in {str(value) for value in vars(stored).values()}
