"""Why is one person in a segment, or not? Each condition with the fact it rests on, and since when that is so."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import RowMapping
from sqlalchemy.orm import Session

from db.segments_activities import Stretch
from db.segments_evidence import interval, occurred
from db.segments_tables import Scope
from domain import segments as seg
from domain.errors import NotFound
from domain.rfm import group_of
from domain.segments_english import CHANNELS, CONSENTS, TOPICS, money, sentence
from domain.windows import Window
from services import segments
from services.segments import Value


class Reason(Value):
    """One condition about one person: it holds, it does not, or it is unknown (``None``).

    ``negated`` ones must not hold. ``fact`` says what it rests on, ``value`` is that as data, ``at`` is when that
    happened or since when it is so, and ``threshold`` is a number that was read off the data. ``inside`` are the
    reasons within another segment.
    """

    path: str
    text: str
    holds: bool | None
    value: Any
    threshold: Any
    at: datetime | None
    fact: str
    negated: bool = False
    inside: tuple["Reason", ...] = ()


class Why(Value):
    """Whether one person is in a segment, and why."""

    customer_id: int
    member: bool
    reasons: tuple[Reason, ...]
    as_of: datetime


@dataclass(frozen=True)
class _Seen:
    """A fact in words, and when it happened or since when it is so."""

    fact: str
    at: datetime | None = None
    value: Any = None


@dataclass(frozen=True)
class _Asked:
    """One person asked about one condition, which looked at ``value``."""

    session: Session
    scope: Scope
    customer_id: int
    path: str
    value: Any

    def one(self, statement: sa.Select[*tuple[Any, ...]]) -> RowMapping | None:
        return segments.run(self.session, statement).mappings().one_or_none()

    def since(self, table: str, which: str) -> RowMapping | None:
        """The latest state of an interval table."""
        return self.one(interval(table, which, self.customer_id, self.scope))

    def occurred(self, activity: str, during: Window | None, where: tuple[seg.Filter, ...] = ()) -> RowMapping | None:
        return self.one(occurred(Stretch(activity, during, where), self.customer_id, self.scope, self.path))

    def day(self, at: datetime | date | None) -> str:
        """A day on the store's calendar."""
        at = at.astimezone(self.scope.zone) if isinstance(at, datetime) else at
        return f"{at:%-d %b %Y}" if at else "never"

    def said(self, kind: str) -> str:
        """The value as people read it."""
        if self.value is None:
            return "not known"
        if kind == "money":
            return money(self.value, self.scope.catalog.currency)
        if isinstance(self.value, datetime | date):
            return self.day(self.value)
        number = isinstance(self.value, float | int | Decimal) and not isinstance(self.value, bool)
        return f"{float(self.value):,.6g}" if number else f"{self.value}"


def why(
    session: Session, definition: seg.Definition, customer_id: int, *, now: datetime, within: tuple[int, ...] = ()
) -> Why:
    """Each condition about one person. Raises NotFound (``unknown_customer``) for who was not known by then."""
    question = segments.ask(session, definition, now=now, within=within)
    found = segments.run(session, question.sql.why(customer_id)).mappings().one_or_none()
    if found is None:
        fix = "give the id of a customer who existed at that time"
        raise NotFound("unknown_customer", f"there is no customer {customer_id}", fix, "customer_id")
    scope, names = segments.scope(session, now=now, within=within), segments.names(session)
    places = {fact.path: i for i, fact in enumerate(question.sql.facts)}
    reasons = []
    for path, leaf, negated in _leaves(definition.where, "where"):
        text = sentence(seg.Definition(dataset=definition.dataset, where=leaf), question.catalog, names)
        if isinstance(leaf, seg.Member):
            inner = why(session, scope.resolve(leaf.id, f"{path}.id"), customer_id, now=now, within=(*within, leaf.id))
            reasons.append(_nested(inner, path, text, negated=negated))
            continue
        i = places[path]
        seen = _seen(leaf, _Asked(session, scope, customer_id, path, found[f"value_{i}"]))
        reasons.append(
            Reason(
                path=path,
                text=text,
                holds=None if found[f"unknown_{i}"] else found[f"holds_{i}"],
                value=found[f"value_{i}"] if seen.value is None else seen.value,
                threshold=found[f"threshold_{i}"],
                at=seen.at,
                fact=seen.fact,
                negated=negated,
            )
        )
    return Why(customer_id=customer_id, member=found["member"], reasons=tuple(reasons), as_of=now)


def _leaves(node: seg.Leaf | seg.Group, path: str, *, negated: bool = False) -> Iterator[tuple[str, seg.Leaf, bool]]:
    """The conditions that are no groups, each with its path and whether it must not hold."""
    match node:
        case seg.Not():
            yield from _leaves(node.of, f"{path}.of", negated=not negated)
        case seg.All() | seg.AnyOf() | seg.AtLeast():
            for i, child in enumerate(node.of):
                yield from _leaves(child, f"{path}.of.{i}", negated=negated)
        case _:
            yield path, node, negated


def _nested(inner: Why, path: str, text: str, *, negated: bool) -> Reason:
    fact = "is in it" if inner.member else "is not in it"
    return Reason(
        path=path,
        text=text,
        holds=inner.member,
        value=inner.member,
        threshold=None,
        at=None,
        fact=fact,
        negated=negated,
        inside=inner.reasons,
    )


def _seen(leaf: seg.Leaf, asked: _Asked) -> _Seen:  # noqa: C901, PLR0911 - one case per kind of condition
    """What a condition rests on."""
    catalog = asked.scope.catalog
    match leaf:
        case seg.Attribute():
            return _Seen(asked.said("" if leaf.measure else catalog.attribute(leaf.name, "", leaf.path).kind))
        case seg.Metric() | seg.Rank():
            name = leaf.name if isinstance(leaf, seg.Metric) else leaf.metric
            entry = catalog.metric(name)
            done = asked.occurred(entry.terms[0].activity, leaf.during if isinstance(leaf, seg.Metric) else None)
            at = done["last_at"] if done else None
            last = f", the last {catalog.activity(entry.terms[0].activity).label} on {asked.day(at)}" if at else ""
            return _Seen(f"{entry.label} is {asked.said(entry.kind)}{last}", _instant(at, asked))
        case seg.Activity():
            return _activity(leaf, asked)
        case seg.Sequence():
            first = leaf.steps[0]
            done = asked.occurred(first.name, leaf.during, first.where)
            at = done["last_at"] if done else None
            label = catalog.activity(first.name).label
            return _Seen(f"the last {label} on {asked.day(at)}" if at else f"no {label}", _instant(at, asked))
        case seg.Consent():
            return _consent(leaf.channel, asked)
        case seg.Suppressed():
            return _suppression(leaf.channel, asked) or _Seen("not suppressed")
        case seg.Reachable():
            return _suppression(leaf.channel, asked) or _consent(leaf.channel, asked)
        case seg.Topic():
            return _topic(leaf, asked)
        case seg.Scored():
            return _scores(asked.value)
        case seg.Tagged():
            return _tag(leaf, asked)
        case _:
            return _Seen("" if asked.value is None else asked.said(""))


def _activity(leaf: seg.Activity, asked: _Asked) -> _Seen:
    entry = asked.scope.catalog.activity(leaf.name)
    done = asked.occurred(leaf.name, leaf.during, leaf.where)
    if done is None or not done["times"]:
        ever = done["ever_at"] if done else None
        fact = f"none then; the last was on {asked.day(ever)}" if ever else f"no {entry.label} ever"
        return _Seen(fact, _instant(ever, asked), 0 if leaf.op in {"any", "none"} else None)
    noun = entry.label if done["times"] == 1 else entry.plural or f"{entry.label}s"
    fact = f"{done['times']:,} {noun}, the last on {asked.day(done['last_at'])}"
    if leaf.of is not None:
        kind = asked.scope.catalog.property(leaf.name, leaf.of).kind if leaf.measure != "distinct" else ""
        fact = f"{asked.said(kind)} over {fact}"
    return _Seen(fact, _instant(done["last_at"], asked), done["times"] if leaf.op in {"any", "none"} else None)


def _consent(channel: str, asked: _Asked) -> _Seen:
    found = asked.since("consents", channel)
    if found is None or (found["until_at"] and found["until_at"] <= asked.scope.as_of):
        return _Seen(f"never asked about {CHANNELS[channel]}", value="none")
    state = CONSENTS[found["state"]].format(CHANNELS[channel])
    return _Seen(f"{state} since {asked.day(found['since_at'])}", found["since_at"], found["state"])


def _scores(digits: int | None) -> _Seen:
    if digits is None:
        return _Seen("never bought, so without scores")
    recency, frequency, monetary = digits // 100, digits // 10 % 10, digits % 10
    group = group_of(recency, frequency).label
    return _Seen(f"recency {recency}, frequency {frequency}, monetary {monetary}: {group}")


def _tag(leaf: seg.Tagged, asked: _Asked) -> _Seen:
    tag = asked.since("tags", leaf.name)
    if tag is None:
        return _Seen("never tagged")
    taken = tag["until_at"] and tag["until_at"] <= asked.scope.as_of
    at = tag["until_at"] if taken else tag["since_at"]
    return _Seen(f"{'tag taken off' if taken else 'tagged'} on {asked.day(at)}", at)


def _topic(leaf: seg.Topic, asked: _Asked) -> _Seen:
    found = asked.since("topic_consents", leaf.name)
    if found is None or (found["until_at"] and found["until_at"] <= asked.scope.as_of):
        return _Seen(TOPICS["none"].format(leaf.name), value="none")
    said = f"{TOPICS[found['state']].format(leaf.name)} since {asked.day(found['since_at'])}"
    return _Seen(said, found["since_at"], found["state"])


def _suppression(channel: str, asked: _Asked) -> _Seen | None:
    found = asked.since("suppressions", channel)
    if found is None:
        return None
    said = found["state"].replace("_", " ")
    return _Seen(f"suppressed ({said}) since {asked.day(found['since_at'])}", found["since_at"], found["state"])


def _instant(at: datetime | date | None, asked: _Asked) -> datetime | None:
    """An instant as it is; a day as its first moment in the store's zone."""
    if at is None or isinstance(at, datetime):
        return at
    return datetime.combine(at, time(), asked.scope.zone)
