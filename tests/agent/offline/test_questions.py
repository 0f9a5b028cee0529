"""Is it understood what else than people is asked for?"""

from typing import Any

import pytest

from agent.offline.lexicon import Lexicon
from agent.offline.parser import read
from domain.segments import parse
from tests.agent.offline.conftest import TODAY

TEXAS = parse({"where": {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"}})

STATS: dict[str, dict[str, Any]] = {
    "how many customers do we have?": {"what": "count"},
    "how many orders did we get last month": {"what": "count", "activity": "order"},
    "what share of customers is subscribed to email": {"what": "share"},
    "what is the 90th percentile of LTV?": {"what": "percentile", "metric": "ltv", "percentile": 90.0},
    "average order value by country": {"what": "average", "metric": "aov", "attribute": "country"},
    "median order value": {"what": "median", "metric": "aov"},
    "total revenue this year": {"what": "total", "metric": "ltv"},
    "distribution of lifetime value": {"what": "distribution", "metric": "ltv"},
    "customers by state": {"what": "distribution", "attribute": "state"},
    "top 5 products": {"what": "top", "activity": "item", "property": "product", "limit": 5},
    "best selling products in the last 90 days": {"what": "top", "activity": "item", "property": "product"},
    "which country has the most customers": {"what": "top", "attribute": "country"},
    "orders per week": {"what": "trend", "activity": "order", "interval": "week"},
    "revenue by month": {"what": "trend", "metric": "ltv", "interval": "month"},
    "how does revenue develop?": {"what": "trend", "metric": "ltv", "interval": "month"},
    "new customers per week": {"what": "trend", "activity": "order", "first": True, "interval": "week"},
    "signups per day in the last 30 days": {"what": "trend", "attribute": "first_seen", "interval": "day"},
    "top 5 products by revenue": {"what": "top", "property": "product", "by": "total", "limit": 5},
    "top products by units": {"what": "top", "property": "product", "by": "quantity"},
    "top categories by customers": {"what": "top", "property": "category", "by": "people"},
    "show me the RFM table": {"what": "rfm", "definition": None},
    "compare customers in Texas with everyone": {"what": "compare", "definition": TEXAS, "other": None},
    "everyone vs customers in Texas": {"what": "compare", "definition": None, "other": TEXAS},
    "how do customers in Texas differ from everyone else?": {"what": "compare", "definition": TEXAS, "other": None},
    "top cities of customers in Texas": {"what": "top", "attribute": "city", "definition": TEXAS},
    "RFM groups of customers in Texas": {"what": "rfm", "definition": TEXAS},
}


@pytest.mark.parametrize("text", STATS)
def test_a_question_about_figures_names_what_is_measured(words: Lexicon, text: str) -> None:
    found = read(text, words, today=TODAY)
    assert (found.action, found.intent) == ("answer", "stats"), found.question
    assert found.stats is not None
    assert {name: getattr(found.stats, name) for name in STATS[text]} == STATS[text]


def test_a_figure_can_be_of_some_people_only(words: Lexicon) -> None:
    found = read("how many customers are in Texas?", words, today=TODAY)
    assert found.stats is not None
    assert found.stats.definition == TEXAS


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("show me ada@example.com", {"verb": "show", "email": "ada@example.com"}),
        ("find +1 202 555 0143", {"verb": "show", "phone": "+12025550143"}),
        ("customer 42", {"verb": "show", "id": "42"}),
        ("who is Ada Lovelace?", {"verb": "show", "name": "Ada Lovelace"}),
        ("why is ada@example.com in this segment?", {"verb": "why", "email": "ada@example.com"}),
    ],
)
def test_one_customer_is_looked_up_by_what_was_given(words: Lexicon, text: str, slots: dict[str, str]) -> None:
    found = read(text, words, today=TODAY)
    assert found.intent == "customer"
    assert found.customer is not None
    assert {name: getattr(found.customer, name) for name in slots} == slots


@pytest.mark.parametrize(
    ("text", "length"),
    [("advance the clock 10 days", "10d"), ("fast forward 2 weeks", "2w"), ("skip ahead three days", "3d")],
)
def test_the_clock_is_moved_by_a_length(words: Lexicon, text: str, length: str) -> None:
    assert read(text, words, today=TODAY).clock == length


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("list my segments", ("list", "segment", None, None)),
        ("pause flow 3", ("pause", "flow", 3, None)),
        ("pause the flow Spring beans", ("pause", "flow", None, "Spring beans")),
        ("please stop my campaign 'Win back'", ("stop", "campaign", None, "Win back")),
        ("resume the flow called VIP", ("resume", "flow", None, "VIP")),
        ('save it as "Texans"', ("save", "it", None, "Texans")),
        ("undo", ("undo", "it", None, None)),
        ("start over", ("reset", "segment", None, None)),
        ("what does VIP mean?", ("show", "glossary", None, "VIP")),
    ],
)
def test_an_order_is_a_verb_and_what_it_is_about(words: Lexicon, text: str, command: tuple[Any, ...]) -> None:
    found = read(text, words, today=TODAY).command
    assert found is not None
    assert (found.verb, found.noun, found.id, found.name) == command


@pytest.mark.parametrize("text", ["help", "what can you do?", "hello", ""])
def test_help_is_help(words: Lexicon, text: str) -> None:
    assert read(text, words, today=TODAY).intent == "help"
