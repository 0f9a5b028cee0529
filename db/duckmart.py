"""How do DuckMart's CSV files become clean ones, and those a DuckDB file?

Cleaning is a table of rules in SQL, so that files of any size are cleaned beside the memory and not in it. Every line
that is left out and every value that is emptied is listed with its reason.
"""

import contextlib
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from db.duck import CONFIG, begin, quoted
from domain.countries import STATE_NAMES
from domain.duckmart import EVENT_COLUMNS, USER_COLUMNS
from domain.errors import Invalid, NotFound

USERS, EVENTS, SET_ASIDE = "users.csv", "events.csv", "set_aside.csv"

OTHER_NAMES = {
    "user_id": "id",
    "userid": "id",
    "full_name": "name",
    "sex": "gender",
    "state": "location",
    "region": "location",
    "signup": "signup_date",
    "signed_up": "signup_date",
    "sign_up_date": "signup_date",
    "plan": "subscription_plan",
    "subscription": "subscription_plan",
    "device": "device_type",
}
OTHER_EVENT_NAMES = {
    "user": "user_id",
    "userid": "user_id",
    "id": "user_id",
    "event": "event_name",
    "name": "event_name",
    "time": "timestamp",
    "at": "timestamp",
    "event_time": "timestamp",
    "occurred_at": "timestamp",
}
"""Column names that are understood as well, in small letters with underscores."""

GENDERS = {
    "female": "female",
    "f": "female",
    "w": "female",
    "woman": "female",
    "male": "male",
    "m": "male",
    "man": "male",
    "non-binary": "non-binary",
    "nonbinary": "non-binary",
    "nb": "non-binary",
    "x": "non-binary",
    "other": "other",
}
NOT_SAID = ("", "n/a", "na", "null", "none", "nan", "unknown", "-", "prefer not to say")

OLDEST = 120

DATES = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y")
SLASHED = ("%m/%d/%Y", "%d/%m/%Y")
"""Dates with slashes begin with the month, unless the file has some that cannot and none that must."""
TIMES = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", " %I:%M %p", " %I:%M:%S %p")


class Aside(NamedTuple):
    """So many lines left out or values emptied for one reason; ``example`` is one of the values."""

    file: str
    field: str
    reason: str
    lines: int
    values: int
    example: str


@dataclass(frozen=True)
class Cleaned:
    """What became of two raw files."""

    users_read: int
    users: int
    events_read: int
    events: int
    aside: tuple[Aside, ...]


def clean(users: Path, events: Path, into: Path, *, now: datetime) -> Cleaned:
    """Write clean ``users.csv`` and ``events.csv`` and the list ``set_aside.csv`` to a folder.

    Raises NotFound (``no_such_file``), Invalid (``not_csv``, ``columns_missing``).
    """
    into.mkdir(parents=True, exist_ok=True)
    with _workshop(into) as connection:
        connection.execute(_ASIDE)
        _read(connection, users, "raw_users", USER_COLUMNS, OTHER_NAMES)
        _read(connection, events, "raw_events", EVENT_COLUMNS, OTHER_EVENT_NAMES)
        _clean_users(connection, now)
        _clean_events(connection, now)
        _write(connection, "select * exclude (line) from users order by id", into / USERS)
        _write(connection, "select * exclude (line) from events order by line", into / EVENTS)
        _write(connection, "select * from aside order by file, line, field", into / SET_ASIDE)
        return Cleaned(
            users_read=_count(connection, "raw_users"),
            users=_count(connection, "users"),
            events_read=_count(connection, "raw_events"),
            events=_count(connection, "events"),
            aside=tuple(Aside(*row) for row in connection.execute(_TOLD).fetchall()),
        )


def load(users: Path, events: Path, path: Path) -> dict[str, int]:
    """Make a DuckDB file of clean files, replacing an older one at the end; returns the rows by table.

    Raises NotFound (``no_such_file``), Invalid where a value has the wrong type or a key does not hold.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        with duckdb.connect(made, config=CONFIG) as connection:
            begin(connection)
            for table, source, columns, order in (
                ("users", users, _USER_TYPES, "id"),
                ("events", events, _EVENT_TYPES, "event_name, timestamp"),
            ):
                _load(connection, table, source, columns, order)
            _check_keys(connection)
            connection.execute("alter table users add primary key (id)")
            for column in _EVENT_TYPES:
                connection.execute(f'alter table events alter column "{column}" set not null')
            written = {table: _count(connection, table) for table in ("users", "events")}
        made.replace(path)
    return written


_ASIDE = """
    create table aside (file varchar, line bigint, field varchar, value varchar, reason varchar, left_out boolean)
"""
_TOLD = """
    select file, field, reason, count(*) filter (left_out), count(*) filter (not left_out), arg_min(value, line)
    from aside group by all order by file, 4 desc, 5 desc, field, reason
"""
WHOLE_ID = "case when regexp_full_match({0}, '[0-9]{{1,18}}(\\.0+)?') then split_part({0}, '.', 1)::bigint end"
EVENT_NAME = "nullif(upper(regexp_replace(event_name, '[ -]+', '_', 'g')), '')"
EVENT_TIME = """
    case when regexp_full_match(timestamp, '[0-9]{10}') then to_timestamp(timestamp::bigint)
         when regexp_full_match(timestamp, '[0-9]{13}') then epoch_ms(timestamp::bigint)::timestamptz
         else coalesce(try_cast(timestamp as timestamptz), try_strptime(timestamp, $formats)::timestamptz) end
"""
FULL_STATE = "coalesce(list_element($states, list_position($codes, upper(location))), location)"


class Rule(NamedTuple):
    """How a value is read, and why it is emptied where it cannot be."""

    sql: str
    reason: str


USER_RULES = {
    "age": Rule(
        "case when regexp_full_match(age, '[0-9]{1,3}(\\.0+)?') and age::double <= $oldest"
        " then age::double::integer end",
        f"not an age from 0 to {OLDEST}",
    ),
    "gender": Rule("list_element($genders, list_position($written, lower(gender)))", "not a gender we know"),
    "signup_date": Rule(
        "case when try_strptime(signup_date, $formats)::date <= $today"
        " then try_strptime(signup_date, $formats)::date end",
        "not a date, or in the future",
    ),
}

_USER_TYPES = {
    "id": "BIGINT",
    "name": "VARCHAR",
    "age": "INTEGER",
    "gender": "VARCHAR",
    "location": "VARCHAR",
    "signup_date": "DATE",
    "subscription_plan": "VARCHAR",
    "device_type": "VARCHAR",
}
_EVENT_TYPES = {"user_id": "BIGINT", "event_name": "VARCHAR", "timestamp": "TIMESTAMPTZ"}


@contextlib.contextmanager
def _workshop(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with (
        tempfile.TemporaryDirectory(dir=folder) as inside,
        duckdb.connect(Path(inside) / "work.duckdb", config=CONFIG) as connection,
    ):
        begin(connection)
        yield connection


def _read(
    connection: duckdb.DuckDBPyConnection, path: Path, table: str, columns: tuple[str, ...], other: Mapping[str, str]
) -> None:
    """The raw lines as texts under our column names, without needless spaces; unreadable ones are set aside."""
    form = "header = true, all_varchar = true, null_padding = true, store_rejects = true"
    source = f"read_csv($1, {form}, rejects_table = '{table}_errors', rejects_scan = '{table}_scans')"
    try:
        found = [row[0] for row in connection.execute(f"describe from {source}", [_there(path)]).fetchall()]
        by_name = {re.sub(r"\W+", "_", name.strip().lower()): name for name in reversed(found)}
        by_name |= {ours: by_name[name] for name, ours in other.items() if name in by_name and ours not in by_name}
        if missing := [name for name in columns if name not in by_name]:
            message = f"{path.name} has no column {', '.join(missing)}; it has {', '.join(found)}"
            raise Invalid("columns_missing", message, f"name the columns {', '.join(columns)}", "file")
        chosen = ", ".join(f"{_trimmed(by_name[name])} as {quoted(name)}" for name in columns)
        chosen = f"row_number() over () + 1 as line, {chosen}"
        connection.execute(f"create table {table} as select {chosen} from {source}", [str(path)])
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        fix = "save it as CSV in UTF-8"
        raise Invalid("not_csv", f"{path.name} cannot be read as CSV: {reason}", fix, "file") from None
    connection.execute(
        f"insert into aside select $1, line, '', csv_line, 'not a line of the table', true from {table}_errors",
        [path.name],
    )


def _clean_users(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    values = {
        "not_said": list(NOT_SAID),
        "oldest": OLDEST,
        "written": list(GENDERS),
        "genders": list(GENDERS.values()),
        "codes": list(STATE_NAMES),
        "states": list(STATE_NAMES.values()),
        "formats": _formats(connection, "raw_users", "signup_date"),
        "today": now.date(),
    }
    spelled = {name: _spelling(connection, name, values) for name in ("location", "subscription_plan", "device_type")}
    typed = {
        "id": WHOLE_ID.format("id"),
        "name": "nullif(name, '')",
        **{name: rule.sql for name, rule in USER_RULES.items()},
    }
    columns = ", ".join(f"{typed.get(name) or spelled[name]} as {name}" for name in USER_COLUMNS)
    connection.execute(f"create table typed as select line, {columns} from raw_users", _used(columns, values))
    for field, rule in USER_RULES.items():
        connection.execute(
            f"""
            insert into aside select '{USERS}', line, '{field}', raw.{field}, $reason, false
            from raw_users as raw join typed using (line)
            where typed.{field} is null and typed.id is not null and not list_contains($not_said, lower(raw.{field}))
            """,
            {"reason": rule.reason, "not_said": values["not_said"]},
        )
    connection.execute(f"""
        insert into aside select '{USERS}', line, 'id', raw.id, 'no whole number', true
        from raw_users as raw join typed using (line) where typed.id is null;
        create table users as select * from typed where id is not null
        qualify row_number() over (partition by id order by line desc) = 1;
        insert into aside select '{USERS}', line, 'id', id::varchar, 'the id comes again further down', true
        from typed anti join users using (line) where id is not null
    """)


def _clean_events(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    values = {"formats": _formats(connection, "raw_events", "timestamp"), "now": now}
    connection.execute(
        f"""
        create table judged as
        with typed as (
            select line, {WHOLE_ID.format("user_id")} as user_id, {EVENT_NAME} as event_name, {EVENT_TIME} as timestamp
            from raw_events)
        select typed.*, case
            when user_id is null then 'user_id: no whole number'
            when users.id is null then 'user_id: no such user'
            when event_name is null then 'event_name: empty'
            when timestamp is null then 'timestamp: not a time'
            when timestamp > $now then 'timestamp: in the future'
            when row_number() over (partition by user_id, event_name, timestamp order by typed.line) > 1
                then 'user_id: the same event again' end as reason
        from typed left join users on users.id = user_id
        """,
        values,
    )
    connection.execute(f"""
        create table events as select line, user_id, event_name, timestamp from judged where reason is null;
        insert into aside select '{EVENTS}', line, split_part(judged.reason, ': ', 1) as field,
            case field when 'user_id' then raw.user_id when 'timestamp' then raw.timestamp else raw.event_name end,
            split_part(judged.reason, ': ', 2), true
        from judged join raw_events as raw using (line) where judged.reason is not null
    """)


def _formats(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> list[str]:
    """The forms of dates to try, in this order."""
    part = f"try_cast(split_part({quoted(column)}, '/', {{}}) as integer) > 12"
    found = connection.execute(f"""
        select coalesce(bool_or({part.format(1)}), false) and not coalesce(bool_or({part.format(2)}), false)
        from {table} where regexp_matches({quoted(column)}, '^\\d{{1,2}}/\\d{{1,2}}/\\d{{4}}')
    """).fetchall()
    slashed = SLASHED[::-1] if found[0][0] else SLASHED
    return [date + time for date in (*DATES, *slashed) for time in TIMES]


def _spelling(connection: duckdb.DuckDBPyConnection, column: str, values: Mapping[str, object]) -> str:
    """The most frequent way in which a value is written, whatever its case; places have their full name."""
    full = FULL_STATE if column == "location" else column
    connection.execute(
        f"""
        create table spelled_{column} as select folded, first(written order by lines desc, written) as spelled
        from (select lower({full}) as folded, {full} as written, count(*) as lines from raw_users group by all)
        where not list_contains($not_said, folded) group by folded
        """,
        _used(full + "$not_said", values),
    )
    return f"(select spelled from spelled_{column} where folded = lower({full}))"


def _load(connection: duckdb.DuckDBPyConnection, table: str, path: Path, types: Mapping[str, str], order: str) -> None:
    columns = ", ".join(quoted(name) for name in types)
    struct = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in types.items()) + "}"
    read = f"select {columns} from read_csv($1, header = true, types = {struct}) order by {order}"
    try:
        connection.execute(f"create table {table} as {read}", [_there(path)])
    except duckdb.Error as error:
        reason = " ".join(str(error).split("\n\n")[0].split()[:40])
        fix = "clean the files first: `parley duckmart transform`"
        raise Invalid("not_clean", f"{path.name}: {reason}", fix, "file") from None


def _check_keys(connection: duckdb.DuckDBPyConnection) -> None:
    for broken, message in (
        (
            "select id from users group by id having count(*) > 1 or id is null",
            "ids of users are missing or not unique",
        ),
        ("select user_id from events anti join users on users.id = user_id", "events are of nobody"),
        ("select user_id from events where event_name is null or timestamp is null", "events lack a name or a time"),
    ):
        found = connection.execute(f"select count(*), min(key) from ({broken}) as t(key)").fetchall()[0]
        if found[0]:
            fix = "clean the files first: `parley duckmart transform`"
            raise Invalid("key_broken", f"{found[0]:,} {message}, for example {found[1]}", fix, "file")


def _write(connection: duckdb.DuckDBPyConnection, rows: str, path: Path) -> None:
    connection.execute(f"copy ({rows}) to '{str(path).replace(chr(39), chr(39) * 2)}' (header)")


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"select count(*) from {table}").fetchall()[0][0])


def _there(path: Path) -> str:
    if not path.is_file():
        raise NotFound("no_such_file", f"there is no file {path}", "give the folder that has it", "file")
    return str(path)


def _trimmed(column: str) -> str:
    return f"trim(regexp_replace(coalesce({quoted(column)}, ''), '\\s+', ' ', 'g'))"


def _used(statement: str, values: Mapping[str, object]) -> dict[str, object]:
    """The values that a statement names."""
    return {name: value for name, value in values.items() if f"${name}" in statement}
