"""Does the planner still understand what it understood? The development cases on one seeded shop."""

from evals.cases import development
from evals.harness import digest, run
from evals.measures import summary
from evals.metamorphic import relations
from evals.outside import judged
from evals.running import Ground, seeded
from evals.stores import NOW, SEEDS, shops

LEAST_RIGHT, MOST_WRONG = 0.95, 0.02


def test_nearly_all_cases_are_right_and_hardly_any_confidently_wrong() -> None:
    with seeded(SEEDS[:1]) as ground:
        found = summary(run("development", development(), ground))
        held = [holds for _, holds in relations(ground)]
        alike = Ground.from_json(ground.as_json())
        readings = [[where.read(case)[0] for case in development()] for where in (ground, alike)]
    assert found["exact"]["rate"] >= LEAST_RIGHT
    assert found["confidently_wrong"]["rate"] <= MOST_WRONG
    assert all(held)
    assert digest(readings[0]) == digest(readings[1])


def test_every_gold_finds_somebody_and_not_everybody() -> None:
    with shops(SEEDS[:1]) as (shop,), shop.session() as session:
        found = judged(session, [case for case in development() if case.gold_definition], NOW)
    sizes = {case["id"]: case["gold_sizes"][0] for case in found["cases"] if case["gold_sizes"]}
    empty = {name for name, size in sizes.items() if size == 0}
    assert empty <= {"attack-06"}, "a gold that nobody meets proves nothing"
