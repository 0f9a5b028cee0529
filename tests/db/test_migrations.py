"""Does one history lead from an empty database to exactly the tables the code declares?"""

import importlib
import pkgutil

from alembic import command
from sqlalchemy import text

import db
from db import migrations, tables
from db.base import Row
from db.session import engine
from tests.couriers import Recorder, send, store_with


def test_the_migrated_database_equals_the_declared_tables(database: str) -> None:
    with engine(database).connect() as connection:
        command.check(migrations.configuration(connection))


def test_migrating_twice_changes_nothing(database: str) -> None:
    migrations.upgrade(database)
    assert migrations.revision(database) == migrations.NEWEST


def test_what_was_told_of_messages_before_there_was_a_place_for_it_is_kept(database: str) -> None:
    cohort = store_with(database, 3)
    send(database, Recorder())
    opened, clicked, _ = (cohort.keys[one] for one in cohort.customers)
    with engine(database).connect() as connection:
        command.downgrade(migrations.configuration(connection), "0009")
        connection.execute(
            text("update messages set delivery = 'opened', delivery_rank = 70, delivered_at = now() where id = :id"),
            {"id": opened},
        )
        connection.execute(
            text("update messages set delivery = 'clicked', delivery_rank = 75 where id = :id"), {"id": clicked}
        )
        connection.execute(
            text("""insert into inbox (event_key, provider, message_id, status, raw, received_at)
                    values ('k', 'vendor', :id, 'clicked', '{}', '2026-01-05')"""),
            {"id": clicked},
        )
        connection.commit()
    migrations.upgrade(database)
    with engine(database).connect() as connection:
        known = "select id::text, opened_at, clicked_at, delivered_at from messages where opened_at is not null"
        found = {row.id: row for row in connection.execute(text(known))}
    assert found.keys() == {opened, clicked}
    assert (found[opened].opened_at, found[opened].clicked_at) == (found[opened].delivered_at, None)
    assert f"{found[clicked].clicked_at:%Y-%m-%d}" == "2026-01-05"


def test_every_module_with_tables_is_listed() -> None:
    found = set()
    for module in pkgutil.iter_modules(db.__path__):
        for value in vars(importlib.import_module(f"db.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Row) and value is not Row:
                found.add(value.__module__.removeprefix("db."))
    assert found == set(tables.MODULES)
