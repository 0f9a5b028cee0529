"""Is a reading judged by the people it finds, and counted honestly?"""

import json
from pathlib import Path

import pytest

from agent.offline.reading import Reading
from domain.errors import Invalid
from domain.segments import Definition, parse
from evals.cases import Case, development, load
from evals.judging import Members, Place, judge
from evals.measures import summary

TEXAS = {"type": "attribute", "name": "state", "op": "eq", "value": "Texas"}
OHIO = {"type": "attribute", "name": "state", "op": "eq", "value": "Ohio"}
AUSTIN = {"type": "attribute", "name": "city", "op": "eq", "value": "Austin"}


def find(definition: Definition) -> Members:
    """Texas and Austin happen to be the same people."""
    return frozenset({1, 2}) if "Ohio" not in str(definition) else frozenset({2, 3})


HERE = (Place(find, lambda sql: frozenset({1, 2}) if sql == "select 1" else frozenset()),)


def given(where: dict[str, str]) -> Reading:
    return Reading(text="", action="segment", intent="segment", definition=parse({"where": where}))


def case(**fields: object) -> Case:
    return Case.model_validate({"id": 1, "text": "x", **fields})


def test_another_definition_of_the_same_people_is_right() -> None:
    assert judge(case(gold_definition=TEXAS), given(AUSTIN), HERE).correct
    assert judge(case(gold_sql="select 1"), given(AUSTIN), HERE).exact


def test_other_people_are_wrong_and_confidently_so() -> None:
    verdict = judge(case(gold_definition=TEXAS), given(OHIO), HERE)
    assert (verdict.correct, verdict.confidently_wrong, verdict.jaccard) == (False, True, 0.3333)


def test_asking_where_people_were_wanted_is_wrong_but_not_confidently() -> None:
    asked = Reading(text="", action="clarify", intent="segment", question="Which?")
    verdict = judge(case(gold_definition=TEXAS), asked, HERE)
    assert (verdict.correct, verdict.confidently_wrong) == (False, False)


def test_guessing_where_asking_was_right_is_confidently_wrong() -> None:
    assert judge(case(expected_action="clarify"), given(TEXAS), HERE).confidently_wrong


def test_a_refusal_must_name_what_is_missing() -> None:
    refused = Reading(text="", action="refuse", intent="segment", question="I know no jazz.")
    assert judge(case(expected_action="refuse", mentions="jazz"), refused, HERE).correct
    assert not judge(case(expected_action="refuse", mentions="blues"), refused, HERE).correct


def test_a_gold_that_is_no_definition_spoils_one_case_only() -> None:
    verdict = judge(case(gold_definition={"type": "attribute", "name": "state", "op": "nope"}), given(TEXAS), HERE)
    assert not verdict.correct
    assert "segment_invalid" in verdict.reason


def test_figures_count_by_category_and_by_action() -> None:
    verdicts = [judge(case(gold_definition=TEXAS), given(where), HERE) for where in (TEXAS, OHIO)]
    found = summary(verdicts)
    assert (found["correct"]["hits"], found["confidently_wrong"]["hits"]) == (1, 1)
    assert found["confusion"] == {"segment": {"segment": 2}}
    assert found["categories"]["outside"]["n"] == 2


def test_our_cases_have_ids_of_their_own_and_golds_that_are_definitions() -> None:
    cases = development()
    assert len(cases) >= 120
    assert len({one.id for one in cases}) == len(cases)
    for one in cases:
        assert one.golds or one.expected_action
        assert one.before is None or one.previous


def test_a_line_that_is_no_case_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(json.dumps({"id": 1, "text": "x"}) + "\n{broken\n", encoding="utf-8")
    with pytest.raises(Invalid) as caught:
        load(path)
    assert caught.value.path == "line 2"
