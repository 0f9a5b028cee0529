"""Does a shop's file become its store: everything that is right, nothing that is not, and a report that adds up?"""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from db import store
from db.consent import Consent
from db.customers import Address, Customer
from db.orders import Order, OrderItem, Refund
from db.products import Product
from domain.errors import Invalid, NotFound
from domain.ingest.report import Report
from services import ingest
from services.ingest import Choices

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEADINGS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
TABLES = (Customer, Address, Product, Order, OrderItem, Refund, Consent)

Lines = Sequence[Sequence[str]]

SHOP = (
    ("5001", "20001", "BLUE MUG", "6", "2011-03-01 08:26:00", "2.50", "17850.0", "United Kingdom"),
    ("5001", "20002", "RED  MUG ", "2", "2011-03-01 08:26:00", "3.00", "17850.0", "United Kingdom"),
    ("5001", "20001", "BLUE MUG", "4", "2011-03-01 08:27:00", "2.50", "17850.0", "United Kingdom"),  # merged
    ("5001", "20002", "RED  MUG ", "2", "2011-03-01 08:26:00", "3.00", "17850.0", "United Kingdom"),  # duplicate
    ("5001", "POST", "POSTAGE", "1", "2011-03-01 08:26:00", "4.95", "17850.0", "United Kingdom"),
    ("5002", "20003a", 'PLATE 5"', "10", "2011-07-02 15:00:00", "1.25", "17850.0", "France"),
    ("5003", "20003A", 'PLATE 5"', "1", "2011-08-02 15:00:00", "1.45", "12346.0", "EIRE"),
    ("5003", "20001", "MUG BLUE", "1", "2011-08-02 15:00:00", "2.75", "12346.0", "EIRE"),
    ("C5004", "20001", "BLUE MUG", "-3", "2011-03-09 10:00:00", "2.50", "17850.0", "United Kingdom"),
    ("C5004", "20002", "RED MUG", "-1", "2011-03-09 10:00:00", "3.00", "17850.0", "United Kingdom"),
    ("C5005", "D", "Discount", "-1", "2011-03-10 10:00:00", "9.00", "17850.0", "United Kingdom"),
    ("C5006", "20001", "BLUE MUG", "-40", "2011-09-01 10:00:00", "2.50", "14000.0", "Unspecified"),
    ("5007", "20001", "BLUE MUG", "5", "2011-09-02 10:00:00", "2.60", "", "United Kingdom"),
    ("5008", "20001", "", "-9", "2011-09-02 11:00:00", "0.0", "", "United Kingdom"),
    ("5009", "20002", "RED MUG", "1", "2011-09-03 10:00:00", "0.0", "12346.0", "EIRE"),
    ("5010", "20002", "RED MUG", "1", "2011-09-03 10:00:00", "-5.00", "12346.0", "EIRE"),
    ("5011", "20002", "RED MUG", "one", "2011-09-03 10:00:00", "5.00", "12346.0", "EIRE"),
    ("5012", "20002", "RED MUG", "1", "2031-09-03 10:00:00", "5.00", "12346.0", "EIRE"),
)
EXPORT = """Name,Email,Subtotal,Currency,Discount Code,Created at,Cancelled at,Refunded Amount,Accepts Marketing
Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Billing Name,Shipping Zip,Shipping Province
Shipping Country"""
FATES = {
    "order_items": 5,
    "merged": 1,
    "refunds": 3,
    "duplicates": 1,
    "unreadable": 2,
    "no_customer": 1,
    "no_customer_refund": 1,
    "not_a_product": 2,
    "negative_price": 1,
    "free": 1,
}


def as_csv(path: Path, lines: Lines = SHOP, headings: Sequence[str] = HEADINGS, **how: str) -> Path:
    """A CSV file of these lines."""
    written = io.StringIO()
    writer = csv.writer(
        written, delimiter=how.get("delimiter", ","), lineterminator=how.get("ends", "\r\n"), quoting=csv.QUOTE_ALL
    )
    writer.writerows([headings, *lines])
    path.write_bytes(written.getvalue().encode(how.get("encoding", "utf-8")))
    return path


def bring(session: Session, file: Path, **choices: Any) -> Report:
    """Import a file."""
    return ingest.orders(session, file, Choices(**choices), now=NOW, actor="test")


def everything(session: Session) -> list[list[tuple[Any, ...]]]:
    """All rows of all tables an import writes, and the audit log."""
    names = [table.__tablename__ for table in TABLES] + ["store", "audit_log"]
    session.flush()
    return [[tuple(row) for row in session.execute(text(f"select * from {name} order by 1, 2"))] for name in names]


def customer(session: Session, number: str) -> Customer:
    """The customer with that number."""
    return session.scalars(select(Customer).where(Customer.external_id == number)).one()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The small shop's file."""
    return as_csv(tmp_path / "small_shop.csv")


def test_every_line_is_in_one_bucket_and_the_buckets_add_up_to_the_file(session: Session, shop: Path) -> None:
    report = bring(session, shop)
    assert {bucket.name: bucket.lines for bucket in report.buckets} == FATES
    assert sum(bucket.lines for bucket in report.buckets) == report.lines == len(SHOP)
    readable = [line for line in SHOP if line[3] != "one"]
    assert report.quantity == sum(int(line[3]) for line in readable)
    assert report.amount == sum(int(line[3]) * Decimal(line[5]) for line in readable)
    assert report.unreadable == {"no quantity": 1, "dated in the future": 1}
    assert report.columns["customer"] == "CustomerID"
    assert {code.code for code in report.codes_set_aside} == {"POST", "D"}


def test_the_taken_buckets_are_what_the_store_holds(session: Session, shop: Path) -> None:
    report = bring(session, shop)
    amounts = {bucket.name: bucket.amount for bucket in report.buckets}
    assert session.scalar(select(func.sum(Order.total))) == amounts["order_items"] + amounts["merged"] == report.revenue
    assert session.scalar(select(func.sum(Refund.amount))) == -amounts["refunds"] == report.refunded
    for table in TABLES:
        assert session.scalar(select(func.count()).select_from(table)) == report.added[table.__tablename__]


def test_an_order_is_the_sum_of_its_products_and_not_of_its_postage(session: Session, shop: Path) -> None:
    bring(session, shop)
    order = session.scalars(select(Order).where(Order.external_id == "5001")).one()
    items = session.scalars(select(OrderItem).where(OrderItem.order_id == order.id).order_by(OrderItem.line)).all()
    assert [(item.quantity, item.unit_price, item.total) for item in items] == [
        (10, Decimal("2.50"), Decimal("25.00")),
        (2, Decimal("3.00"), Decimal("6.00")),
    ]
    assert order.total == Decimal("31.00")
    assert order.ordered_at == datetime(2011, 3, 1, 8, 26, tzinfo=UTC)


def test_times_are_those_of_the_shops_own_clock(session: Session, shop: Path) -> None:
    bring(session, shop)
    summer = session.scalars(select(Order.ordered_at).where(Order.external_id == "5002")).one()
    assert summer == datetime(2011, 7, 2, 14, tzinfo=UTC)


def test_customers_keep_their_number_their_first_and_last_order_and_all_countries(session: Session, shop: Path) -> None:
    bring(session, shop)
    assert set(session.scalars(select(Customer.external_id))) == {"17850", "12346", "14000"}
    found = customer(session, "17850")
    assert found.first_seen_at == datetime(2011, 3, 1, 8, 26, tzinfo=UTC)
    assert found.last_seen_at == datetime(2011, 7, 2, 14, tzinfo=UTC)
    assert not found.demo
    places = select(Address.country, Address.is_default).where(Address.customer_id == found.id)
    assert set(session.execute(places)) == {("FR", True), ("GB", False)}


def test_cancelled_lines_are_refunds_even_beyond_what_was_ever_paid(session: Session, shop: Path) -> None:
    bring(session, shop)
    refunds = select(Refund.external_id, Refund.amount, Refund.order_id).order_by(Refund.external_id)
    assert list(session.execute(refunds)) == [
        ("C5004", Decimal("10.50"), None),
        ("C5006", Decimal("100.00"), None),
    ]
    assert session.scalar(select(func.count()).where(Order.customer_id == customer(session, "14000").id)) == 0


def test_products_are_titled_as_usual_and_priced_as_last_sold(session: Session, shop: Path) -> None:
    bring(session, shop)
    products = {
        sku: (title, price) for sku, title, price in session.execute(select(Product.sku, Product.title, Product.price))
    }
    assert products == {
        "20001": ("BLUE MUG", Decimal("2.60")),
        "20002": ("RED MUG", Decimal("3.00")),
        "20003a": ('PLATE 5"', Decimal("1.45")),
    }


def test_an_empty_database_becomes_a_store_as_the_file_tells(session: Session, shop: Path) -> None:
    report = bring(session, shop)
    found = store.current(session)
    assert found is not None
    assert (found.name, found.currency, found.time_zone, found.demo) == ("Small Shop", "GBP", "Europe/London", False)
    assert any("GBP was assumed" in note for note in report.notes)


def test_choices_win_over_what_the_file_tells(session: Session, shop: Path) -> None:
    bring(session, shop, name="Mug Shop", currency="EUR", time_zone="Europe/Paris")
    found = store.current(session)
    assert found is not None
    assert (found.name, found.currency, found.time_zone) == ("Mug Shop", "EUR", "Europe/Paris")


def test_the_same_file_again_changes_nothing(session: Session, shop: Path) -> None:
    bring(session, shop, email_template="{id}@example.com", consent="subscribed")
    before = everything(session)
    report = bring(session, shop, email_template="{id}@example.com", consent="subscribed")
    assert everything(session) == before
    assert set(report.added.values()) | set(report.changed.values()) == {0}


def test_consent_holds_from_the_first_order_on(session: Session, shop: Path) -> None:
    bring(session, shop, email_template="{id}@example.com", consent="subscribed")
    agreed = session.scalars(select(Consent).where(Consent.customer_id == customer(session, "17850").id)).one()
    assert (agreed.channel, agreed.state, agreed.method, agreed.source) == (
        "email",
        "subscribed",
        "import",
        "small_shop.csv",
    )
    assert agreed.since_at == datetime(2011, 3, 1, 8, 26, tzinfo=UTC)
    assert customer(session, "17850").email == "17850@example.com"


def test_a_later_file_adds_to_the_people_who_are_there(session: Session, tmp_path: Path) -> None:
    bring(session, as_csv(tmp_path / "march.csv", SHOP[:5]), time_zone="UTC", currency="GBP")
    session.add(Customer(email="carl@example.com", first_seen_at=NOW))
    session.flush()
    later = (
        ("6001", "20001", "BLUE MUG", "1", "2012-01-05 10:00:00", "2.90", "17850", "Ada@example.com", "Ada Miller"),
        ("6002", "20009", "JUG", "1", "2012-01-06 10:00:00", "9.00", "90001", "carl@example.com", "Carl Jones"),
    )
    report = bring(session, as_csv(tmp_path / "later.csv", later, (*HEADINGS[:7], "Email", "Customer name")))
    assert (report.added["customers"], report.changed["customers"], report.added["orders"]) == (0, 2, 2)
    ada = customer(session, "17850")
    assert (ada.email, ada.first_name, ada.last_name) == ("ada@example.com", "Ada", "Miller")
    assert ada.first_seen_at == datetime(2011, 3, 1, 8, 26, tzinfo=UTC)
    assert ada.last_seen_at == datetime(2012, 1, 5, 10, tzinfo=UTC)
    assert customer(session, "90001").email == "carl@example.com"
    assert session.scalars(select(Product.price).where(Product.sku == "20001")).one() == Decimal("2.90")


def test_an_older_file_does_not_bring_back_old_prices(session: Session, tmp_path: Path) -> None:
    new = ("6001", "20001", "BLUE MUG", "1", "2012-01-05 10:00:00", "2.90", "17850", "France")
    bring(session, as_csv(tmp_path / "new.csv", [new]))
    bring(session, as_csv(tmp_path / "old.csv", SHOP[:5]))
    assert session.scalars(select(Product.price).where(Product.sku == "20001")).one() == Decimal("2.90")


def test_who_unsubscribed_stays_so(session: Session, shop: Path) -> None:
    known = Customer(external_id="17850", email="17850@example.com", first_seen_at=NOW)
    session.add(known)
    session.flush()
    session.add(Consent(customer_id=known.id, channel="email", state="unsubscribed", method="link", since_at=NOW))
    session.flush()
    bring(session, shop, email_template="{id}@example.com", consent="subscribed")
    states = select(Consent.state).where(Consent.customer_id == known.id)
    assert list(session.scalars(states)) == ["unsubscribed"]


def test_an_order_that_is_here_with_another_total_stays_and_is_pointed_out(session: Session, tmp_path: Path) -> None:
    bring(session, as_csv(tmp_path / "half.csv", SHOP[:1]))
    report = bring(session, as_csv(tmp_path / "whole.csv", SHOP[:5]))
    assert report.added["orders"] == 0
    assert any("another total" in note for note in report.notes)
    assert session.scalars(select(Order.total)).one() == Decimal("15.00")


def test_two_numbers_with_one_address_stay_two_people(session: Session, tmp_path: Path) -> None:
    lines = [
        ("1", "A1", "MUG", "1", "2011-03-01", "1.00", "7", "ada@example.com"),
        ("2", "A1", "MUG", "1", "2011-03-02", "1.00", "8", "ada@example.com"),
        ("3", "A1", "MUG", "1", "2011-03-03", "1.00", "", "ada@example.com"),
    ]
    report = bring(session, as_csv(tmp_path / "two.csv", lines, (*HEADINGS[:7], "Email")))
    assert report.added["customers"] == 2
    orders = select(Customer.external_id, Order.external_id).join(Order, Order.customer_id == Customer.id)
    assert set(session.execute(orders)) == {("7", "1"), ("8", "2"), ("7", "3")}


@pytest.mark.parametrize(
    "how",
    [
        {"encoding": "utf-8-sig"},
        {"encoding": "utf-16"},
        {"encoding": "utf-16-le"},
        {"encoding": "cp1252"},
        {"delimiter": ";"},
        {"delimiter": "\t", "ends": "\n"},
        {"delimiter": "|", "ends": "\r"},
    ],
)
def test_text_files_are_read_however_they_were_written(session: Session, tmp_path: Path, how: dict[str, str]) -> None:
    lines = [("1", "A1", "CRÈME\nPOT £5", "2", "2011-03-01", "1.50", "7", "United Kingdom")]
    report = bring(session, as_csv(tmp_path / "odd.csv", lines, **how))
    assert report.added["orders"] == 1
    assert session.scalars(select(Product.title)).one() == "CRÈME POT £5"


def test_decimal_commas_and_days_first_are_seen_in_the_column(session: Session, tmp_path: Path) -> None:
    lines = [
        ("1", "A1", "Kanne", "2", "03.02.2011 10:00", "1.234,50", "7", "Deutschland"),
        ("2", "A2", "Tasse", "1", "25.02.2011 10:00", "2,50", "7", "Deutschland"),
    ]
    bring(session, as_csv(tmp_path / "bestellungen.csv", lines, delimiter=";"))
    orders = select(Order.ordered_at, Order.total).order_by(Order.external_id)
    assert list(session.execute(orders)) == [
        (datetime(2011, 2, 3, 9, tzinfo=UTC), Decimal("2469.00")),
        (datetime(2011, 2, 25, 9, tzinfo=UTC), Decimal("2.50")),
    ]


def test_dates_that_could_be_read_both_ways_are_asked_about(session: Session, tmp_path: Path) -> None:
    file = as_csv(tmp_path / "dates.csv", [("1", "A1", "MUG", "1", "3/2/2011", "1.00", "7", "France")])
    with pytest.raises(Invalid) as refusal:
        bring(session, file)
    assert refusal.value.code == "dates_ambiguous"
    bring(session, file, date_order="mdy", time_zone="UTC")
    assert session.scalars(select(Order.ordered_at)).one() == datetime(2011, 3, 2, tzinfo=UTC)


def test_an_export_that_continues_an_order_on_further_lines_is_understood(session: Session, tmp_path: Path) -> None:
    headings = EXPORT.replace("\n", ",").split(",")
    first = ("#1", "ada@example.com", "27.00", "USD", "SPRING", "2025-12-06 10:37:33 -0500")
    lines = [
        (*first, "", "5.00", "yes", "2", "Mug", "10.00", "M-1", "Ada Miller", "'78701", "TX", "US"),
        ("#1", "", "", "", "", "", "", "", "", "1", "Jug", "10.00", "J-1", "", "", "", ""),
        (
            *("#2", "bob@example.com", "10.00", "USD", "", "2025-12-07 10:00:00 -0500"),
            *("2025-12-08 10:00:00 -0500", "10.00", "no", "1", "Jug", "10.00", "J-1", "Bob", "", "", ""),
        ),
    ]
    report = bring(session, as_csv(tmp_path / "export.csv", lines, headings))
    assert report.unreadable == {}
    orders = session.scalars(select(Order).order_by(Order.external_id)).all()
    assert [(order.total, order.coupon, order.cancelled_at is None) for order in orders] == [
        (Decimal("27.00"), "SPRING", True),
        (Decimal("10.00"), None, False),
    ]
    refunds = session.execute(select(Refund.order_id, Refund.amount))
    assert list(refunds) == [(orders[0].id, Decimal("5.00"))]
    address = session.scalars(select(Address)).one()
    assert (address.region, address.postal_code, address.country) == ("Texas", "78701", "US")
    assert Counter(session.scalars(select(Consent.state))) == {"subscribed": 1}
    assert report.currency == "USD"


def test_another_currency_is_converted_at_the_rate_given(session: Session, tmp_path: Path) -> None:
    bring(session, as_csv(tmp_path / "first.csv"))
    euros = as_csv(
        tmp_path / "euros.csv", [("7001", "20001", "BLUE MUG", "4", "2012-03-01", "2.50", "17850", "France")]
    )
    with pytest.raises(Invalid) as refusal:
        bring(session, euros, currency="EUR")
    assert refusal.value.code == "nothing_to_import"
    bring(session, euros, currency="EUR", rates={"EUR": Decimal("0.84")})
    order = session.scalars(select(Order).where(Order.external_id == "7001")).one()
    assert (order.total, order.original_currency, order.original_total, order.conversion_rate) == (
        Decimal("8.40"),
        "EUR",
        Decimal("10.00"),
        Decimal("0.84"),
    )
    assert session.scalars(select(Product.price).where(Product.sku == "20001")).one() == Decimal("2.10")


def test_a_parquet_file_may_have_types_of_its_own(session: Session, tmp_path: Path) -> None:
    file = tmp_path / "typed.parquet"
    with duckdb.connect() as made:
        made.execute(
            f"""copy (
                select 5001 as "InvoiceNo", 'A1' as "StockCode", 'MUG' as "Description", 2::double as "Quantity",
                    timestamp '2011-03-01 08:26:00' as "InvoiceDate", 2.50::decimal(9, 2) as "UnitPrice",
                    17850::double as "CustomerID", 'France' as "Country"
            ) to '{file}' (format parquet)"""
        )
    report = bring(session, file)
    assert (report.format, report.added["order_items"]) == ("Parquet", 1)
    assert customer(session, "17850").first_seen_at == datetime(2011, 3, 1, 7, 26, tzinfo=UTC)
    assert session.scalars(select(OrderItem.quantity)).one() == 2


def test_lines_with_columns_too_many_or_too_few_are_counted(session: Session, tmp_path: Path) -> None:
    file = as_csv(tmp_path / "ragged.csv", [*SHOP, ("1", "2"), (*SHOP[0], "more")])
    report = bring(session, file)
    assert report.unreadable["not as many columns as the heading"] == 2
    assert sum(bucket.lines for bucket in report.buckets) == report.lines == len(SHOP) + 2


def test_a_price_far_from_the_usual_one_is_taken_and_pointed_out(session: Session, tmp_path: Path) -> None:
    usual = [(str(number), "A1", "BASKET", "1", "2011-03-01", "5.95", "7", "France") for number in range(5)]
    odd = ("99", "A1", "BASKET", "1", "2011-03-01", "649.50", "7", "France")
    report = bring(session, as_csv(tmp_path / "odd.csv", [*usual, odd]))
    assert [(one.code, one.price, one.usual) for one in report.odd_prices] == [
        ("A1", Decimal("649.50"), Decimal("5.95"))
    ]
    assert report.added["orders"] == 6


HEADING_LINE = ",".join(HEADINGS).encode()
PEOPLE = b"Name,Age,City\nAda,36,London\n"
NO_PRICE = b"InvoiceNo,StockCode,Quantity,InvoiceDate,CustomerID\n1,A1,2,2011-03-01,7\n"
NONSENSE = HEADING_LINE + b"\n"
NONSENSE += b"".join(b"%d,A1,MUG,many,2011-03-01,2.50,7,France\n" % number for number in range(1, 5))
NONSENSE += b"".join(b"%d,A1,MUG,2,one day,2.50,7,France\n" % number for number in range(5, 9))
NONSENSE += b"".join(b"%d,A1,MUG,2,2011-03-01,2.50,7,France\n" % number for number in range(9, 12))
NOBODY = HEADING_LINE + b"\n1,A1,MUG,2,2011-03-01,2.50,,France\n"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.csv", b"", "file_empty"),
        ("headings.csv", HEADING_LINE + b"\n", "file_empty"),
        ("people.csv", PEOPLE, "columns_missing"),
        ("no_price.csv", NO_PRICE, "columns_missing"),
        (
            "japanese.csv",
            HEADING_LINE + "\n1,A1,カップ,2,2011-03-01,2,7,日本\n".encode("shift_jis"),
            "encoding_unknown",
        ),
        ("binary.csv", bytes(range(256)) * 40, "encoding_unknown"),
        ("sheet.csv", b"PK\x03\x04" + b"x" * 90, "file_unreadable"),
        ("zipped.csv", b"\x1f\x8b" + b"x" * 90, "file_unreadable"),
        ("half.parquet", b"PAR1" + b"x" * 90, "file_unreadable"),
        ("renamed.parquet", HEADING_LINE, "file_unreadable"),
        ("quote.csv", HEADING_LINE + b'\n1,A1,"MUG,2,2011-03-01,2.50,7,France\n', "file_unreadable"),
        ("nul.csv", HEADING_LINE + b"\n1,A1,M\x00G,2,2011-03-01,2.50,7,France\n", "file_unreadable"),
        ("mostly_wrong.csv", NONSENSE, "not_order_lines"),
        ("nobody.csv", NOBODY, "nothing_to_import"),
        ("one_column.csv", b"hello\nworld\n", "columns_missing"),
    ],
)
def test_a_wrong_file_gives_one_clear_message(
    session: Session, tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(Invalid) as refusal, session.begin_nested():
        bring(session, file)
    assert refusal.value.code == code
    assert name in str(refusal.value) or refusal.value.path
    assert refusal.value.fix
    assert store.current(session) is None
    assert session.scalar(select(func.count()).select_from(Customer)) == 0


def test_half_of_a_good_parquet_file_is_refused(session: Session, tmp_path: Path) -> None:
    whole = tmp_path / "whole.parquet"
    with duckdb.connect() as made:
        made.execute(f"copy (select range as a, random() as b from range(5000)) to '{whole}' (format parquet)")
    half = tmp_path / "half.parquet"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(Invalid, match="not a whole Parquet file"):
        bring(session, half)


def test_an_encoding_nobody_can_guess_may_be_named(session: Session, tmp_path: Path) -> None:
    line = ("1", "A1", "カップ", "2", "2011-03-01", "2.50", "7", "Japan")
    file = as_csv(tmp_path / "japanese.csv", [line], encoding="shift_jis")
    bring(session, file, encoding="shift_jis")
    assert session.scalars(select(Product.title)).one() == "カップ"


def test_a_missing_file_is_named(session: Session, tmp_path: Path) -> None:
    with pytest.raises(NotFound) as refusal:
        bring(session, tmp_path / "nowhere.csv")
    assert refusal.value.code == "file_missing"


@pytest.mark.parametrize(
    ("choices", "code"),
    [
        ({"email_template": "someone@example.com"}, "email_template_invalid"),
        ({"email_template": "{id}"}, "email_template_invalid"),
        ({"currency": "pounds"}, "currency_unknown"),
        ({"time_zone": "Mars/Olympus"}, "time_zone_unknown"),
        ({"rates": {"EUR": Decimal(0)}}, "rate_invalid"),
        ({"columns": {"price": "Nothing"}}, "unknown_column"),
    ],
)
def test_choices_that_make_no_sense_are_refused(
    session: Session, shop: Path, choices: dict[str, Any], code: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        bring(session, shop, **choices)
    assert refusal.value.code == code


def test_progress_ends_at_the_last_line(session: Session, shop: Path) -> None:
    told: list[tuple[int, int]] = []
    ingest.orders(
        session, shop, Choices(), now=NOW, actor="test", progress=lambda done, whole: told.append((done, whole))
    )
    assert told[-1] == (len(SHOP), len(SHOP))
