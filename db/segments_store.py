"""What does the store alone know of a person: consent, topics, lists, flows, tags, and who must not be written to?

All of it has a history, so every condition is asked as of an instant.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from db.segments_forms import Happened
from db.segments_tables import TYPES, Bool, Scope
from domain import segments as seg
from domain.errors import Invalid

ADDRESS = {"email": "email", "sms": "phone", "whatsapp": "phone"}
"""The column that says where a person is reached on a channel."""


@dataclass(frozen=True)
class StoreRows:
    """The store's rows about the person on a row of ``entity``."""

    scope: Scope
    entity: sa.FromClause
    key: sa.ColumnElement[Any]

    def consent(self, channel: str, state: str) -> Bool:
        """The consent on a channel was in a state; ``none`` = never asked."""
        on_channel: Bool = sa.column("channel", sa.Text()) == channel
        if state == "none":
            return ~self._open("consents", on_channel)
        return self._open("consents", on_channel & (sa.column("state", sa.Text()) == state))

    def topic(self, node: seg.Topic, path: str) -> Bool:
        """What was said about a topic. Raises NotFound (``unknown_topic``)."""
        self._table("topic_consents")
        self.scope.must_exist("topic", node.name, f"{path}.name")
        on_topic: Bool = sa.column("topic", sa.Text()) == node.name
        if node.state == "none":
            return ~self._open("topic_consents", on_topic)
        return self._open("topic_consents", on_topic & (sa.column("state", sa.Text()) == node.state))

    def in_flow(self, node: seg.InFlow, path: str) -> Bool:
        """In a flow, at the step that was taken last. Raises NotFound (``unknown_flow``)."""
        runs = self._table("enrollments", "customer_id", "id", "flow_id", "entered_at", "ended_at")
        self.scope.must_exist("flow", node.id, f"{path}.id")
        inside = sa.select(runs.c.customer_id).where(
            runs.c.flow_id == node.id,
            runs.c.entered_at <= self.scope.as_of,
            runs.c.ended_at.is_(None) | (runs.c.ended_at > self.scope.as_of),
        )
        if node.step is not None:
            log = self._table("flow_step_log", "customer_id", "enrollment_id", "step", "kind", "at")
            mine = (log.c.customer_id == runs.c.customer_id) & (log.c.enrollment_id == runs.c.id)
            taken = sa.select(sa.func.max(log.c.step)).where(
                mine, log.c.kind != sa.literal("end"), log.c.at <= sa.literal(self.scope.as_of, TYPES["instant"])
            )
            inside = inside.where(sa.func.coalesce(taken.scalar_subquery(), 0) == node.step - 1)
        return self._is_in(inside, runs.c.customer_id)

    def listed(self, node: seg.Listed, path: str, within: tuple[int, ...]) -> Bool:
        """On a list. Raises Invalid (``not_a_list``), NotFound."""
        if node.id not in within and not isinstance(self.scope.resolve(node.id, f"{path}.id").where, seg.Listed):
            fix = 'use the type "segment", or freeze it into a list first'
            raise Invalid("not_a_list", f"segment {node.id} is not a list", fix, f"{path}.id")
        rows = self._table("segment_members", "customer_id", "segment_id", "entered_at", "left_at")
        on_it = sa.select(rows.c.customer_id).where(
            rows.c.segment_id == node.id,
            rows.c.entered_at <= self.scope.as_of,
            rows.c.left_at.is_(None) | (rows.c.left_at > self.scope.as_of),
        )
        return self._is_in(on_it, rows.c.customer_id)

    def suppressed(self, channel: str) -> Bool:
        """Must not be written to on a channel."""
        table = self._table("suppressions", "customer_id", "channel", "since_at")
        rows = sa.select(table.c.customer_id).where(
            table.c.customer_id.is_not(None),
            table.c.channel.in_([channel, "*"]),
            table.c.since_at <= self.scope.as_of,
        )
        return self._is_in(rows, table.c.customer_id)

    def reachable(self, channel: str) -> Bool:
        """May be written to on a channel: address, consent, no suppression."""
        address = self.entity.c[ADDRESS[channel]].is_not(None)
        return sa.and_(address, self.consent(channel, "subscribed"), ~self.suppressed(channel))

    def tagged(self, name: str) -> Bool:
        """Carried a tag."""
        return self._open("tags", sa.column("name") == name)

    def _open(self, name: str, test: Bool) -> Bool:
        """A row of an interval table (consents, tags) that was open at ``as_of`` and passes the test."""
        table = self._table(name, "customer_id", "since_at", "until_at")
        rows = sa.select(table.c.customer_id).where(
            table.c.since_at <= self.scope.as_of,
            table.c.until_at.is_(None) | (table.c.until_at > self.scope.as_of),
            test,
        )
        return self._is_in(rows, table.c.customer_id)

    def _is_in(self, them: sa.Select[Any], of: sa.ColumnElement[Any]) -> Bool:
        """The person is one of ``them``, whose keys are in the column ``of``."""
        return Happened(self.key, them.where(of == self.key).exists(), them.scalar_subquery())

    def _table(self, name: str, *columns: str) -> sa.FromClause:
        if self.scope.catalog.dataset != "store":
            fix = "use attributes and activities of the dataset"
            raise Invalid("not_in_dataset", f"the dataset {self.scope.catalog.dataset!r} has no {name}", fix)
        instants = {column: TYPES["instant"] for column in columns if column.endswith("_at")}
        return sa.table(name, *(sa.column(column, instants.get(column)) for column in columns))
