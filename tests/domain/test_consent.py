"""Who may be written to, what defers it, and which words stop it?"""

from datetime import UTC, datetime, time, timedelta

import pytest

from domain.consent import Allowed, Deferred, Refused, SendFacts, Verdict, command, may_send
from domain.messages import REASONS, Policy, Window

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def _facts(**changes: object) -> SendFacts:
    values: dict[str, object] = {
        "channel": "email",
        "message_class": "marketing",
        "address": "ada@example.com",
        "consent": "subscribed",
        "suppressions": frozenset(),
        "on_topic": None,
        "zone": "UTC",
        "expires_at": NOON + timedelta(days=1),
        "policy": Policy(),
    }
    return SendFacts(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, Allowed()),
        ({"expires_at": NOON}, Refused("expired")),
        ({"address": None}, Refused("no_address")),
        ({"address": ""}, Refused("no_address")),
        ({"consent": None}, Refused("not_subscribed")),
        ({"consent": "pending"}, Refused("pending")),
        ({"consent": "unsubscribed"}, Refused("unsubscribed")),
        ({"on_topic": False}, Refused("not_on_topic")),
        ({"on_topic": True}, Allowed()),
        *[
            ({"suppressions": frozenset({reason})}, Refused(reason))
            for reason in ("unsubscribe", "stop", "hard_bounce", "complaint", "manual", "erased")
        ],
        *[
            ({"message_class": "transactional", "consent": consent}, Allowed())
            for consent in (None, "pending", "unsubscribed", "subscribed")
        ],
        ({"message_class": "transactional", "suppressions": frozenset({"unsubscribe"})}, Allowed()),
        *[
            ({"message_class": "transactional", "suppressions": frozenset({reason})}, Refused(reason))
            for reason in ("stop", "hard_bounce", "complaint", "manual", "erased")
        ],
        ({"channel": "sms", "address": "+12025550101"}, Allowed()),
        ({"channel": "sms", "zone": "Asia/Tokyo"}, Deferred("quiet_hours", NOON + timedelta(hours=11))),
        ({"channel": "sms", "zone": "Asia/Tokyo", "consent": None}, Refused("not_subscribed")),
        ({"policy": Policy(window=Window(time(14), time(16)))}, Deferred("quiet_hours", NOON + timedelta(hours=2))),
        ({"channel": "sms", "policy": Policy(window=Window(time(22), time(23)))}, Refused("never_allowed")),
        (
            {"channel": "sms", "policy": Policy(window=Window(time(6), time(9)))},
            Deferred("quiet_hours", NOON + timedelta(hours=20)),
        ),
    ],
)
def test_each_rule_speaks_for_itself(changes: dict[str, object], verdict: Verdict) -> None:
    assert may_send(_facts(**changes), NOON) == verdict


def test_every_refusal_has_words() -> None:
    for reason in (
        "expired",
        "no_address",
        "not_subscribed",
        "pending",
        "unsubscribed",
        "not_on_topic",
        "never_allowed",
    ):
        assert REASONS[reason]


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        " Stop. ",
        "STOP!!",
        "stopall",
        "UNSUBSCRIBE",
        "Cancel",
        "end",
        "QUIT",
        "revoke",
        "Opt out",
        "opt-out",
    ],
)
def test_a_message_that_is_a_stop_word_stops(text: str) -> None:
    assert command(text) == "stop"


@pytest.mark.parametrize(
    "text", ["please don't stop", "the end of the month", "cancel my order 123", "", "  ", "🛑", "no"]
)
def test_a_sentence_is_left_to_people(text: str) -> None:
    assert command(text) is None


def test_start_and_help_are_known() -> None:
    assert [command(text) for text in ("START", "Unstop", "yes", "help", "INFO")] == ["start"] * 3 + ["help"] * 2
