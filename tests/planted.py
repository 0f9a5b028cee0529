"""Which few people does a test plant, so that every border has somebody on it?"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from db.consent import Consent, Suppression
from db.customers import Address, Customer, Tag
from db.enrollments import Enrollment, FlowStep
from db.events import Event
from db.flows import Flow, FlowVersion
from db.messages import Message
from db.orders import Order, OrderItem, Refund
from db.products import Product
from db.store import Store
from db.topics import Topic, TopicConsent

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


@dataclass
class Planted:
    """A store being planted; people are known by first name."""

    session: Session
    ids: dict[str, int] = field(default_factory=dict)
    products: dict[str, int] = field(default_factory=dict)
    flows: dict[str, tuple[int, int]] = field(default_factory=dict)
    made: int = 0

    @classmethod
    def store(cls, session: Session, time_zone: str = "UTC") -> "Planted":
        """An empty store with a name and an address."""
        session.add(
            Store(
                name="Test Store",
                currency="USD",
                time_zone=time_zone,
                postal_address="1 Example Street, Springfield",
                sender_name="Test Store",
                sender_email="hello@store.example.com",
            )
        )
        session.flush()
        return cls(session)

    def person(
        self, name: str, *, region: str | None = None, country: str = "US", billing: str | None = None, **values: Any
    ) -> int:
        """A customer seen first two years ago; ``region`` gives a shipping address, ``billing`` one in that country."""
        values.setdefault("email", f"{name.lower()}@example.com")
        values.setdefault("first_seen_at", NOW - timedelta(days=730))
        customer = Customer(first_name=name, **values)
        self.session.add(customer)
        self.session.flush()
        self.ids[name] = customer.id
        if region:
            self.session.add(Address(customer_id=customer.id, kind="shipping", region=region, country=country))
        if billing:
            self.session.add(Address(customer_id=customer.id, kind="billing", country=billing))
        return customer.id

    def order(
        self,
        name: str,
        total: float,
        ago: timedelta,
        *,
        items: Mapping[str, str] | None = None,
        cancelled_ago: timedelta | None = None,
        refund: float = 0,
        refund_ago: timedelta | None = None,
    ) -> int:
        """An order so long before NOW; ``items`` maps product titles to categories."""
        self.made += 1
        at = NOW - ago
        cancelled_at = NOW - cancelled_ago if cancelled_ago is not None else None
        order = Order(
            customer_id=self.ids[name],
            external_id=f"o{self.made}",
            ordered_at=at,
            total=total,
            cancelled_at=cancelled_at,
        )
        self.session.add(order)
        self.session.flush()
        for line, (title, category) in enumerate((items or {}).items(), 1):
            if title not in self.products:
                product = Product(sku=title.lower(), title=title, category=category, price=total)
                self.session.add(product)
                self.session.flush()
                self.products[title] = product.id
            self.session.add(
                OrderItem(
                    customer_id=order.customer_id,
                    order_id=order.id,
                    line=line,
                    product_id=self.products[title],
                    quantity=1,
                    unit_price=total,
                    total=total,
                    ordered_at=at,
                )
            )
        if refund:
            self.session.add(
                Refund(
                    customer_id=order.customer_id,
                    order_id=order.id,
                    external_id=f"r{self.made}",
                    refunded_at=NOW - (refund_ago or ago),
                    amount=refund,
                )
            )
        return order.id

    def event(self, name: str, event: str, ago: timedelta, **properties: Any) -> None:
        """An event so long before NOW."""
        self.session.add(Event(customer_id=self.ids[name], name=event, at=NOW - ago, properties=properties))

    def consent(
        self, name: str, state: str, ago: timedelta, *, until: timedelta | None = None, channel: str = "email"
    ) -> None:
        """A consent state from so long before NOW, until so long before it or for good."""
        until_at = NOW - until if until is not None else None
        self.session.add(
            Consent(
                customer_id=self.ids[name],
                channel=channel,
                state=state,
                method="form",
                since_at=NOW - ago,
                until_at=until_at,
            )
        )

    def topic(self, name: str, topic: str, state: str, ago: timedelta, *, until: timedelta | None = None) -> None:
        """What somebody wants of a topic from so long before NOW; the topic is made where there is none yet."""
        if self.session.get(Topic, topic) is None:
            self.session.add(Topic(name=topic, label=topic))
            self.session.flush()
        until_at = NOW - until if until is not None else None
        self.session.add(
            TopicConsent(
                customer_id=self.ids[name],
                topic=topic,
                state=state,
                method="form",
                since_at=NOW - ago,
                until_at=until_at,
            )
        )

    def flow(self, name: str) -> int:
        """A flow with one version."""
        flow = Flow(name=name, status="active", version=1, created_by="mia")
        self.session.add(flow)
        self.session.flush()
        version = FlowVersion(flow_id=flow.id, number=1, spec={}, digest="", trace_id="", created_by="mia")
        self.session.add(version)
        self.session.flush()
        self.flows[name] = flow.id, version.id
        return flow.id

    def run(self, name: str, flow: str, ago: timedelta, *, steps: int = 0, ended: timedelta | None = None) -> None:
        """Somebody's way through a flow, begun so long before NOW; the step ``i`` was taken ``i`` hours later."""
        self.made += 1
        flow_id, version_id = self.flows[flow]
        run = Enrollment(
            customer_id=self.ids[name],
            flow_id=flow_id,
            flow_version_id=version_id,
            entry_key=f"e{self.made}",
            state="waiting" if ended is None else "done",
            due_at=NOW,
            due_local=NOW.replace(tzinfo=None),
            time_zone="UTC",
            entered_at=NOW - ago,
            ended_at=NOW - ended if ended is not None else None,
        )
        self.session.add(run)
        self.session.flush()
        for i in range(steps):
            step = FlowStep(
                customer_id=run.customer_id,
                enrollment_id=run.id,
                seq=i,
                step=i,
                kind="send" if i % 2 == 0 else "wait",
                at=NOW - ago + i * timedelta(hours=1),
            )
            self.session.add(step)

    def message(self, name: str, flow: str, **ago: timedelta) -> None:
        """A message of a flow: ``accepted``, ``delivered``, ``opened``, ``clicked``, ``failed`` so long before NOW."""
        self.made += 1
        message = Message(
            customer_id=self.ids[name],
            id=uuid.UUID(int=self.made),
            decision_key=f"m{self.made}",
            channel="email",
            message_class="marketing",
            flow_version_id=self.flows[flow][1],
            step=0,
            trace_id="",
            state="accepted",
            due_at=NOW,
            expires_at=NOW,
            **{f"{what}_at": NOW - since for what, since in ago.items()},
        )
        self.session.add(message)

    def tag(self, name: str, tag: str, ago: timedelta, *, until: timedelta | None = None) -> None:
        """A tag from so long before NOW."""
        until_at = NOW - until if until is not None else None
        self.session.add(Tag(customer_id=self.ids[name], name=tag, since_at=NOW - ago, until_at=until_at))

    def suppress(self, name: str, ago: timedelta, channel: str = "email") -> None:
        """A suppressed address."""
        self.session.add(
            Suppression(
                channel=channel,
                address_hash=f"hash of {name}",
                customer_id=self.ids[name],
                reason="bounced",
                since_at=NOW - ago,
            )
        )
