"""Does the engine do each thing once, in its time, and nothing after the end?"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import enrollments, flows
from domain.enrollments import Due, Effect, Left, Run, decide, sticky, timeline

T0 = datetime(2026, 6, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
AUDIENCE = {"definition": {"where": {"type": "consent", "channel": "email"}}}
SEND = {"type": "send", "subject": "Hello", "body": "We have news."}


def wait(duration: str) -> dict[str, str]:
    """A wait as JSON."""
    return {"type": "wait", "duration": duration}


def flow(*steps: dict[str, Any], **changes: Any) -> flows.FlowSpec:
    """A flow of these steps."""
    return flows.parse({"name": "Test", "audience": AUDIENCE, "steps": list(steps), **changes})


def fresh(zone: str = "UTC") -> Run:
    """Somebody who has just come in and is due at once."""
    return Run(entered_at=T0, zone=zone, due_at=T0)


def never(_: str) -> float:
    """A draw that holds nobody out and takes the last wording."""
    return 0.999


def play(spec: flows.FlowSpec, events: list[tuple[datetime, Any]], zone: str = "UTC") -> tuple[Run, list[Effect]]:
    """Run events against a flow."""
    run, done = fresh(zone), []
    for at, event in events:
        run, effects = decide(spec, run, event, at, never)
        done += effects
    return run, done


@pytest.mark.parametrize(
    ("steps", "moments"),
    [
        ([SEND], [("send", 0)]),
        ([SEND, wait("P10D"), SEND], [("send", 0), ("wait", 0), ("send", 10)]),
        ([SEND, SEND], [("send", 0), ("send", 0)]),
        ([wait("P1D"), SEND], [("wait", 0), ("send", 1)]),
        ([wait("P1D"), wait("P2D"), SEND], [("wait", 0), ("wait", 1), ("send", 3)]),
        (
            [SEND, wait("P10D"), SEND, wait("P3D"), SEND, {"type": "exit"}],
            [("send", 0), ("wait", 0), ("send", 10), ("wait", 10), ("send", 13), ("exit", 13)],
        ),
    ],
)
def test_the_timeline_says_what_happens_when(steps: list[dict[str, Any]], moments: list[tuple[str, int]]) -> None:
    assert [(one.kind, (one.at - T0).days) for one in timeline(flow(*steps), T0)] == moments


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Australia/Lord_Howe"])
def test_a_run_that_is_never_late_follows_its_timeline(zone: str) -> None:
    start = datetime(2026, 3, 1, 14, tzinfo=UTC)
    spec = flow(SEND, wait("P10D"), SEND, wait("PT36H"), SEND, wait("P2W"), SEND)
    run, sent = Run(start, zone, start), []
    while run.status == "waiting":
        late = run.due_at + timedelta(seconds=40)
        run, effects = decide(spec, run, Due(), late, never)
        sent += [effect.at for effect in effects if effect.kind == "send"]
    assert sent == [one.at for one in timeline(spec, start, zone) if one.kind == "send"]


def test_nothing_happens_before_its_time() -> None:
    spec = flow(SEND, wait("P10D"), SEND)
    run, _ = play(spec, [(T0, Due())])
    assert decide(spec, run, Due(), T0 + 10 * DAY - timedelta(seconds=1), never) == (run, [])
    after, effects = decide(spec, run, Due(), T0 + 10 * DAY, never)
    assert [effect.kind for effect in effects] == ["send", "end"]
    assert after.status == "done"


@pytest.mark.parametrize(
    ("exit_on", "reason", "status"),
    [
        (["order"], "ordered", "exited"),
        ([], "ordered", "waiting"),
        ([], "unsubscribed", "exited"),
        ([], "stop", "exited"),
        (["order"], "canceled", "exited"),
    ],
)
def test_who_leaves_gets_nothing_more(exit_on: list[str], reason: str, status: str) -> None:
    spec = flow(SEND, wait("P10D"), SEND, exit_on=exit_on)
    run, _ = play(spec, [(T0, Due()), (T0 + DAY, Left(reason))])
    assert run.status == status
    later, effects = decide(spec, run, Due(), T0 + 10 * DAY, never)
    assert bool(effects) == (status == "waiting")
    assert later.reason == (reason if status == "exited" else None)


def test_a_late_step_is_done_and_the_next_wait_counts_from_then() -> None:
    spec = flow(SEND, wait("P10D"), SEND, wait("P10D"), SEND)
    run, _ = play(spec, [(T0, Due()), (T0 + 13 * DAY, Due())])
    assert run.due_at == T0 + 23 * DAY


def test_a_first_message_lapses_a_day_after_its_time_and_later_ones_do_not() -> None:
    spec = flow(SEND, wait("P10D"), SEND)
    _, done = play(spec, [(T0 + 3 * DAY, Due()), (T0 + 20 * DAY, Due())])
    first, second = [effect for effect in done if effect.kind == "send"]
    assert first.expires_at == T0 + DAY
    assert second.expires_at == T0 + 21 * DAY


def test_two_messages_without_a_wait_have_two_numbers() -> None:
    _, done = play(flow(SEND, SEND), [(T0, Due())])
    assert [(effect.kind, effect.seq, effect.step) for effect in done] == [
        ("send", 0, 0),
        ("send", 1, 1),
        ("end", 2, 2),
    ]


def test_the_held_out_are_drawn_once_and_get_nothing() -> None:
    spec = flow(SEND, wait("P1D"), SEND, guardrails={"holdout_percent": 10})
    held, effects = decide(spec, fresh(), Due(), T0, lambda _: 0.0999)
    assert (held.status, [effect.kind for effect in effects]) == ("held_out", ["end"])
    kept, _ = decide(spec, fresh(), Due(), T0, lambda _: 0.1)
    again, _ = decide(spec, kept, Due(), T0 + DAY, lambda _: 0.0)
    assert again.status == "done"


def test_draws_are_the_same_every_time_and_spread_evenly() -> None:
    drawn = [sticky(7, customer)("variant:0") for customer in range(4_000)]
    assert drawn == [sticky(7, customer)("variant:0") for customer in range(4_000)]
    assert all(0 <= number < 1 for number in drawn)
    thirds = [sum(place <= number * 3 < place + 1 for number in drawn) for place in range(3)]
    assert all(1_150 < count < 1_520 for count in thirds)
    assert sticky(7, 1)("holdout") != sticky(8, 1)("holdout") != sticky(7, 1)("variant:0")


STEPS = st.lists(
    st.one_of(
        st.just(SEND),
        st.sampled_from(["P1D", "P10D", "PT5H", "P1W"]).map(wait),
        st.just({**SEND, "variants": [{"subject": "B"}, {"subject": "C"}]}),
        st.just({"type": "exit"}),
    ),
    min_size=1,
    max_size=8,
)
HAPPENINGS = st.lists(
    st.tuples(st.integers(0, 30 * 24), st.sampled_from(["due", "due", "due", "ordered", "unsubscribed", "stop"])),
    max_size=25,
)


@given(steps=STEPS, happenings=HAPPENINGS, draw=st.floats(0, 0.9999), holdout=st.integers(0, 50), leave=st.booleans())
def test_whatever_happens_each_effect_is_numbered_once_in_order_and_none_follows_the_end(
    steps: list[dict[str, Any]], happenings: list[tuple[int, str]], draw: float, holdout: int, *, leave: bool
) -> None:
    spec = flow(*steps, guardrails={"holdout_percent": holdout}, exit_on=["order"] if leave else [])
    run, done, clock = fresh(), [], T0
    for hours, what in happenings:
        clock += timedelta(hours=hours)
        before = run
        run, effects = decide(spec, run, Due() if what == "due" else Left(what), clock, lambda _: draw)
        assert (run, effects) == decide(spec, before, Due() if what == "due" else Left(what), clock, lambda _: draw)
        if before.status != "waiting":
            assert (run, effects) == (before, [])
        done += effects
    assert [effect.seq for effect in done] == list(range(len(done)))
    assert len(done) <= len(steps) + 1
    assert [effect.kind for effect in done[:-1]].count("end") == 0
    assert (run.status != "waiting") == bool(done and done[-1].kind == "end")
    sent = [effect.step for effect in done if effect.kind == "send"]
    assert sent == sorted(set(sent))
    assert all(effect.expires_at is not None for effect in done if effect.kind == "send")


@given(steps=STEPS)
def test_a_run_ends_by_itself_after_no_more_turns_than_it_has_steps(steps: list[dict[str, Any]]) -> None:
    spec, run, turns = flow(*steps, exit_on=[]), fresh(), 0
    while run.status == "waiting":
        run, _ = decide(spec, run, Due(), run.due_at, never)
        turns += 1
        assert turns <= len(steps) + 1
    first_exit = next((place for place, step in enumerate(steps) if step["type"] == "exit"), len(steps))
    sent = [effect for effect in enrollments.timeline(spec, T0) if effect.kind == "send"]
    assert len(sent) == sum(step["type"] == "send" for step in steps[:first_exit])
