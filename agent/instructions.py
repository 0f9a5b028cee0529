"""What is a model told before the conversation? The prompt, and what this store's data is called."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from domain.catalog import Attribute, Catalog
from domain.glossary import Glossary

PROMPT = Path(__file__).with_name("prompts") / "agent.md"
VALUES = 8


def written(catalog: Catalog, glossary: Glossary) -> str:
    """The system message for a store."""
    return "\n".join([_prompt(), *_data(catalog), *_words(glossary)])


@cache
def _prompt() -> str:
    return PROMPT.read_text(encoding="utf-8")


def _data(catalog: Catalog) -> Iterator[str]:
    yield f"## The data\nMoney is in {catalog.currency}."
    yield "Attributes:"
    for name, attribute in catalog.attributes.items():
        yield f"- `{name}` ({attribute.kind}){_some(attribute)}"
    yield "Metrics:"
    for name, metric in catalog.metrics.items():
        yield f"- `{name}` ({metric.kind}): {metric.description or metric.label}"
    yield "Activities and their properties:"
    for name, activity in catalog.activities.items():
        properties = ", ".join(f"`{key}`" for key in activity.properties)
        yield f"- `{name}`: {activity.description or activity.label}" + (f" ({properties})" if properties else "")


def _words(glossary: Glossary) -> Iterator[str]:
    yield "## The glossary"
    for term in glossary.terms.values():
        yield f"- {term.word}: {term.explained()}"
    if glossary.undecided:
        yield f"Undecided: {', '.join(glossary.undecided)}."


def _some(attribute: Attribute) -> str:
    shown = [repr(value) for value in attribute.values[:VALUES]]
    more = ", ..." if len(attribute.values) > VALUES else ""
    return f": {', '.join(shown)}{more}" if shown else ""
