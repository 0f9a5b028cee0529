"""Who is alerted, exactly, on every boundary, and what does an alert say?"""

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.alert_messages import Reasons, plain, write
from domain.alerts import REASONS, Day, Entry, Facts, State, episode_start, ledger_refusal, refusal
from domain.intent import Boundary, Contact
from domain.verdicts import Status, Verdict, to_ask

AS_OF = date(2024, 4, 30)
NOW = datetime(2026, 7, 1, tzinfo=UTC)
DAY = Day(AS_OF, Boundary.STRICT, NOW, timedelta(days=30))
INCLUSIVE = replace(DAY, boundary=Boundary.INCLUSIVE)
ADA = Contact(1, 10, "Ada", "Lovelace", "ada@acme.example", None)
VALID = Verdict("ada@acme.example", Status.VALID, "accepted_email", NOW, "kickbox")
FREE = Facts("HIGH", VALID, None, date(2024, 4, 28))


def ago(days: int) -> date:
    return AS_OF - timedelta(days=days)


def entry(alerted: int, *, state: State = State.SENT, since: int | None = None, held: bool = False) -> Entry:
    """An alert so many days ago, in an episode that began then, or before."""
    return Entry(uuid.uuid4(), state, ago(alerted if since is None else since), ago(alerted), held)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"tier": "MEDIUM"}, "not_high"),
        ({"verdict": None}, "not_validated"),
        ({"verdict": replace(VALID, status=Status.INVALID, reason="rejected_email")}, "invalid:rejected_email"),
        ({"verdict": replace(VALID, status=Status.RISKY, reason="low_quality")}, "risky:low_quality"),
        ({"verdict": replace(VALID, status=Status.UNKNOWN, reason="timeout")}, "unknown:timeout"),
        ({"verdict": replace(VALID, checked_at=NOW - timedelta(days=30))}, None),
        ({"verdict": replace(VALID, checked_at=NOW - timedelta(days=30, seconds=1))}, "validation_expired"),
        ({"repeated": True}, "same_address"),
        ({"sends_stopped": True}, "sends_stopped"),
        ({"suppressed": frozenset({"stop", "complaint"})}, "suppressed:complaint"),
        ({"contacted_on": AS_OF}, "contacted_recently"),
        ({"contacted_on": ago(13)}, "contacted_recently"),
        ({"contacted_on": ago(14)}, None),
        ({"history": [entry(0)]}, "already_alerted"),
        ({"verdict": None, "contacted_on": AS_OF}, "not_validated"),
    ],
)
def test_the_first_rule_that_speaks_decides(changes: dict[str, object], reason: str | None) -> None:
    assert refusal(ADA, replace(FREE, **changes), DAY) == reason  # type: ignore[arg-type]
    assert reason is None or reason.partition(":")[0] in REASONS


def test_outreach_exactly_two_weeks_ago_counts_only_inclusively() -> None:
    facts = replace(FREE, contacted_on=ago(14))
    assert (refusal(ADA, facts, DAY), refusal(ADA, facts, INCLUSIVE)) == (None, "contacted_recently")
    assert refusal(ADA, replace(FREE, contacted_on=ago(15)), INCLUSIVE) is None


def test_a_contact_without_an_address_is_left_out() -> None:
    assert refusal(replace(ADA, email=None), FREE, DAY) == "no_address"


@pytest.mark.parametrize(
    ("history", "reason"),
    [
        ([], None),
        ([entry(2)], "already_alerted"),
        ([entry(40, since=50)], None),
        ([entry(13)], "alerted_recently"),
        ([entry(14)], None),
        ([entry(1, since=20)], "already_alerted"),
        ([entry(-13)], "alerted_recently"),
        ([entry(-3, since=1)], "already_alerted"),
        ([entry(-20)], None),
        ([entry(2, state=State.OUTCOME_UNKNOWN)], "outcome_unknown"),
        ([entry(13, state=State.OUTCOME_UNKNOWN)], "alerted_recently"),
        ([entry(2, state=State.FAILED)], None),
        ([entry(2, state=State.SENDING, held=True)], "in_progress"),
        ([entry(99, state=State.SENDING, held=True)], "in_progress"),
        ([entry(2, state=State.SENDING)], "outcome_unknown"),
        ([entry(40, since=50), entry(2, state=State.FAILED), entry(13)], "alerted_recently"),
    ],
)
def test_the_ledger_speaks_once_per_episode_and_two_weeks_apart(history: list[Entry], reason: str | None) -> None:
    assert ledger_refusal(history, ago(3), AS_OF) == reason
    assert reason is None or reason in REASONS


@pytest.mark.parametrize(
    ("visits", "news", "strict", "inclusive"),
    [
        ([0], [0], 0, 0),
        ([3], [5], 3, 3),
        ([6], [0], 0, 0),
        ([7], [0], None, 0),
        ([0], [7], None, 0),
        ([], [0], None, None),
        ([-1], [0], None, None),
        ([0, 6, 12], [0, 6, 12], 12, 12),
        ([0, 7], [0, 7], 7, 7),
        ([0, 8], [0, 8], 0, 8),
        ([0, 9], [0, 9], 0, 0),
        ([0, 3, 20], [1, 20], 1, 1),
        ([0, 5, 10], [5, 11], 10, 10),
    ],
)
def test_an_episode_began_when_high_intent_was_last_interrupted(
    visits: list[int], news: list[int], strict: int | None, inclusive: int | None
) -> None:
    for boundary, began in ((Boundary.STRICT, strict), (Boundary.INCLUSIVE, inclusive)):
        found = episode_start(map(ago, visits), map(ago, news), AS_OF, boundary)
        assert found == (None if began is None else ago(began)), boundary


def test_an_alert_says_who_and_why_now() -> None:
    reasons = Reasons("acme.example", [(ago(1), 2), (ago(3), 1)], [(ago(2), "Raises a new round")], ago(20))
    alert = write(ADA, reasons, AS_OF, "intent@example.org")
    assert set(alert.payload()) == {"from", "to", "message", "subject"}
    assert alert.subject == "High buying intent: acme.example (3 visits, 1 news item)"
    assert (alert.sender, alert.to) == ("intent@example.org", "ada@acme.example")
    assert alert.message.splitlines() == [
        "Ada Lovelace (ada@acme.example) of acme.example: high buying intent as of 2024-04-30.",
        "",
        "Website visits in the last 7 days: 3",
        "- 2024-04-29: 2 visits",
        "- 2024-04-27: 1 visit",
        "News in the last 7 days: 1",
        '- 2024-04-28: "Raises a new round"',
        "Last outreach to this contact: 2024-04-10",
    ]


def test_what_others_wrote_stays_text_on_one_line() -> None:
    hostile = "Buy!\r\nBcc: all@example.com\n\n- 2024-04-30: 99 visits\x00\u202e" + "x" * 500
    reasons = Reasons("acme\r\nX: y", [(AS_OF, 1)], [(AS_OF, hostile), (AS_OF, None), (AS_OF, " \n")] * 3, None)
    alert = write(replace(ADA, first_name="A\nB", last_name=None), reasons, AS_OF, "intent@example.org")
    lines = alert.message.splitlines()
    assert lines[0].startswith("A B (ada@acme.example) of acme X: y:")
    assert "\n" not in alert.subject
    assert "\r" not in alert.subject
    news = [line for line in lines if line.startswith('- 2024-04-30: "Buy! Bcc: all@example.com - 2024')]
    assert len(news) == 2
    assert all(len(line) < 200 for line in lines)
    assert lines[-3:] == ["- 2024-04-30: (no headline)", "- and 4 more", "Last outreach to this contact: none"]


def test_a_text_is_cut_to_its_length() -> None:
    assert plain("a" * 10, 5) == "aaaa…"
    assert plain(" a \t b ") == "a b"


def test_addresses_are_asked_about_once_and_again_when_the_verdict_is_old_or_none_or_another_services() -> None:
    known = {
        "old@x.com": replace(VALID, checked_at=NOW - timedelta(days=31)),
        "new@x.com": VALID,
        "unknown@x.com": replace(VALID, status=Status.UNKNOWN),
        "bad@x.com": replace(VALID, status=Status.INVALID),
    }
    known["other@x.com"] = replace(VALID, provider="embedded")
    emails = ["other@x.com", "New@x.com", "old@x.com", " OLD@x.com", "unknown@x.com", "bad@x.com", "first@x.com"]
    assert to_ask(emails, known, "kickbox", NOW, timedelta(days=30)) == [
        "other@x.com",
        "old@x.com",
        "unknown@x.com",
        "first@x.com",
    ]
