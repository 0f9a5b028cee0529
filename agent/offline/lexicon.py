"""Which words does the planner know in this store, and what can each mean?

A lexicon is made from a catalog (attributes, activities, metrics and their frequent values), a glossary, tags, names of
saved segments, and the small words of English. It knows no database; it is made once per catalog and kept.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.offline import titles
from agent.offline.grammar import Alternative
from agent.offline.inflections import agents, bases, forms
from agent.offline.places import aliases
from agent.offline.small_words import small_words
from agent.offline.titles import Titles
from agent.offline.tokens import Token, words
from agent.offline.typos import Targets
from domain.catalog import Activity, Attribute, Catalog, Metric
from domain.glossary import Glossary

KEPT = 8
LONGEST_VALUE = 8
MOST_CODES = 500
"""Longer lists of codes are not learned: whoever types one names the property too."""
SHORT = 3
"""So many letters are a code rather than a word."""
REPAIRABLE = (
    "subscribe_alone",
    "unsubscribe",
    "subscriber",
    "month",
    "channel",
    "reachable",
    "tagged",
    "average_word",
    "percentile_word",
)

_JOINING_SIGNS = {"-", ",", ".", "/"}


@dataclass(frozen=True, slots=True)
class Value:
    """A value, or a group of them, of an attribute (no ``owners``) or of the same property of activities."""

    name: str
    values: tuple[str, ...]
    owners: tuple[str, ...] = ()
    group: str = ""
    alias: bool = False


@dataclass(frozen=True, slots=True)
class Split:
    """A verb whose object stands in its middle: added ... to cart."""

    activity: str
    rest: tuple[str, ...]


@dataclass
class Node:
    """A place in the tree of known phrases: what may follow, and what the phrase so far can mean."""

    then: dict[str, "Node"] = field(default_factory=dict)
    senses: list[tuple[str, Any]] = field(default_factory=list)


@dataclass(repr=False)
class Lexicon:
    """All known phrases.

    ``secondary`` attributes are meant only when named; values of ``spoken`` ones, such as places, may stand alone.
    """

    catalog: Catalog
    glossary: Glossary
    root: Node
    known: frozenset[str]
    targets: Targets
    titles: tuple[Titles, ...]
    secondary: frozenset[str]
    spoken: frozenset[str]
    languages: frozenset[str]
    segments: Mapping[str, int]
    version: str

    def __repr__(self) -> str:
        """Short: a lexicon is large."""
        return f"Lexicon({self.catalog.dataset})"

    def senses(self, tokens: tuple[Token, ...]) -> list[dict[str, list[Alternative]]]:
        """For every place, the classes of the phrases that begin there, each with its ends and meanings."""
        shouted = sum(token.text.isupper() for token in tokens) * 2 > len(tokens)
        return [self._from(tokens, i, shouted=shouted) for i in range(len(tokens))]

    def _from(self, tokens: tuple[Token, ...], start: int, *, shouted: bool) -> dict[str, list[Alternative]]:
        found: dict[str, list[Alternative]] = {}
        node, i = self.root, start
        first = tokens[start]
        if first.kind not in {"word", "sign"}:
            found[f"token_{first.kind}"] = [(start + 1, first)]
        while i < len(tokens):
            token = tokens[i]
            if token.kind == "sign" and token.norm in _JOINING_SIGNS and i > start:
                i += 1
                continue
            following = node.then.get(token.stem)
            if following is None or token.kind == "quoted":
                break
            node, i = following, i + 1
            for kind, payload in node.senses:
                if kind == "code":
                    capital = i == start + 1 and first.text.isupper() and not shouted
                    found.setdefault("value" if capital or "." in first.text else "code", []).append((i, payload))
                else:
                    found.setdefault(kind, []).append((i, payload))
        return {
            kind: _gathered(alternatives) if kind in _MANY else alternatives for kind, alternatives in found.items()
        }


_MANY = frozenset(
    {"value", "code", "weak", "activity_noun", "activity_verb", "agent", "property", "attribute", "split"}
)


def _gathered(alternatives: list[Alternative]) -> list[Alternative]:
    """One alternative per end, with all its meanings as one tuple."""
    by_end: dict[int, list[Any]] = {}
    for end, payload in alternatives:
        if payload not in by_end.setdefault(end, []):
            by_end[end].append(payload)
    return [(end, tuple(payloads)) for end, payloads in by_end.items()]


_made: list[tuple[Catalog, Glossary, tuple[str, ...], tuple[tuple[str, int], ...], Lexicon]] = []
_lock = threading.Lock()


def build(
    catalog: Catalog, glossary: Glossary, *, tags: Iterable[str] = (), segments: Mapping[str, int] | None = None
) -> Lexicon:
    """The lexicon of a catalog and a glossary; ``segments`` are ids by name. The latest few are kept."""
    tag_names, segment_ids = tuple(tags), tuple(sorted((segments or {}).items()))
    with _lock:
        for entry in _made:
            if entry[0] is catalog and entry[1] == glossary and entry[2:4] == (tag_names, segment_ids):
                return entry[4]
        made = _Maker(catalog, glossary).made(tag_names, segment_ids)
        _made.insert(0, (catalog, glossary, tag_names, segment_ids, made))
        del _made[KEPT:]
        return made


class _Maker:
    """One lexicon being made."""

    def __init__(self, catalog: Catalog, glossary: Glossary) -> None:
        self.catalog = catalog
        self.glossary = glossary
        self.root = Node()
        self.stems: set[str] = set()
        self.targets: set[str] = set()

    def made(self, tags: tuple[str, ...], segments: tuple[tuple[str, int], ...]) -> Lexicon:
        secondary = _secondary(self.catalog.attributes)
        self._small_words()
        small = frozenset(self.root.then)
        self._entity()
        for name, attribute in self.catalog.attributes.items():
            for phrase in _said(name, attribute.label, attribute.synonyms):
                self._add(phrase, "attribute", name)
            if attribute.kind == "boolean":
                self._flag(name, attribute)
        for activity_name, activity in self.catalog.activities.items():
            self._activity(activity_name, activity)
        for metric_name, metric in self.catalog.metrics.items():
            self._metric(metric_name, metric)
        self._terms()
        single = frozenset(stem for stem, node in self.root.then.items() if node.senses) | small
        self._undecided()
        for name, attribute in self.catalog.attributes.items():
            self._values(name, attribute, single, secondary)
        found = self._titles(single)
        for tag in tags:
            self._add(tag, "tag_name", tag)
        for segment, segment_id in segments:
            self._add(segment, "segment_name", segment_id)
        return Lexicon(
            catalog=self.catalog,
            glossary=self.glossary,
            root=self.root,
            known=frozenset(self.stems),
            targets=Targets.of(self.targets),
            titles=found,
            secondary=secondary,
            spoken=frozenset(
                name for name, entry in self.catalog.attributes.items() if aliases(name, entry) or "city" in name
            ),
            languages=frozenset(name for name in self.catalog.attributes if "language" in name),
            segments=dict(segments),
            version=small_words()["version"],
        )

    def _add(self, phrase: str, kind: str, payload: Any, *, target: bool = True) -> None:
        row = words(phrase)
        if not row:
            return
        node = self.root
        for stem in row:
            node = node.then.setdefault(stem, Node())
        if (kind, payload) not in node.senses:
            node.senses.append((kind, payload))
        self.stems.update(row)
        if target:
            self.targets.update(row)

    def _small_words(self) -> None:
        table = small_words()
        for name, phrases in table["classes"].items():
            for phrase in phrases:
                self._add(phrase, name, True, target=name in REPAIRABLE)  # noqa: FBT003 - being there is its meaning
        for name, meanings in table["valued"].items():
            for payload, phrases in meanings.items():
                for phrase in phrases:
                    self._add(phrase, name, payload, target=name in REPAIRABLE)
        for name, phrases in table["request"].items():
            for phrase in phrases:
                self._add(phrase, name, True, target=False)  # noqa: FBT003

    def _entity(self) -> None:
        entity = self.catalog.entity
        for phrase in (entity.label, entity.plural, *entity.synonyms):
            self._add(phrase, "entity", True)  # noqa: FBT003

    def _flag(self, name: str, attribute: Attribute) -> None:
        """A yes-or-no attribute is said like a verb: owns machine, own a machine; or like a word: is wholesale."""
        for phrase in _said(name, attribute.label, attribute.synonyms):
            first, _, rest = phrase.removeprefix("is ").removeprefix("has ").partition(" ")
            for form in forms(first):
                for article in ("", "a ", "an ", "the ", "our "):
                    self._add(f"{form} {article}{rest}" if rest else form, "flag", name, target=not article)

    def _activity(self, name: str, activity: Activity) -> None:
        said = (*_said(name, activity.label, activity.synonyms), activity.plural, *(activity.counted or ()))
        for phrase in filter(None, said):
            self._add(phrase, "activity_noun", name)
        for verb in activity.verbs:
            self._verb(verb, "activity", name)
        if not activity.verbs or activity.verbs == (activity.label,):
            self._event(name)
        for key, entry in activity.properties.items():
            for phrase in _said(key, entry.label, entry.synonyms):
                if not entry.refers:  # nobody names a flow by its number
                    self._add(phrase, "property", (name, key))

    def _verb(self, verb: str, kind: str, name: str) -> None:
        first, _, rest = verb.partition(" ")
        for form in forms(first):
            self._add(f"{form} {rest}", f"{kind}_verb", name)
            if rest.startswith(("to ", "in ", "into ", "on ", "off ")):
                self._add(form, "split", Split(name, words(rest)))
        if not rest:
            for form in agents(first):
                self._add(form, "agent" if kind == "activity" else f"{kind}_agent", name)

    def _event(self, name: str) -> None:
        """A custom event is named like ``quiz_completed``: what was done stands last."""
        parts = name.lower().replace("-", "_").split("_")
        last, rest = parts[-1], " ".join(parts[:-1])
        unused = last not in self.root.then
        if rest and last.endswith(("ed", "en", "t")):
            for phrase in (
                f"{last} {rest}",
                f"{last} a {rest}",
                f"{last} the {rest}",
                f"{last} our {rest}",
                f"{last} an {rest}",
            ):
                self._verb(phrase, "activity", name)
            self._verb(f"{rest} {last}", "activity", name)
            if unused:
                self._verb(last, "activity", name)
            for base in bases(last):
                self._add(f"{rest} {base}", "activity_noun", name)
                self._add(base, "activity_noun", name)
        for short, long in (
            ("login", "log in"),
            ("signup", "sign up"),
            ("logout", "log out"),
            ("checkout", "check out"),
        ):
            if parts == [short]:
                self._verb(long, "activity", name)
                self._verb(short, "activity", name)

    def _metric(self, name: str, metric: Metric) -> None:
        for phrase in _said(name, metric.label, metric.synonyms):
            if " " not in phrase and phrase.endswith(("ent", "ed", "aid")):
                self._verb(phrase, "metric", name)
            self._add(phrase, "metric", name)

    def _terms(self) -> None:
        for term in self.glossary.terms.values():
            for phrase in (term.word, *term.synonyms):
                self._add(phrase, f"term_{term.kind}", term)

    def _undecided(self) -> None:
        for entry in self.glossary.undecided.values():
            for phrase in (entry.word, *entry.synonyms):
                self._add(phrase, f"undecided_{entry.kind}", entry, target=False)

    def _values(self, name: str, attribute: Attribute, taken: frozenset[str], secondary: frozenset[str]) -> None:
        if attribute.private or attribute.kind != "text":
            return
        found = aliases(name, attribute)
        place = any(alias.place for alias in found)
        if len(attribute.values) > MOST_CODES and titles.are_codes(attribute.values):
            return
        for value in attribute.values:
            short = len(value) <= SHORT and not place
            self._value(value, Value(name, (value,)), taken, weak=name in secondary or short)
            if "city" in name and len(value) > SHORT and " " not in value:
                self._value(
                    f"{value.removesuffix('e')}er", Value(name, (value,), alias=True), taken, weak=name in secondary
                )
        for alias in found:
            group = alias.phrase if len(alias.values) > 1 else ""
            payload = Value(name, alias.values, group=group, alias=True)
            if alias.code:
                kind = "weak" if name in secondary or not alias.place else "code"
                self._add(alias.phrase, kind, payload, target=False)
            else:
                self._value(alias.phrase, payload, taken, weak=name in secondary)

    def _value(self, phrase: str, payload: Value, taken: frozenset[str], *, weak: bool) -> None:
        row = words(phrase)
        if not row or len(row) > LONGEST_VALUE:
            return
        alone = len(row) == 1
        short = alone and (len(row[0]) < SHORT or (len(row[0]) == SHORT and phrase.isupper()))
        unclear = weak or (alone and (row[0] in taken or not row[0].isalpha()))
        self._add(phrase, "weak" if unclear else "code" if short else "value", payload, target=not short)

    def _titles(self, taken: frozenset[str]) -> tuple[Titles, ...]:
        owners: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for activity_name, activity in self.catalog.activities.items():
            for key, entry in activity.properties.items():
                if entry.kind == "text" and entry.values and not entry.private:
                    owners.setdefault((key, entry.values), []).append(activity_name)
        for (key, values), names in owners.items():
            coded = titles.are_codes(values)
            if coded and len(values) > MOST_CODES:
                continue
            for value in values:
                row = words(value)
                weak = coded or (len(row) == 1 and (row[0] in taken or not row[0].isalpha()))
                self._add(value, "weak" if weak else "value", Value(key, (value,), tuple(names)), target=not coded)
        return tuple(
            titles.index(key, values, tuple(names))
            for (key, values), names in owners.items()
            if not titles.are_codes(values)
        )


def _said(name: str, label: str, synonyms: Iterable[str]) -> Iterator[str]:
    yield name.replace("_", " ")
    yield label
    yield from synonyms


def _secondary(attributes: Mapping[str, Attribute]) -> frozenset[str]:
    """Attributes that are a special case of another, as ``billing country`` is: meant only when they are named."""
    labels = {name: attribute.label.lower() for name, attribute in attributes.items()}
    return frozenset(
        name for name, label in labels.items() if any(label.endswith(f" {other}") for other in labels.values())
    )
