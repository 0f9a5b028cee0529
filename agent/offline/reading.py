"""What did the planner understand? One frozen value per sentence: what to do, the segment, and how sure it is of what.

``action`` says what the reader may do next: ``segment`` (show the segment), ``draft`` (a segment and a campaign or flow
for it), ``answer`` (figures, a customer, help, a command), ``clarify`` (ask ``question``, offering ``options``) and
``refuse`` (say ``question``, which names what is missing). Places in the sentence are character offsets into ``text``.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from domain.segments import Channel, Definition
from domain.windows import Duration, Window
from services.figures import What

STORE = "store"
"""The dataset that can be written to; all others can only be asked."""

Action = Literal["segment", "draft", "answer", "clarify", "refuse"]
Intent = Literal["segment", "flow", "stats", "customer", "clock", "command", "help", "unknown"]


Role = Literal["condition", "connective", "objective", "request", "filler", "unused"]


class Part(BaseModel):
    """What all parts share: frozen, and turning into JSON as they are."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Span(Part):
    """A stretch of the sentence and what it was read as; ``path`` is the place in the definition it became."""

    start: int
    end: int
    text: str
    role: Role
    path: str | None = None


class Assumption(Part):
    """A choice the sentence left open. ``path`` and ``value`` name the number in the definition that may be changed.

    ``path`` is dotted, e.g. ``where.of.0.value.percentile`` or ``where.of.2.during.last``; ``unit`` is ``days``,
    ``months``, ``percentile``, ``orders``, a currency ... Both are empty where there is no number to change. ``also``
    are further places where the same number stands.
    """

    word: str
    text: str
    path: str | None = None
    value: float | None = None
    unit: str = ""
    also: tuple[str, ...] = ()


class Option(Part):
    """One reading to choose from; without a definition it is an answer to type, not a segment to count."""

    label: str
    definition: Definition | None = None


class Ambiguity(Part):
    """A stretch of the sentence that can be read in two to four ways."""

    start: int
    end: int
    text: str
    options: tuple[Option, ...]


class StatsQuery(Part):
    """A question about figures. ``definition`` narrows the customers; ``None`` means all of them.

    ``what`` with the slots it uses:

    - ``count``, ``share``: of customers, or of rows of ``activity``; by ``attribute`` if given
    - ``average``, ``median``, ``minimum``, ``maximum``, ``total``: of ``metric``; by ``attribute`` if given
    - ``percentile``: the ``percentile``-th of ``metric``
    - ``distribution``: of ``metric`` or of the values of ``attribute``
    - ``top``: the ``limit`` most frequent values of ``attribute``, or of ``property`` of ``activity``, or the customers
      with the most of ``metric``; ``end`` says from which end
    - ``trend``: of ``metric``, of ``activity`` (``first``: of those who did it for the first time), or of people by an
      ``attribute`` that is a day; per ``interval``
    - ``compare``: the customers of ``definition`` with those of ``other``; ``None`` means all of them
    - ``rfm``: the grid of recency and frequency

    ``by`` says what ranks the values of a property: ``people``, ``deeds`` or one of its numbers.
    """

    what: What
    metric: str | None = None
    activity: str | None = None
    property: str | None = None
    attribute: str | None = None
    by: str | None = None
    first: bool = False
    percentile: float | None = None
    limit: int | None = None
    end: Literal["top", "bottom"] = "top"
    interval: Literal["day", "week", "month", "quarter", "year"] | None = None
    during: Window | None = None
    definition: Definition | None = None
    other: Definition | None = None


class CustomerQuery(Part):
    """One customer, named by exactly what the sentence gives: an address, a phone number, an id or a name."""

    verb: Literal["show", "why", "create", "update", "delete"] = "show"
    email: str | None = None
    phone: str | None = None
    id: str | None = None
    name: str | None = None


class Step(Part):
    """One message of a flow, ``wait`` after the one before it; ``about`` is what the sentence says it is for."""

    wait: Duration | None = None
    about: str = ""


class FlowRequest(Part):
    """What the sentence asks to be sent. ``objective`` is the goal in the marketer's words, empty where none is.

    ``template`` names stored words to send.
    """

    channel: Channel = "email"
    objective: str = ""
    about: str = ""
    steps: tuple[Step, ...] = ()
    when: str = ""
    template: str | None = None


class Command(Part):
    """An order: list, show, save, rename, delete, pause, resume, stop, activate, approve, reject, undo, reset."""

    verb: str
    noun: Literal[
        "segment", "flow", "campaign", "template", "message", "customer", "glossary", "product", "approval", "it"
    ] = "it"
    id: int | None = None
    name: str | None = None


class Reading(Part):
    """A sentence, understood as far as it was.

    ``dataset`` is the data it was read for.

    ``patched`` is true where the sentence changed the definition before it; ``unused_words`` had no effect;
    ``confidence`` is between 0 and 1.
    """

    text: str
    action: Action
    intent: Intent
    dataset: str = STORE
    definition: Definition | None = None
    patched: bool = False
    assumptions: tuple[Assumption, ...] = ()
    unused_words: tuple[str, ...] = ()
    question: str = ""
    options: tuple[Option, ...] = ()
    ambiguities: tuple[Ambiguity, ...] = ()
    spans: tuple[Span, ...] = ()
    confidence: float = 1.0
    stats: StatsQuery | None = None
    customer: CustomerQuery | None = None
    flow: FlowRequest | None = None
    clock: Duration | None = None
    command: Command | None = None

    def trace(self) -> dict[str, Any]:
        """What the reader of the answer may want to see of how it came about, as JSON."""
        return {
            "conditions": [span.model_dump() for span in self.spans if span.role == "condition"],
            "assumptions": [assumption.model_dump() for assumption in self.assumptions],
            "unused_words": list(self.unused_words),
            "ambiguities": [
                {"span": [found.start, found.end], "text": found.text, "options": [o.label for o in found.options]}
                for found in self.ambiguities
            ],
            "confidence": self.confidence,
        }
