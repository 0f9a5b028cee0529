"""How are all cases run? As a pydantic-evals dataset, and beside it the checks that need more than one sentence."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("LOGFIRE_IGNORE_NO_CONFIG", "1")  # pydantic-evals can send traces; these stay here

from pydantic_evals import Case as Asked
from pydantic_evals import Dataset
from pydantic_evals.evaluators import EvaluationReason, Evaluator, EvaluatorContext

from agent.offline.reading import Reading
from evals import baselines, metamorphic
from evals.cases import Case, development
from evals.judging import Verdict, judge
from evals.measures import share, summary
from evals.running import Ground, seeded

SEEDS_OF_HASHES = ("0", "1", "4711")


@dataclass
class Judged(Evaluator[Case, Verdict, None]):
    """Hands a verdict on as scores: right or not, with the reason, and the share of people in common."""

    def evaluate(self, ctx: EvaluatorContext[Case, Verdict, None]) -> dict[str, Any]:
        """The scores of one case."""
        found: dict[str, Any] = {"correct": EvaluationReason(ctx.output.correct, ctx.output.reason or None)}
        if ctx.output.jaccard is not None:
            found["jaccard"] = ctx.output.jaccard
        return found


def run(name: str, cases: tuple[Case, ...], ground: Ground) -> list[Verdict]:
    """The verdicts on a set of cases, in their order."""
    dataset = Dataset[Case, Verdict, None](
        name=name, cases=[Asked(name=case.id, inputs=case) for case in cases], evaluators=[Judged()]
    )
    # In a thread of its own: whoever calls may have an event loop running, and evaluating starts one.
    with ThreadPoolExecutor(1) as own:
        report = own.submit(
            lambda: asyncio.run(dataset.evaluate(ground.verdict, progress=False, max_concurrency=1))
        ).result()
    if report.failures:
        first = report.failures[0]
        message = f"{first.name}: {first.error_message}"
        raise RuntimeError(message)
    found = {one.name: one.output for one in report.cases}
    return [found[case.id] for case in cases]


def everything(sets: dict[str, tuple[Case, ...]]) -> dict[str, Any]:
    """All figures: each set of cases, both baselines, the relations between sentences, and whether hashes matter."""
    with seeded() as ground:
        verdicts = {name: run(name, cases, ground) for name, cases in sets.items() if cases}
        cases = development()
        held = list(metamorphic.relations(ground))
        return {
            "grammar": ground.lexicon.version,
            "sets": {name: summary(found) for name, found in verdicts.items()},
            "baselines": {
                "keyword only": _baseline(cases, ground, lambda text: baselines.keyword_only(text, ground.lexicon)),
                "always asking": _baseline(cases, ground, baselines.always_asking),
            },
            "metamorphic": {**share(holds for _, holds in held), "broken": [said for said, holds in held if not holds]},
            "deterministic": _deterministic(ground, cases),
            "verdicts": [verdict.as_json() for found in verdicts.values() for verdict in found],
        }


def _baseline(cases: tuple[Case, ...], ground: Ground, reader: Any) -> dict[str, Any]:
    found = summary([judge(case, reader(case.text), ground.places) for case in cases])
    return {key: found[key] for key in ("correct", "exact", "confidently_wrong")}


def digest(readings: list[Reading]) -> str:
    """One fingerprint of many readings."""
    said = json.dumps([reading.model_dump(mode="json") for reading in readings], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _deterministic(ground: Ground, cases: tuple[Case, ...]) -> bool:
    """Whether two runs here, and runs in processes with other hash seeds, read every sentence the same."""
    found = {digest([ground.read(case)[0] for case in cases]) for _ in range(2)}
    with tempfile.TemporaryDirectory() as folder:
        words = Path(folder) / "words.json"
        words.write_text(ground.as_json(), encoding="utf-8")
        command = [sys.executable, "-m", "evals.fingerprint", str(words)]
        for seed in SEEDS_OF_HASHES:
            environment = {**os.environ, "PYTHONHASHSEED": seed}
            told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            found.add(told.stdout.strip())
    return len(found) == 1
