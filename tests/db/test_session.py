"""Does a borrowed connection come back clean, and is only what ended well kept?"""

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import InternalError
from sqlalchemy.orm import Session

from db.session import reading, transaction
from domain.errors import Invalid, Unavailable


def test_a_block_that_raises_leaves_nothing_behind(database: str) -> None:
    def fail(session: Session) -> None:
        session.execute(text("create table left_over (id int)"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), transaction(database) as session:
        fail(session)
    with reading(database) as session:
        assert session.scalar(text("select to_regclass('left_over')")) is None


def test_an_advisory_lock_does_not_survive_its_borrower(database: str) -> None:
    with transaction(database) as session:
        session.execute(select(func.pg_advisory_lock(7)))
    with reading(database) as session:
        assert session.scalar(text("select count(*) from pg_locks where locktype = 'advisory'")) == 0


def test_a_reader_cannot_write(database: str) -> None:
    with pytest.raises(InternalError, match="read-only"), reading(database) as session:
        session.execute(text("create table anything (id int)"))


@pytest.mark.parametrize("value", ["a\0b", 10**30], ids=["a NUL character", "a number too large"])
def test_what_no_column_can_hold_is_invalid(database: str, value: object) -> None:
    with pytest.raises(Invalid) as caught, transaction(database) as session:
        session.execute(
            text(
                "select 1 from customers where :value in (email, id::text)"
                if isinstance(value, str)
                else "select 1 from customers where id = cast(:value as bigint)"
            ),
            {"value": value},
        )
    assert caught.value.code == "value_impossible"


def test_a_database_that_is_down_is_unavailable() -> None:
    with pytest.raises(Unavailable) as caught, transaction("postgresql://nobody@127.0.0.1:1/none") as session:
        session.execute(text("select 1"))
    assert caught.value.code == "database_unavailable"


def test_a_statement_that_its_time_limit_ends_is_unavailable(database: str) -> None:
    limited = text("select set_config('statement_timeout', '20ms', true), pg_sleep(0)")
    with pytest.raises(Unavailable) as caught, reading(database) as session:
        session.execute(limited).all() and session.execute(text("select pg_sleep(60)"))
    assert caught.value.code == "too_slow"


def test_without_an_address_the_message_says_how_to_get_one() -> None:
    with pytest.raises(Invalid, match="No database address"), transaction():
        pass
