"""How does a shop that has traded elsewhere bring its orders along?"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.orm import Session

from db import audit, store
from db import ingest as rows
from db.ingest_file import Lines, opened
from db.store import Store
from domain import countries
from domain.errors import Invalid
from domain.ingest import codes, columns, values
from domain.ingest.lines import MEANING, TAKEN, Bucket, Ledger, Rules
from domain.ingest.orders import Assembler, Found
from domain.ingest.report import CodeReport, OddPrice, Report, buckets
from domain.ingest.values import DateOrder

Consent = Literal["subscribed", "pending", "none"]
Progress = Callable[[int, int], None]
"""Called with the lines done and all lines."""

STAGED_AT_ONCE = 20_000
TOO_MUCH_UNREADABLE = 0.5
SHOWN = 5
_CURRENCY = re.compile(r"^[A-Za-z]{3}$")
NUMBERS = ("quantity", "price", "order_total", "refunded")


@dataclass(frozen=True)
class Choices:
    """What the person decides; whatever is left out is read off the file and shown.

    ``columns`` maps fields to headings; ``email_template`` makes addresses of the customers' numbers where the file has
    none, for example ``{id}@example.com``; ``consent`` is the email consent of everyone whose line says nothing;
    ``currency`` and ``time_zone`` are those the file is written in; ``rates`` say what one unit of another currency is
    worth in the store's; ``name`` is that of the store where there is none yet.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    email_template: str | None = None
    consent: Consent | None = None
    currency: str | None = None
    time_zone: str | None = None
    date_order: DateOrder | None = None
    encoding: str | None = None
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    name: str | None = None


def _quietly(_done: int, _all: int) -> None:
    """Tell nobody."""


def orders(
    session: Session, path: Path, choices: Choices, *, now: datetime, actor: str, progress: Progress = _quietly
) -> Report:
    """Bring the order lines of a CSV or Parquet file into the store; an empty database becomes one.

    The same file again changes nothing. Raises NotFound for a file that is not there, and Invalid for one that is no
    such file, lacks a column, cannot be read for the most part or holds nothing to take, and for choices that make no
    sense; the caller's transaction then undoes what was begun.
    """
    _check(choices)
    with opened(path, choices.encoding) as lines:
        found = columns.detect(lines.samples(), choices.columns)
        notes: list[str] = []
        shop = _store(session, path, lines, found, choices, notes)
        rules = _rules(lines, found, choices, shop, now)
        made = Assembler(rules, choices.email_template)
        rows.begin(session)
        _stage(session, lines, found, made, progress)
        _refuse_nonsense(path, made.ledger, lines.count)
        merged = _merge(session, path, made, choices, now)
        notes += _notes(made, merged, choices, found)
        report = _report(path, lines, found, rules, made, merged, shop, notes)
    if any(merged.added.values()) or any(merged.changed.values()):
        detail = {"added": merged.added, "changed": merged.changed}
        audit.record(session, actor=actor, action="orders.imported", subject=f"file:{path.name}", detail=detail)
    return report


def _check(choices: Choices) -> None:
    template = choices.email_template
    if template is not None and ("{id}" not in template or values.email(template.replace("{id}", "1")) is None):
        fix = "Write for example {id}@example.com; {id} is the customer's number."
        raise Invalid("email_template_invalid", f"{template!r} makes no email addresses.", fix, "email_template")
    for currency in filter(None, (choices.currency, *choices.rates)):
        if not _CURRENCY.match(currency):
            fix = "Give its ISO code, for example GBP."
            raise Invalid("currency_unknown", f"{currency!r} is no currency.", fix, "currency")
    if any(rate <= 0 for rate in choices.rates.values()):
        raise Invalid("rate_invalid", "A rate must be above zero.", "Write for example --rate EUR=1.08.", "rates")
    if choices.time_zone is not None:
        try:
            ZoneInfo(choices.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            fix = "Give its IANA name, for example Europe/London."
            raise Invalid(
                "time_zone_unknown", f"There is no time zone {choices.time_zone!r}.", fix, "time_zone"
            ) from error


def _store(
    session: Session, path: Path, lines: Lines, found: columns.Columns, choices: Choices, notes: list[str]
) -> Store:
    """The store there is, or a new one as the choices and the file tell."""
    known = store.current(session)
    if known is not None:
        return known
    usual = countries.home(_most_frequent(lines, found, "country", countries.code))
    told = _most_frequent(lines, found, "currency", str.upper)
    currency = (choices.currency or told or (usual.currency if usual else "USD")).upper()
    time_zone = choices.time_zone or (usual.time_zone if usual else "UTC")
    if not choices.currency and not told:
        notes.append(f"No column names the currency; {currency} was assumed. Say --currency if it is another.")
    if not choices.time_zone:
        notes.append(f"Times were read as {time_zone}. Say --time-zone if they are of another zone.")
    name = choices.name or path.stem.replace("_", " ").replace("-", " ").title()
    notes.append("The store's postal address and sender are placeholders; set them before anything is sent.")
    shop = Store(
        id=1,
        name=name,
        currency=currency,
        time_zone=time_zone,
        postal_address=f"{name}, 1 Example Street, Example City",
        sender_name=name,
        sender_email="hello@example.com",
    )
    session.add(shop)
    session.flush()
    return shop


def _rules(lines: Lines, found: columns.Columns, choices: Choices, shop: Store, now: datetime) -> Rules:
    return Rules(
        fields=tuple(found),
        numbers={name: values.Numbers.of(lines.distinct(found[name])) for name in NUMBERS if name in found},
        instants=values.Instants(ZoneInfo(choices.time_zone or shop.time_zone), _date_order(lines, found, choices)),
        set_aside=codes.not_products(_described(lines, found)),
        store_currency=shop.currency,
        currency=choices.currency or shop.currency,
        rates={currency.upper(): rate for currency, rate in choices.rates.items()},
        now=now,
    )


def _date_order(lines: Lines, found: columns.Columns, choices: Choices) -> DateOrder | None:
    dates = lines.distinct(found["date"])
    order = choices.date_order or values.date_order(dates)
    if order is None and values.end_with_year(dates):
        raise Invalid(
            "dates_ambiguous",
            f"The dates in {found['date']} can be read day first or month first, for example {min(dates)}.",
            "Say --dates dmy or --dates mdy.",
            "date_order",
        )
    return order


def _described(lines: Lines, found: columns.Columns) -> Iterator[tuple[str, str, int]]:
    """Every code with its description and the number of lines that say so."""
    names = [name for name in ("product", "title") if name in found]
    for told, count in lines.counted(*(found[name] for name in names)).items():
        by_name = dict(zip(names, told, strict=True))
        title = values.text(by_name.get("title")) or ""
        code = values.identifier(by_name.get("product")) or title
        if code:
            yield code, title, count


def _stage(session: Session, lines: Lines, found: columns.Columns, made: Assembler, progress: Progress) -> None:
    for number in lines.broken:
        made.ledger.put_broken(number)
    done = len(lines.broken)
    waiting = Found()
    for together in lines.grouped(found["order"], list(found.values())):
        made.take(together, waiting)
        done += len(together)
        if len(waiting.items) >= STAGED_AT_ONCE:
            _flush(session, waiting)
            progress(done, lines.count)
    _flush(session, waiting)
    progress(done, lines.count)


def _flush(session: Session, waiting: Found) -> None:
    for kind in (waiting.orders, waiting.items, waiting.refunds):
        rows.stage(session, kind)
        kind.clear()


def _refuse_nonsense(path: Path, ledger: Ledger, count: int) -> None:
    """A file that is something else is not imported for the few lines that look right."""
    unreadable = ledger.tallies[Bucket.UNREADABLE].lines
    if unreadable > TOO_MUCH_UNREADABLE * count:
        why = ", ".join(f"{trouble} ({lines:,})" for trouble, lines in ledger.troubles.most_common(SHOWN))
        raise Invalid(
            "not_order_lines",
            f"{unreadable:,} of the {count:,} lines of {path.name} cannot be read as order lines: {why}.",
            "Check which column was taken for what, and name the right ones with --map.",
            "file",
        )
    if not any(tally.lines for bucket, tally in ledger.tallies.items() if bucket in TAKEN):
        largest = max(ledger.tallies, key=lambda bucket: ledger.tallies[bucket].lines)
        raise Invalid(
            "nothing_to_import",
            f"None of the {count:,} lines of {path.name} can be taken; most are: {MEANING[largest]}.",
            "Say --rate EUR=1.08 for another currency; check the columns with --map otherwise.",
            "file",
        )


def _merge(session: Session, path: Path, made: Assembler, choices: Choices, now: datetime) -> rows.Merged:
    rows.stage(session, made.customers())
    rows.stage(session, made.addresses())
    rows.stage(session, made.products())
    return rows.merge(session, consent=choices.consent, source=path.name, now=now)


def _notes(made: Assembler, merged: rows.Merged, choices: Choices, found: columns.Columns) -> list[str]:
    notes = []
    if made.unknown_countries:
        told = ", ".join(f"{name} ({count:,} orders)" for name, count in made.unknown_countries.most_common(SHOWN))
        notes.append(f"Not known as countries, so left empty: {told}.")
    if "email" not in found and not choices.email_template:
        notes.append("Nobody has an email address: the file has none and --email-template was not given.")
    if merged.differing_orders:
        notes.append(f"{merged.differing_orders:,} orders are here with another total; they stay as they are.")
    return notes


def _report(
    path: Path,
    lines: Lines,
    found: columns.Columns,
    rules: Rules,
    made: Assembler,
    merged: rows.Merged,
    shop: Store,
    notes: list[str],
) -> Report:
    filled = buckets(made.ledger)
    aside = sorted(rules.set_aside.values(), key=lambda code: (-code.lines, code.code))
    return Report(
        file=path.name,
        format=" ".join(filter(None, (lines.format.kind, lines.format.encoding))),
        store=shop.name,
        currency=shop.currency,
        time_zone=rules.instants.zone.key,
        columns=dict(found),
        unused_columns=[heading for heading in lines.headings if heading not in found.values()],
        lines=lines.count,
        quantity=sum(bucket.quantity for bucket in filled),
        amount=sum((bucket.amount for bucket in filled), Decimal(0)),
        buckets=filled,
        revenue=merged.revenue,
        refunded=merged.refunded,
        added=merged.added,
        changed=merged.changed,
        codes_set_aside=[
            CodeReport(code=code.code, title=code.title, lines=code.lines, reason=code.reason) for code in aside
        ],
        odd_prices=[OddPrice(code=code, price=price, usual=usual) for code, price, usual in made.odd_prices()],
        unreadable=dict(made.ledger.troubles.most_common()),
        unreadable_lines=made.ledger.examples,
        notes=notes,
    )


def _most_frequent(lines: Lines, found: columns.Columns, name: str, read: Callable[[str], str | None]) -> str | None:
    """What a column says most often, once read."""
    if name not in found:
        return None
    counted: Counter[str] = Counter()
    for (told,), count in lines.counted(found[name]).items():
        cleaned = values.text(told)
        answer = read(cleaned) if cleaned else None
        if answer:
            counted[answer] += count
    return codes.most_frequent(counted) if counted else None
