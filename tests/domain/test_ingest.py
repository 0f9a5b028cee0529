"""Are values, headings and codes of other systems read as they were meant?"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from domain import countries
from domain.errors import Invalid
from domain.ingest import codes, columns, values
from domain.ingest.lines import Bucket
from domain.ingest.values import Instants, Numbers

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("  WHITE  HEART ", "WHITE HEART"),
        ('5" PLATE', '5" PLATE'),
        ("'7210448301122", "7210448301122"),
        ("'tis the season", "'tis the season"),
        ("nan", None),
        ("NULL", None),
        ("", None),
        (None, None),
    ],
)
def test_text_is_cleaned_and_nothing_is_recognised(written: str | None, meant: str | None) -> None:
    assert values.text(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"), [("17850.0", "17850"), ("17850", "17850"), ("1.5", "1.5"), ("A.0", "A.0")]
)
def test_an_identifier_loses_what_a_spreadsheet_added(written: str, meant: str) -> None:
    assert values.identifier(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Ada@Example.COM ", "ada@example.com"),
        ("ada@", None),
        ("ada at example.com", None),
        ("a@b@example.com", None),
        ("ada@example", None),
    ],
)
def test_an_email_address_is_lower_case_or_none(written: str, meant: str | None) -> None:
    assert values.email(written) == meant


@pytest.mark.parametrize(
    ("column", "written", "meant"),
    [
        (["2.55", "-3", "1,234.50"], "1,234.50", "1234.50"),
        (["2,55", "1.234,50"], "1.234,50", "1234.50"),
        (["2,5"], "2,5", "2.5"),
        (["1,234", "12"], "1,234", "1234"),
        (["£2.55"], "£2.55", "2.55"),
        (["$ 1,000.00"], "$ 1,000.00", "1000.00"),
        (["EUR 7,50"], "EUR 7,50", "7.50"),
        (["(3.00)"], "(3.00)", "-3.00"),
        (["-4"], "-4", "-4"),
        (["1e3"], "1e3", "1000"),
        (["NaN"], "NaN", None),
        (["Infinity"], "Infinity", None),
        (["six"], "six", None),
        (["1 200,5"], "1 200,5", "1200.5"),
    ],
)
def test_numbers_are_read_as_their_column_writes_them(column: list[str], written: str, meant: str | None) -> None:
    found = Numbers.of(column).read(written)
    assert found == (None if meant is None else Decimal(meant))


@pytest.mark.parametrize(
    ("written", "order", "meant"),
    [
        ("2010-12-01 08:26:00", None, datetime(2010, 12, 1, 8, 26, tzinfo=UTC)),
        ("2011-07-01 08:26:00", None, datetime(2011, 7, 1, 7, 26, tzinfo=UTC)),
        ("2025-12-06 10:37:33 -0500", None, datetime(2025, 12, 6, 15, 37, 33, tzinfo=UTC)),
        ("2025-12-06T10:37:33.123Z", None, datetime(2025, 12, 6, 10, 37, 33, tzinfo=UTC)),
        ("2025-12-06T10:37:33+05:30", None, datetime(2025, 12, 6, 5, 7, 33, tzinfo=UTC)),
        ("2025/1/6", None, datetime(2025, 1, 6, tzinfo=UTC)),
        ("20250106", None, datetime(2025, 1, 6, tzinfo=UTC)),
        ("12/1/10 8:26", "mdy", datetime(2010, 12, 1, 8, 26, tzinfo=UTC)),
        ("12/1/10 8:26", "dmy", datetime(2010, 1, 12, 8, 26, tzinfo=UTC)),
        ("01.02.2011, 18:05", "dmy", datetime(2011, 2, 1, 18, 5, tzinfo=UTC)),
        ("1/2/2011 6:05 PM", "mdy", datetime(2011, 1, 2, 18, 5, tzinfo=UTC)),
        ("1/2/2011 12:05 AM", "mdy", datetime(2011, 1, 2, 0, 5, tzinfo=UTC)),
        ("01-Dec-2010 08:26", None, datetime(2010, 12, 1, 8, 26, tzinfo=UTC)),
        ("31/02/2011", "dmy", None),
        ("2011-13-01", None, None),
        ("201012", None, None),
        ("tomorrow", None, None),
    ],
)
def test_instants_are_read_in_the_zone_of_the_shop(
    written: str, order: values.DateOrder | None, meant: datetime | None
) -> None:
    assert Instants(LONDON, order).read(written) == meant


@pytest.mark.parametrize(
    ("column", "order"),
    [
        (["1/2/2011", "25/2/2011"], "dmy"),
        (["1/2/2011", "2/25/2011"], "mdy"),
        (["1/2/2011"], None),
        (["2011-02-25"], None),
    ],
)
def test_a_day_above_twelve_tells_which_comes_first(column: list[str], order: str | None) -> None:
    assert values.date_order(column) == order


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("United Kingdom", "GB"),
        ("EIRE", "IE"),
        ("RSA", "ZA"),
        ("de", "DE"),
        ("Österreich", "AT"),
        ("Cote d'Ivoire", "CI"),
        ("Channel Islands", None),
        ("Unspecified", None),
    ],
)
def test_countries_are_known_by_the_names_shops_use(name: str, code: str | None) -> None:
    assert countries.code(name) == code


UCI = {
    "InvoiceNo": ["536365", "C536379"],
    "StockCode": ["85123A", "71053"],
    "Description": ["WHITE HEART", "LANTERN"],
    "Quantity": ["6", "-1"],
    "InvoiceDate": ["2010-12-01 08:26:00"],
    "UnitPrice": ["2.55", "3.39"],
    "CustomerID": ["17850.0"],
    "Country": ["United Kingdom"],
}


def test_columns_are_found_by_their_headings() -> None:
    assert columns.detect(UCI, {}) == {
        "order": "InvoiceNo",
        "date": "InvoiceDate",
        "customer": "CustomerID",
        "product": "StockCode",
        "title": "Description",
        "quantity": "Quantity",
        "price": "UnitPrice",
        "country": "Country",
    }


def test_a_heading_is_not_believed_against_its_values() -> None:
    found = columns.detect(UCI | {"Price": ["cheap", "dear"], "Date": ["soon"]}, {})
    assert (found["price"], found["date"]) == ("UnitPrice", "InvoiceDate")


def test_dates_addresses_and_countries_are_found_without_a_known_heading() -> None:
    told = {key: sample for key, sample in UCI.items() if key not in {"InvoiceDate", "Country", "CustomerID"}}
    found = columns.detect(told | {"Wann": ["2010-12-01"], "Wer": ["ada@example.com"], "Wo": ["Deutschland"]}, {})
    assert (found["date"], found["email"], found["country"]) == ("Wann", "Wer", "Wo")


def test_a_choice_wins_over_what_would_be_found() -> None:
    assert columns.detect(UCI | {"Net": ["1.00"]}, {"price": "net"})["price"] == "Net"


@pytest.mark.parametrize(
    ("samples", "chosen", "code", "path"),
    [
        (UCI, {"pryce": "UnitPrice"}, "unknown_field", "pryce"),
        (UCI, {"price": "Net"}, "unknown_column", "price"),
        ({"Name": ["Ada"], "Age": ["36"]}, {}, "columns_missing", "order"),
        ({key: sample for key, sample in UCI.items() if key != "UnitPrice"}, {}, "columns_missing", "price"),
    ],
)
def test_a_file_that_does_not_tell_enough_is_refused_with_what_it_has(
    samples: dict[str, list[str]], chosen: dict[str, str], code: str, path: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        columns.detect(samples, chosen)
    assert (refusal.value.code, refusal.value.path) == (code, path)
    assert refusal.value.fix


def test_services_are_told_from_products_by_code_description_and_shape() -> None:
    described = [
        ("85123A", "WHITE HEART", 600),
        ("71053", "LANTERN", 380),
        ("15056bl", "PARASOL", 20),
        ("POST", "POSTAGE", 5),
        ("C2", "CARRIAGE", 2),
        ("M", "Manual", 3),
        ("gift_0001_20", "Dotcomgiftshop Gift Voucher £20.00", 2),
        ("gift_0001_20", "to push order through", 1),
        ("BANK CHARGES", "Bank Charges", 1),
        ("PADS", "PADS TO MATCH ALL CUSHIONS", 1),
        ("22016", "Gift Voucher £100.00", 1),
        ("22017", "", 1),
    ]
    found = codes.not_products(described)
    assert set(found) == {"post", "c2", "m", "gift_0001_20", "bank charges", "pads", "22016"}
    assert found["gift_0001_20"].lines == 3
    assert found["pads"].reason == "not shaped like the file's product codes"


def test_codes_of_many_shapes_are_all_products() -> None:
    described = [(f"{'ABC'[: number % 3 + 1]}-{number}{'-X' * (number % 4)}", "Thing", 10) for number in range(40)]
    assert codes.not_products([*described, ("SINGLE", "Bowl", 1)]) == {}


def test_every_field_and_every_bucket_stands_in_the_guide() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "import.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", guide))
    assert {field.name for field in columns.FIELDS} <= named
    assert {bucket.value for bucket in Bucket} <= named
