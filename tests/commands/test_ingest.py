"""Does ``parley import orders`` say what it understood, what it did, and what is wrong?"""

import json
import sys
from pathlib import Path

import psycopg
import pytest

import cli

LINES = """InvoiceNo;StockCode;Description;Quantity;InvoiceDate;UnitPrice;CustomerID;Country
1;A1;Mug [blue];2;2011-03-01 10:00;2,50;7;France
2;POST;POSTAGE;1;2011-03-01 10:00;5,00;7;France
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A file of two lines."""
    file = tmp_path / "shop.csv"
    file.write_text(LINES)
    return file


def parley(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run the command line; gives the exit code."""
    monkeypatch.setattr(sys, "argv", ["parley", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_an_import_says_what_was_understood_and_what_came_of_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], configured: str, shop: Path
) -> None:
    assert parley(monkeypatch, "import", "orders", str(shop), "--email-template", "{id}@example.com") == 0
    said = capfd.readouterr().out
    assert "UnitPrice" in said
    assert "postage, fees, discounts, vouchers" in said
    assert "1 orders added" in said
    with psycopg.connect(configured) as connection:
        assert connection.execute("select email from customers").fetchall() == [("7@example.com",)]
    assert parley(monkeypatch, "import", "orders", str(shop)) == 0
    assert "Nothing changed" in capfd.readouterr().out


def test_the_report_is_there_for_programs_too(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], configured: str, shop: Path
) -> None:
    words = ("import", "orders", str(shop), "--json", "--map", "title=Description", "--consent", "subscribed")
    assert parley(monkeypatch, *words) == 0
    report = json.loads(capfd.readouterr().out)
    assert report["lines"] == 2
    assert report["amount"] == "10.00"
    assert [(bucket["name"], bucket["lines"]) for bucket in report["buckets"]] == [
        ("order_items", 1),
        ("not_a_product", 1),
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--map", "price"), "NAME=VALUE"),
        (("--map", "price=Net"), "no column 'Net'"),
        (("--rate", "EUR=much"), "no number"),
        (("--currency", "pounds"), "no currency"),
    ],
)
def test_a_wrong_option_is_refused_in_one_line_and_nothing_is_changed(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    configured: str,
    shop: Path,
    words: tuple[str, ...],
    said: str,
) -> None:
    assert parley(monkeypatch, "import", "orders", str(shop), *words) == cli.REFUSED
    errors = capfd.readouterr().err
    assert said in errors
    assert "Traceback" not in errors
    with psycopg.connect(configured) as connection:
        assert connection.execute("select count(*) from store").fetchall() == [(0,)]
