"""Are the marketer's words kept, and checked before they are believed?"""

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from domain.errors import Invalid
from domain.glossary import Number, Term, check
from domain.shipped_terms import shipped
from services import glossary
from tests.planted import Planted

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
LOCAL = {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"}


def test_shipped_definitions_use_every_number_they_have() -> None:
    for term in shipped().terms.values():
        check(term)


def test_a_new_meaning_is_a_new_version_and_the_latest_counts(session: Session) -> None:
    Planted.store(session)
    means = {"type": "activity", "name": "order", "op": "none", "during": {"last": "{days}d"}}
    for days in (100, 120):
        glossary.define(
            session, word="lapsed", means=means, numbers={"days": Number(value=days, unit="days")}, by="ada", now=NOW
        )
    found = glossary.terms(session).terms["lapsed"]
    assert (found.version, found.owner, found.numbers["days"].value) == (2, "ada", 120)


def test_a_defined_word_is_no_longer_undecided_nor_a_synonym_of_another(session: Session) -> None:
    Planted.store(session)
    glossary.define(
        session, word="best", means={"type": "metric", "name": "ltv", "op": "gt", "value": 900}, by="ada", now=NOW
    )
    glossary.define(session, word="regulars", means=LOCAL, by="ada", now=NOW)
    found = glossary.terms(session)
    assert "best" not in found.undecided
    assert "regulars" not in found.terms["loyal"].synonyms
    assert found.terms["regulars"].filled().means == LOCAL


@pytest.mark.parametrize(
    ("means", "code"),
    [
        ({"type": "attribute", "name": "stat", "op": "eq", "value": "Texas"}, "unknown_attribute"),
        ({"type": "all", "of": []}, "segment_invalid"),
        ({"type": "metric", "name": "ltv", "op": "gt", "value": "{money}"}, "glossary_invalid"),
    ],
)
def test_a_meaning_that_does_not_hold_up_is_refused(session: Session, means: dict[str, object], code: str) -> None:
    Planted.store(session)
    with pytest.raises(Invalid) as caught:
        glossary.define(session, word="local", means=means, by="ada", now=NOW)
    assert caught.value.code == code


def test_a_window_is_checked_for_every_activity_it_names(session: Session) -> None:
    Planted.store(session)
    with pytest.raises(Invalid) as caught:
        glossary.define(session, word="of late", kind="window", means={"orders": {"last": "9d"}}, by="ada", now=NOW)
    assert caught.value.code == "unknown_activity"


def test_a_term_says_its_numbers() -> None:
    term = Term(word="x", means={}, numbers={"days": Number(value=60, unit="days")}, explanation="the last {days} days")
    assert term.explained() == "the last 60 days"
