"""Does a drafted campaign rest on what these people bought, looked at and opened, and on nothing else?"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from db.customers import Customer
from db.events import Event
from db.orders import Order
from db.products import Product
from domain import segments as seg
from domain.content import objective_of
from domain.errors import Invalid
from domain.flows import Local, Now, Send
from services import approvals, content, flows, previews
from tests.planted import NOW, Planted

BUYERS = {"where": {"type": "metric", "name": "order_count", "op": "gte", "value": 1}}
LAPSED = {
    "where": {
        "type": "all",
        "of": [BUYERS["where"], {"type": "activity", "name": "order", "op": "none", "during": {"last": "60d"}}],
    }
}
DAY = timedelta(days=1)


@pytest.fixture
def shop(session: Session) -> Planted:
    """Thirty buyers of beans again and again, of a mug once, and one fresh order that keeps everything on sale."""
    shop = Planted.store(session, "America/New_York")
    for number in range(30):
        name = f"P{number}"
        shop.person(name)
        shop.order(name, 12.5, 200 * DAY, items={"House Beans": "Coffee"})
        shop.order(name, 12.5, 170 * DAY, items={"House Beans": "Coffee", "Blue Mug": "Mugs"})
        if number < 10:
            shop.order(name, 9, 100 * DAY, items={"Paper Filters": "Coffee"})
    shop.person("Fresh")
    shop.order("Fresh", 9, DAY, items={"House Beans": "Coffee", "Blue Mug": "Mugs", "Paper Filters": "Coffee"})
    return shop


def drafted(session: Session, definition: Any = LAPSED, **options: Any) -> content.Campaign:
    """A campaign for a definition."""
    return content.propose_flow(session, seg.parse(definition), now=NOW, **options)


def words(campaign: content.Campaign) -> str:
    """Everything it says."""
    return "\n".join(
        f"{one.subject}\n{one.preview_text}\n{one.body}"
        for step in campaign.spec.steps
        if isinstance(step, Send)
        for one in step.contents().values()
    )


def test_it_names_what_these_people_bought_those_first_they_bought_again(session: Session, shop: Planted) -> None:
    campaign = drafted(session)
    assert campaign.evidence.objective == "win_back"
    first = campaign.spec.steps[0]
    assert isinstance(first, Send)
    assert "- House Beans, $12.50\n- Blue Mug, $12.50\n- Paper Filters, $9.00" in first.body
    assert [(one.title, one.people, one.again) for one in campaign.evidence.products] == [
        ("House Beans", 30, 30),
        ("Blue Mug", 30, 0),
        ("Paper Filters", 10, 0),
    ]
    assert campaign.ideas[0] == ("Lead with House Beans: 30 of these 30 people bought it, 100% of them more than once.")


def test_it_can_be_proposed_as_it_is(session: Session, shop: Planted) -> None:
    campaign = drafted(session)
    assert flows.problems(session, campaign.spec, now=NOW) == []
    asked = approvals.propose(session, "flow", campaign.as_proposal(), by="x", now=NOW, trace_id="t")
    assert asked.proposal["evidence"]["objective"] == "win_back"
    assert [step.type for step in campaign.spec.steps] == ["send", "wait", "send"]
    assert campaign.spec.exit_on == ("order",)


def test_nobody_needs_a_fallback_even_where_nothing_is_known(session: Session, shop: Planted) -> None:
    session.execute(update(Customer).values(first_name=None))
    campaign = drafted(session)
    seen = previews.preview(session, campaign.spec, now=NOW)
    assert not [one for one in seen.problems if "fallback" in one.message]
    assert "Hi there," in seen.messages[0].samples[0].text
    assert seen.messages[0].samples[0].subject == "It has been a while"


def test_each_message_has_two_or_three_subjects_and_none_shouts(session: Session, shop: Planted) -> None:
    campaign = drafted(session)
    first, second = (step for step in campaign.spec.steps if isinstance(step, Send))
    assert len(first.contents()) == 3
    assert len(second.contents()) == 2
    assert "!" not in words(campaign)
    assert not any(word in words(campaign).lower() for word in ("% off", "discount", "only today", "hurry up"))


def test_products_nobody_buys_any_more_are_not_offered(session: Session, shop: Planted) -> None:
    session.execute(update(Order).where(Order.total == 9).values(cancelled_at=NOW))
    shop.order("Fresh", 5, 300 * DAY, items={"Gone For Good": "Coffee"})
    assert "Gone For Good" not in words(drafted(session, BUYERS))


def test_prices_and_names_come_from_the_data_alone(session: Session, shop: Planted) -> None:
    session.execute(update(Product).where(Product.title == "House Beans").values(price=Decimal("1013.00")))
    session.execute(update(Product).where(Product.title == "Blue Mug").values(price=None))
    said = words(drafted(session))
    assert "- House Beans, $1,013.00\n- Blue Mug\n" in said


def test_a_product_title_is_no_template_and_no_markup(session: Session, shop: Planted) -> None:
    hostile = "{{ customer.email }} {% if x %} [Win](http://evil.example.net) **now**"
    session.execute(update(Product).where(Product.title == "House Beans").values(title=hostile))
    campaign = drafted(session)
    assert flows.problems(session, campaign.spec, now=NOW) == []
    sample = previews.preview(session, campaign.spec, now=NOW).messages[0].samples[0]
    assert "@example.com" not in sample.text
    assert "evil.example.net" not in sample.html


def test_titles_in_capitals_are_written_calmly(session: Session, shop: Planted) -> None:
    loud = "WHITE HANGING HEART T-LIGHT HOLDER"
    session.execute(update(Product).where(Product.title == "House Beans").values(title=loud))
    campaign = drafted(session)
    assert "White Hanging Heart T-Light Holder" in words(campaign)
    assert campaign.evidence.products[0].title == loud


def opened(session: Session, shop: Planted, name: str, at: datetime, count: int, **properties: Any) -> None:
    """So many opens at one time."""
    for _ in range(count):
        session.add(Event(customer_id=shop.ids[name], name="email_opened", at=at, properties=properties))
    session.flush()


def test_the_hour_is_read_off_opens_on_the_recipients_own_clock(session: Session, shop: Planted) -> None:
    session.execute(update(Customer).where(Customer.first_name == "P1").values(time_zone="Asia/Tokyo"))
    opened(session, shop, "P0", datetime(2026, 6, 3, 23, 30, tzinfo=UTC), 60)  # Wednesday 19:30 in New York
    opened(session, shop, "P1", datetime(2026, 6, 3, 10, 30, tzinfo=UTC), 60)  # Wednesday 19:30 in Tokyo
    opened(session, shop, "P2", datetime(2026, 6, 5, 12, 30, tzinfo=UTC), 30)
    found = drafted(session)
    assert found.evidence.send_time.basis == "opens"
    assert (found.evidence.send_time.weekday, found.evidence.send_time.hour) == ("Wednesday", 19)
    assert found.evidence.send_time.by_hour[19] == 120
    assert (found.evidence.send_time.opens, found.evidence.send_time.people) == (150, 3)
    assert found.spec.start == Local(date=date(2026, 6, 17), time=time(19))


def test_machines_do_not_count_as_readers(session: Session, shop: Planted) -> None:
    opened(session, shop, "P0", datetime(2026, 6, 3, 23, 30, tzinfo=UTC), 100)
    opened(session, shop, "P1", datetime(2026, 6, 4, 12, tzinfo=UTC), 500, machine=True)
    assert drafted(session).evidence.send_time.by_hour[19] == 100
    assert drafted(session).evidence.send_time.opens == 100


def test_too_few_opens_fall_back_to_everybodys_then_orders_then_a_plain_guess(session: Session, shop: Planted) -> None:
    opened(session, shop, "Fresh", datetime(2026, 6, 3, 14, 30, tzinfo=UTC), 100)
    assert drafted(session).evidence.send_time.basis == "opens_of_everyone"
    session.execute(update(Event).values(name="something_else"))
    guess = drafted(session).evidence.send_time
    assert guess.basis == "none"
    assert "not a finding" in guess.text
    for number in range(40):
        shop.order(f"P{number % 30}", 5, timedelta(days=90, hours=number % 3))
    assert drafted(session).evidence.send_time.basis == "orders"


def test_a_time_zone_that_does_not_exist_is_taken_for_the_stores(session: Session, shop: Planted) -> None:
    session.execute(update(Customer).values(time_zone="Mars/Olympus"))
    opened(session, shop, "P0", datetime(2026, 6, 3, 23, 30, tzinfo=UTC), 100)
    assert drafted(session).evidence.send_time.hour == 19


def test_people_and_data_can_be_those_of_a_past_day(session: Session, shop: Planted) -> None:
    then = NOW - 105 * DAY
    campaign = drafted(session, as_of=then)
    assert campaign.spec.audience.as_of == then
    assert {one.title for one in campaign.evidence.products} == {"House Beans", "Blue Mug"}
    assert isinstance(campaign.spec.start, Local)
    assert campaign.spec.start.date > NOW.date()


@pytest.mark.parametrize(
    ("node", "aim"),
    [
        ({"type": "activity", "name": "order", "op": "none", "during": {"last": "60d"}}, "win_back"),
        ({"type": "metric", "name": "days_since_last_order", "op": "gt", "value": 90}, "win_back"),
        ({"type": "metric", "name": "days_since_last_order", "op": "between", "value": [20, 40]}, "replenish"),
        ({"type": "metric", "name": "ltv", "op": "gt", "value": {"percentile": 90}}, "vip"),
        ({"type": "rank", "metric": "ltv", "percent": 5}, "vip"),
        ({"type": "metric", "name": "order_count", "op": "eq", "value": 1}, "second_order"),
        ({"type": "metric", "name": "order_count", "op": "eq", "value": 0}, "first_order"),
        ({"type": "activity", "name": "order", "op": "none"}, "first_order"),
        ({"type": "activity", "name": "added_to_cart", "during": {"last": "7d"}}, "cart"),
        ({"type": "activity", "name": "product_viewed", "op": "gte", "value": 3, "during": {"last": "30d"}}, "browse"),
        ({"type": "attribute", "name": "state", "op": "eq", "value": "Texas"}, "announce"),
    ],
)
def test_the_conditions_suggest_the_aim(node: dict[str, Any], aim: str) -> None:
    assert objective_of(seg.parse({"where": node})) == aim


def test_the_marketers_words_come_before_the_conditions() -> None:
    assert objective_of(seg.parse(LAPSED), "thank our VIPs") == "vip"
    assert objective_of(seg.parse(LAPSED), "improve revenue") == "win_back"


def test_a_cart_reminder_names_carts_and_starts_at_once(session: Session, shop: Planted) -> None:
    for number in range(3):
        session.add(
            Event(
                customer_id=shop.ids[f"P{number}"],
                name="added_to_cart",
                at=NOW - 2 * DAY,
                product_id=shop.products["Blue Mug"],
                properties={},
            )
        )
    session.flush()
    carts = {"where": {"type": "activity", "name": "added_to_cart", "during": {"last": "7d"}}}
    campaign = drafted(session, carts)
    assert isinstance(campaign.spec.start, Now)
    first = campaign.spec.steps[0]
    assert isinstance(first, Send)
    assert "Blue Mug" in first.body
    assert "House Beans" not in first.body


def test_the_request_can_say_what_it_is_about_and_how_many_messages(session: Session, shop: Planted) -> None:
    campaign = drafted(session, about="the new filters", waits=["P3D", "PT48H"])
    assert [step.type for step in campaign.spec.steps] == ["send", "wait", "send", "wait", "send"]
    first = campaign.spec.steps[0]
    assert isinstance(first, Send)
    assert "Paper Filters" in first.body
    assert flows.problems(session, campaign.spec, now=NOW) == []


def test_a_text_message_is_short_and_says_how_to_stop(session: Session, shop: Planted) -> None:
    campaign = drafted(session, channel="sms", waits=[])
    (step,) = campaign.spec.steps
    assert isinstance(step, Send)
    assert step.subject == ""
    assert step.body.endswith("Reply STOP to opt out.")
    assert campaign.spec.guardrails.quiet_hours is not None
    assert flows.problems(session, campaign.spec, now=NOW) == []


def test_a_store_that_sold_nothing_still_gets_a_sober_draft(session: Session) -> None:
    shop = Planted.store(session)
    shop.person("Ann")
    everyone = {"where": {"type": "metric", "name": "order_count", "op": "gte", "value": 0}}
    campaign = drafted(session, everyone)
    assert flows.problems(session, campaign.spec, now=NOW) == []
    assert campaign.evidence.products == ()


def test_nobody_to_write_to_is_an_error(session: Session) -> None:
    Planted.store(session)
    with pytest.raises(Invalid) as refused:
        drafted(session, BUYERS)
    assert refused.value.code == "audience_empty"
