"""What is asked, and what would be right? One JSON object per line, in our files and in anybody's."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from domain.errors import Invalid
from domain.segments import Definition, parse

FOLDER = Path(__file__).with_name("cases")
DEVELOPMENT = ("core", "wide", "conversation", "limits", "paraphrases")
HELD_OUT = "heldout"


class Case(BaseModel):
    """A sentence and what is right for it.

    ``gold_definition`` is a definition or only its condition, ``also`` further ones that are as right; ``gold_sql``
    selects the ids instead. ``expected_action`` is one action or several; without it a gold means that people are to be
    found. ``previous`` is the segment the conversation was about; ``mentions`` a word the answer must name.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    text: str
    category: str = "outside"
    previous: dict[str, Any] | None = None
    gold_definition: dict[str, Any] | None = None
    also: tuple[dict[str, Any], ...] = ()
    gold_sql: str | None = None
    expected_action: str | tuple[str, ...] | None = None
    intent: str | None = None
    slots: dict[str, Any] | None = None
    clock: str | None = None
    mentions: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _id_as_text(cls, raw: Any) -> Any:
        return {**raw, "id": str(raw["id"])} if isinstance(raw, dict) and "id" in raw else raw

    @property
    def golds(self) -> tuple[Definition, ...]:
        """The definitions that are right. Raises Invalid for one that is none."""
        raws = ([self.gold_definition] if self.gold_definition else []) + list(self.also)
        return tuple(_definition(raw) for raw in raws)

    @property
    def before(self) -> Definition | None:
        """The definition the conversation was about."""
        return _definition(self.previous) if self.previous else None

    @property
    def actions(self) -> frozenset[str]:
        """The actions that are right."""
        if isinstance(self.expected_action, str):
            return frozenset({self.expected_action})
        if self.expected_action:
            return frozenset(self.expected_action)
        return frozenset({"segment", "draft"})


def load(path: Path) -> tuple[Case, ...]:
    """The cases of a file. Raises Invalid naming the line that is none, or a file that cannot be read."""
    return tuple(_lines(path))


def named(name: str) -> tuple[Case, ...]:
    """The cases of one of our own files; none where it does not exist."""
    path = FOLDER / f"{name}.jsonl"
    return load(path) if path.exists() else ()


def development() -> tuple[Case, ...]:
    """All cases that the planner may be tuned on."""
    return tuple(case for name in DEVELOPMENT for case in named(name))


def _lines(path: Path) -> Iterator[Case]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(
            "cases_unreadable", f"{path} cannot be read: {error}", "give a JSON Lines file in UTF-8"
        ) from None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield Case.model_validate(json.loads(line))
        except (ValidationError, ValueError) as error:
            fix = 'each line is one object, for example {"id": "1", "text": "...", "gold_sql": "select ..."}'
            raise Invalid("case_invalid", f"line {number} is no case: {error}", fix, f"line {number}") from None


def _definition(raw: dict[str, Any]) -> Definition:
    return parse({"where": raw} if "type" in raw else raw)
