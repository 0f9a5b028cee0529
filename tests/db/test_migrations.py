"""Does one history lead from an empty database to exactly the tables the code declares?"""

import importlib
import pkgutil

from alembic import command

import db
from db import migrations, tables
from db.base import Row
from db.session import engine


def test_the_migrated_database_equals_the_declared_tables(database: str) -> None:
    with engine(database).connect() as connection:
        command.check(migrations.configuration(connection))


def test_migrating_twice_changes_nothing(database: str) -> None:
    migrations.upgrade(database)
    assert migrations.revision(database) == migrations.NEWEST


def test_every_module_with_tables_is_listed() -> None:
    found = set()
    for module in pkgutil.iter_modules(db.__path__):
        for value in vars(importlib.import_module(f"db.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Row) and value is not Row:
                found.add(value.__module__.removeprefix("db."))
    assert found == set(tables.MODULES)
