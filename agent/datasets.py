"""What is the answer to a sentence about a dataset that is a DuckDB file? The planner's, of figures and of members."""

from datetime import datetime
from typing import Any

from agent.answers import Answer
from agent.knowledge import words as words_of
from agent.offline import findings, parser, words
from agent.offline.phrases import plain
from agent.offline.reading import Reading
from domain.catalog import Catalog
from domain.segments import Definition
from services import datasets, figures, sources
from services.datasets import Dataset

SHOWN = 20


def ask(text: str, *, dataset: Dataset, now: datetime) -> Answer:
    """Answer one sentence as of ``now``. The dataset must know the words of its data (``datasets.open_dataset``)."""
    catalog = dataset.catalog
    today = now.astimezone(dataset.zone).date()
    reading = parser.read(text, words_of(catalog), today=today)
    told: dict[str, Any] = {
        "assumptions": [assumption.model_dump(mode="json") for assumption in reading.assumptions],
        "unused_words": list(reading.unused_words),
        "trace": {"action": reading.action, "intent": reading.intent, **reading.trace()},
    }
    if reading.action in {"segment", "draft"} and reading.definition:
        return _members(dataset, reading, reading.definition, now).model_copy(update=told)
    if reading.action == "clarify":
        options = [
            {"label": option.label, "definition": option.definition.as_json() if option.definition else None}
            for option in reading.options
        ]
        said = "\n".join([plain(reading.question), *(f"- {plain(option.label)}" for option in reading.options)])
        return Answer(action="clarify", text=said, question=reading.question, options=options, **told)
    if reading.action == "answer" and reading.stats:
        query = figures.Question.model_validate(reading.stats.model_dump(exclude_none=True))
        found = figures.answer(sources.of_dataset(dataset, now=now), query).model_dump(mode="json")
        return Answer(action="answer", text=findings.figures(found, reading), figures=found, **told)
    said = words.refusal(reading) if reading.action == "refuse" else _help(catalog)
    return Answer(action="refuse", text=said, question=said, **told)


def _members(dataset: Dataset, reading: Reading, definition: Definition, now: datetime) -> Answer:
    """How many, who they are, and the first of them by id."""
    preview = datasets.preview(dataset, definition, now=now)
    called = (dataset.catalog.entity.label, dataset.catalog.entity.plural)
    rows = datasets.described(dataset, definition, now=now, limit=SHOWN)
    said = words.size(preview.model_dump(mode="json") | {"called": called}, reading)
    return Answer(
        action="segment",
        text=said + words.listed(rows, called, preview.audience_size),
        definition=definition.as_json(),
        read_back=preview.read_back,
        audience_size=preview.audience_size,
        members=rows,
    )


def _help(catalog: Catalog) -> str:
    entity = catalog.entity
    deeds = ", ".join(activity.plural or activity.label for activity in catalog.activities.values())
    asked = ", ".join(entry.label for entry in catalog.attributes.values())
    return f"Ask for {entity.plural}, by {asked}, or by their {deeds}."
