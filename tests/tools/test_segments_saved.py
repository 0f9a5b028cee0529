"""Is the model told of saved segments what their pages show?"""

import json
from contextlib import nullcontext
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from sqlalchemy.orm import Session

from domain.segments import parse
from services import segments, segments_refresh
from services.users import Person
from tests.planted import NOW, Planted
from tools.context import Context
from tools.segments import explain_membership, list_segments
from tools.segments_saved import inspect_segment

DAY = timedelta(days=1)
LAPSED = {"type": "activity", "name": "order", "op": "none", "during": {"last": "30d"}}
RICH = {"type": "metric", "name": "ltv", "op": "gte", "value": 100}


@pytest.fixture
def runtime(session: Session) -> Any:
    """A run two days after the segments were first counted; Ben has lapsed in between."""
    shop = Planted.store(session)
    for name, total, days in (("Ada", 100, 50), ("Ben", 90, 29), ("Cleo", 500, 3)):
        shop.person(name)
        shop.order(name, total, days * DAY)
    for name, where in (("Lapsed", LAPSED), ("Rich", RICH)):
        saved = segments.save(session, name=name, definition=parse({"where": where}), by="mia", now=NOW)
        for now in (NOW, NOW + 2 * DAY):
            segments_refresh.refresh(session, saved.id, now=now)
    context = Context(
        transaction=lambda: nullcontext(session),
        person=Person(1, "mia", "marketer"),
        thread_id="t",
        trace_id="t",
        planner=FakeListChatModel(responses=[]),
        as_of=NOW + 2 * DAY,
    )
    return SimpleNamespace(context=context, ids=shop.ids)


def told(tool: Any, runtime: Any, **slots: Any) -> Any:
    """What the model reads."""
    text, shown = tool.func(runtime=runtime, **slots)
    assert shown["summary"]
    return json.loads(text)


def inspected(runtime: Any, what: str, **slots: Any) -> Any:
    return told(inspect_segment, runtime, what=what, segment="Lapsed", **slots)[what]


def test_the_model_is_told_what_became_of_a_saved_segment(runtime: Any) -> None:
    assert [(one["size"], one["source"]) for one in inspected(runtime, "history", days=3)] == [
        (1, "counted"),
        (2, "replayed"),
        (2, "counted"),
    ]
    assert [(one["customer"]["id"], one["move"]) for one in inspected(runtime, "came_and_went")] == [
        (runtime.ids["Ben"], "entered")
    ]
    assert inspected(runtime, "overlap", others=["Rich"])["pairs"][0]["both"] == 1
    assert inspected(runtime, "near_misses")[0]["count"] == 1
    assert inspected(runtime, "versions")["latest_change"]["changes"] == []
    assert inspected(runtime, "uses") == []


def test_the_model_is_told_how_fresh_a_size_is_and_since_when_somebody_is_in(runtime: Any) -> None:
    listed = told(list_segments, runtime)["segments"]
    assert {row["name"]: row["counted"]["size"] for row in listed} == {"Lapsed": 2, "Rich": 2}
    lapsed = next(row["id"] for row in listed if row["name"] == "Lapsed")
    said = told(explain_membership, runtime, customer_id=runtime.ids["Ben"], segment_id=lapsed)
    assert said["member"]
    assert said["reasons"][0]["fact"].startswith("none then; the last was on")
    assert said["stays"] == [{"entered_at": (NOW + 2 * DAY).isoformat().replace("+00:00", "Z"), "left_at": None}]
