"""Is every malformed or unwise flow named with its place, and does time run as recipients' clocks do?"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import flows
from domain.errors import Invalid
from domain.flows import At, Local, Now, first_due, wait_until

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
SUBSCRIBED = {"version": 1, "dataset": "store", "where": {"type": "consent", "channel": "email", "state": "subscribed"}}
SEND = {"type": "send", "subject": "Hello", "body": "We have news."}
WAIT = {"type": "wait", "duration": "P10D"}
ZONES = ["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]


def raw(**changes: Any) -> dict[str, Any]:
    """A flow of two messages as JSON, changed."""
    return {"name": "News", "audience": {"definition": SUBSCRIBED}, "steps": [SEND, WAIT, SEND], **changes}


def test_a_flow_survives_the_way_through_json() -> None:
    spec = flows.parse(
        raw(
            start={"mode": "local", "date": "2026-03-01", "time": "09:00"},
            guardrails={"quiet_hours": {"from": "21:00", "to": "08:00"}, "cap": {"messages": 3, "days": 7}},
            steps=[{**SEND, "variants": [{"subject": "Hi"}]}, {"type": "wait", "duration": "PT240H"}, SEND],
        )
    )
    assert flows.parse(spec.as_json()) == spec
    assert flows.digest(spec.as_json()) == flows.digest(flows.parse(spec.as_json()).as_json())


def test_any_change_changes_the_digest() -> None:
    same = flows.digest(flows.parse(raw()).as_json())
    changes: list[dict[str, Any]] = [
        {"name": "Other"},
        {"start": {"mode": "at", "at": "2026-03-01T09:00:00Z"}},
        {"guardrails": {"cap": {"messages": 1, "days": 1}}},
        {"guardrails": {"max_audience": 10}},
        {"audience": {"segment_id": 1, "version": 1}},
        {"steps": [SEND]},
        {"exit_on": []},
    ]
    for change in changes:
        assert flows.digest(flows.parse(raw(**change)).as_json()) != same


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": ""}, "name"),
        ({"surprise": 1}, "surprise"),
        ({"steps": []}, "steps"),
        ({"steps": [{"type": "dance"}]}, "steps.0"),
        ({"steps": [{"subject": "x"}]}, "steps.0"),
        ({"steps": [SEND, {"type": "wait"}]}, "steps.1.duration"),
        ({"steps": [SEND, {"type": "wait", "duration": "10 days"}]}, "steps.1.duration"),
        ({"steps": [SEND, {"type": "wait", "duration": "P0D"}]}, "steps.1.duration"),
        ({"steps": [SEND, {"type": "wait", "duration": "P999D"}]}, "steps.1.duration"),
        ({"steps": [{"type": "send", "subject": "x"}]}, "steps.0.body"),
        ({"steps": [{**SEND, "channel": "pigeon"}]}, "steps.0.channel"),
        ({"steps": [SEND] * 21}, "steps"),
        ({"start": {"mode": "soon"}}, "start"),
        ({"start": {"mode": "at", "at": "2026-03-01T09:00:00"}}, "start.at"),
        ({"start": {"mode": "local", "date": "2026-02-30", "time": "09:00"}}, "start.date"),
        ({"start": {"mode": "local", "date": "2026-02-28", "time": "25:00"}}, "start.time"),
        ({"start": {"mode": "local", "date": "2026-02-28", "time": "09:00+01:00"}}, "start.time"),
        ({"guardrails": {"holdout_percent": 60}}, "guardrails.holdout_percent"),
        ({"guardrails": {"quiet_hours": {"from": "08:00", "to": "08:00"}}}, "guardrails.quiet_hours"),
        ({"guardrails": {"cap": {"messages": 0, "days": 7}}}, "guardrails.cap.messages"),
        ({"audience": {}}, "audience"),
        ({"audience": {"segment_id": 1}}, "audience"),
        ({"audience": {"segment_id": 1, "version": 1, "definition": SUBSCRIBED}}, "audience"),
        ({"audience": {"definition": {"where": {"type": "all", "of": []}}}}, "audience.definition.where.of"),
        ({"exit_on": ["rain"]}, "exit_on.0"),
        ({"message_class": "spam"}, "message_class"),
    ],
)
def test_what_is_malformed_is_named_with_its_place(change: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        flows.parse(raw(**change))
    assert refused.value.path == path
    assert refused.value.fix


@pytest.mark.parametrize("nonsense", [None, 3, "x", [], {}, {"audience": 1}, {"audience": {"definition": 1}}])
def test_nonsense_is_refused(nonsense: object) -> None:
    with pytest.raises(Invalid):
        flows.parse(nonsense)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"steps": [SEND, SEND]}, []),
        ({"steps": [WAIT, SEND]}, []),
        ({"steps": [SEND, {"type": "exit"}]}, []),
        ({"steps": [SEND, WAIT]}, ["steps.1"]),
        ({"steps": [SEND, WAIT, {"type": "exit"}]}, ["steps.1"]),
        ({"steps": [{"type": "exit"}, SEND]}, ["steps.0"]),
        ({"steps": [WAIT]}, ["steps", "steps.0"]),
        ({"steps": [{**SEND, "subject": " "}]}, ["steps.0.subject"]),
        ({"steps": [{**SEND, "body": ""}]}, ["steps.0.body"]),
        ({"steps": [{**SEND, "body": "{{ customer.nickname }}"}]}, ["steps.0.body"]),
        ({"steps": [{**SEND, "variants": [{"body": "{% for %}"}]}]}, ["steps.0.variants.0.body"]),
        ({"steps": [{**SEND, "body": "{{", "variants": [{"subject": "B"}]}]}, ["steps.0.body"]),
        ({"steps": [{"type": "send", "channel": "sms", "body": "Hi"}]}, []),
        ({"start": {"mode": "at", "at": "2026-02-01T11:59:59Z"}}, ["start.at"]),
        ({"start": {"mode": "at", "at": "2026-02-01T12:00:01Z"}}, []),
        ({"start": {"mode": "at", "at": "2028-02-01T12:00:01Z"}}, ["start.at"]),
        ({"start": {"mode": "local", "date": "2026-01-31", "time": "09:00"}}, ["start.date"]),
        ({"start": {"mode": "local", "date": "2026-02-01", "time": "09:00"}}, []),
        ({"start": {"mode": "local", "date": "2027-06-01", "time": "09:00"}}, ["start.date"]),
    ],
)
def test_what_cannot_work_is_found_before_it_is_proposed(change: dict[str, Any], found: list[str]) -> None:
    problems = flows.check(flows.parse(raw(**change)), now=NOW, zone="America/New_York")
    assert [problem.path for problem in problems if problem.level == "error"] == found


def test_a_subject_on_a_text_message_is_only_a_warning() -> None:
    (problem,) = flows.check(flows.parse(raw(steps=[{**SEND, "channel": "sms"}])), now=NOW)
    assert problem.level == "warning"


@pytest.mark.parametrize(("message_class", "leaves"), [("marketing", ("order",)), ("transactional", ())])
def test_marketing_ends_with_a_purchase_unless_said_otherwise(message_class: str, leaves: tuple[str, ...]) -> None:
    assert flows.parse(raw(message_class=message_class)).exit_on == leaves
    assert flows.parse(raw(message_class=message_class, exit_on=[])).exit_on == ()


def test_a_variant_keeps_what_it_does_not_change() -> None:
    spec = flows.parse(raw(steps=[{**SEND, "preview_text": "P", "variants": [{"subject": "B"}, {"body": "C"}]}]))
    (_, send) = spec.sends[0]
    assert [(name, one.subject, one.preview_text, one.body) for name, one in send.contents().items()] == [
        ("A", "Hello", "P", "We have news."),
        ("B", "B", "P", "We have news."),
        ("C", "Hello", "P", "C"),
    ]


@pytest.mark.parametrize(
    ("start", "duration", "zone", "end"),
    [
        ("2026-03-01T14:00Z", "P10D", "America/New_York", "2026-03-11T13:00Z"),  # clocks went forward
        ("2026-03-01T14:00Z", "PT240H", "America/New_York", "2026-03-11T14:00Z"),
        ("2026-10-24T07:00Z", "P2D", "Europe/Berlin", "2026-10-26T08:00Z"),  # clocks went back
        ("2026-03-07T07:30Z", "P1D", "America/New_York", "2026-03-08T07:30Z"),  # 02:30 does not exist
        ("2026-10-31T05:30Z", "P1D", "America/New_York", "2026-11-01T05:30Z"),  # 01:30 twice: the first
        ("2026-01-31T12:00Z", "P4W", "UTC", "2026-02-28T12:00Z"),
        ("2026-01-31T12:00Z", "PT90M", "UTC", "2026-01-31T13:30Z"),
        ("2011-12-28T20:00Z", "P2D", "Pacific/Apia", "2011-12-30T20:00Z"),  # a day that never was there
    ],
)
def test_days_keep_the_local_time_and_hours_are_hours(start: str, duration: str, zone: str, end: str) -> None:
    assert wait_until(datetime.fromisoformat(start), duration, zone) == datetime.fromisoformat(end)


@given(
    start=st.datetimes(datetime(2024, 1, 1), datetime(2032, 1, 1)),  # noqa: DTZ001 - the zone is the next argument's
    days=st.integers(1, 90),
    zone=st.sampled_from(ZONES),
)
def test_a_wait_of_days_ends_at_the_same_time_of_day_unless_clocks_skip_it(
    start: datetime, days: int, zone: str
) -> None:
    began = start.replace(tzinfo=UTC)
    ended = wait_until(began, f"P{days}D", zone)
    wanted = began.astimezone(ZoneInfo(zone)).replace(fold=0, tzinfo=None) + timedelta(days=days)
    shown = ended.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert timedelta() <= shown - wanted <= timedelta(hours=1)
    assert ended > began


@pytest.mark.parametrize(
    ("start", "zone", "due"),
    [
        (Now(), "UTC", "2026-02-01T12:00Z"),
        (At(at=datetime(2026, 2, 2, tzinfo=UTC)), "Asia/Tokyo", "2026-02-02T00:00Z"),
        (At(at=datetime(2026, 1, 2, tzinfo=UTC)), "UTC", "2026-02-01T12:00Z"),
        (Local(date=date(2026, 2, 3), time=time(9)), "America/New_York", "2026-02-03T14:00Z"),
        (Local(date=date(2026, 2, 3), time=time(9)), "Asia/Tokyo", "2026-02-03T00:00Z"),
        (Local(date=date(2026, 2, 1), time=time(9)), "America/New_York", "2026-02-01T14:00Z"),
        (Local(date=date(2026, 2, 1), time=time(9)), "Asia/Tokyo", "2026-02-02T00:00Z"),  # over there: next morning
        (Local(date=date(2026, 1, 20), time=time(9)), "UTC", "2026-02-02T09:00Z"),
    ],
)
def test_the_first_message_comes_at_its_time_or_the_next_such_time(start: Any, zone: str, due: str) -> None:
    assert first_due(start, zone, NOW) == datetime.fromisoformat(due)


@given(day=st.dates(date(2026, 1, 1), date(2027, 1, 1)), hour=st.integers(0, 23), zone=st.sampled_from(ZONES))
def test_a_local_start_is_never_in_the_past_and_never_more_than_a_day_late(day: date, hour: int, zone: str) -> None:
    due = first_due(Local(date=day, time=time(hour)), zone, NOW)
    assert due >= NOW
    assert due - max(NOW, flows.instant(datetime.combine(day, time(hour)), zone)) <= timedelta(hours=25)


@pytest.mark.parametrize(
    ("duration", "words"), [("P10D", "10 days"), ("P1D", "1 day"), ("P2W", "2 weeks"), ("PT240H", "240 hours")]
)
def test_a_wait_is_said_as_people_say_it(duration: str, words: str) -> None:
    assert flows.spoken(duration) == words
