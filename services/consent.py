"""How does a person stop or start being written to, and how soon does it hold?

A stop holds as soon as this has been committed: it takes the person's lock, which every batch of messages shares while
it calls a provider, so it waits for calls under way and no later one starts. A provider that hangs cannot hold it up
for longer than ``db.claims.STOP_PATIENCE``; then the messages still under way are named in the audit log.
"""

import functools
import hashlib
import hmac
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import update
from sqlalchemy.orm import Session

import settings
from db import audit, claims, consent
from db.consent import Proof, Suppression
from db.customers import Customer
from db.store import Store
from domain import unsubscribe as tokens
from domain.consent import ANY_CHANNEL, LIFTED_BY_START, MARKETING_ONLY, PENDING, SUBSCRIBED, UNSUBSCRIBED
from domain.errors import Conflict, Invalid, NotFound, Unavailable
from domain.messages import CHANNELS, MARKETING, TRANSACTIONAL
from services import enrollments

OWN_WORD = {"email": "unsubscribe", "sms": "stop", "whatsapp": "stop"}
"""What a person's refusal is called on each channel: by mail it ends marketing, by phone it ends everything."""

SEVERITY = ("unsubscribe", "stop", "complaint", "hard_bounce", "manual", "erased")
"""Reasons on the suppression list, the weakest first; a weaker one never replaces a stronger."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a stop did: ``withdrawn`` messages that waited; ``under_way`` those it could not wait for, normally none."""

    channels: Sequence[str]
    withdrawn: int
    under_way: Sequence[uuid.UUID]


def stop(session: Session, customer_id: int, channel: str, source: str, now: datetime) -> Stopped:
    """A person wants no more on a channel, or on none (``*``). It holds when the transaction is committed.

    ``source`` says where the word came from. Raises NotFound for no such customer, Invalid for no such channel.
    """
    return _leave_alone(session, customer_id, channel, None, Proof("stop", source), now)


def unsubscribe(session: Session, token: str, proof: Proof, now: datetime) -> Stopped:
    """A person used the link in a message. Raises Invalid for a broken link, NotFound for somebody erased since."""
    said = read_link(token)
    stopped = _leave_alone(session, said.customer_id, said.channel, None, proof, now)
    consent.mark_unsubscribed(session, said.customer_id, said.message_id)
    return stopped


def suppress(session: Session, customer_id: int, channel: str, reason: str, source: str, now: datetime) -> Stopped:
    """Leave a person alone on a channel for ``reason``, one of ``SEVERITY``, whatever the person said."""
    return _leave_alone(session, customer_id, channel, reason, Proof(reason, source), now)


def start(session: Session, customer_id: int, channel: str, source: str, now: datetime) -> None:
    """A person wants to be written to again: takes back their own stop on the channel, nothing else.

    Raises Conflict when the address is on the list for another reason.
    """
    customer = _found(session, customer_id)
    for one in _channels(channel):
        claims.lock_for_stop(session, claims.RECIPIENT_LOCKS + customer_id)
        address = address_of(customer, one)
        if address:
            consent.lift(session, one, address_hash(address), sorted(LIFTED_BY_START))
            consent.lift(session, ANY_CHANNEL, address_hash(address), sorted(LIFTED_BY_START))
            left = claims.suppressed(session, one, [address_hash(address)])
            if left:
                reason = ", ".join(sorted(*left.values()))
                message = f"This address is on the suppression list: {reason}."
                raise Conflict("suppressed", message, "Use another address.")
        consent.put(session, customer_id, [one], SUBSCRIBED, Proof("start", source), now)
    _record(session, "consent.started", customer_id, channel, source)


def set_state(session: Session, customer_id: int, channel: str, state: str, proof: Proof, now: datetime) -> None:
    """Set the consent on a channel to ``subscribed``, ``pending`` or ``unsubscribed`` (which is a stop)."""
    if state == UNSUBSCRIBED:
        _leave_alone(session, customer_id, channel, None, proof, now)
        return
    if state not in {SUBSCRIBED, PENDING}:
        fix = "One of subscribed, pending, unsubscribed."
        raise Invalid("consent_state", f"There is no consent state {state}.", fix, "state")
    _found(session, customer_id)
    consent.put(session, customer_id, _channels(channel), state, proof, now)
    _record(session, f"consent.{state}", customer_id, channel, proof.source or proof.method)


def stop_all(session: Session, actor: str, now: datetime) -> None:
    """Stop all sending of the store until ``resume_all``. Raises Unavailable when calls under way do not end."""
    if not claims.lock_for_stop(session, claims.STORE_LOCK):
        raise Unavailable("sends_under_way", "Provider calls under way do not end.", "Try again in a few seconds.")
    session.execute(update(Store).where(Store.sends_stopped_at.is_(None)).values(sends_stopped_at=now))
    audit.record(session, actor=actor, action="sends.stopped", subject="store", detail={})


def resume_all(session: Session, actor: str) -> None:
    """Let the store send again."""
    session.execute(update(Store).values(sends_stopped_at=None))
    audit.record(session, actor=actor, action="sends.resumed", subject="store", detail={})


def readdress(session: Session, customer: Customer) -> None:
    """After a person's addresses were written: entries of the suppression list follow the addresses, not the person."""
    hashes = [address_hash(address) for address in (customer.email, customer.phone) if address]
    consent.follow(session, customer.id, hashes)


def address_of(customer: Customer, channel: str) -> str | None:
    """Where a customer is reached on a channel."""
    return customer.email if channel == "email" else customer.phone


def address_hash(address: str) -> str:
    """What the suppression list knows an address by: keyed, so that the list tells nobody who is on it."""
    return hmac.digest(_key("pepper"), address.strip().lower().encode(), hashlib.sha256).hex()


def link(customer_id: int, channel: str, message_id: uuid.UUID) -> str:
    """The address at which the recipient of a message unsubscribes."""
    token = tokens.sign(_key("unsubscribe"), tokens.Unsubscribing(customer_id, channel, message_id))
    return f"{public_url()}/unsubscribe/{token}"


def read_link(token: str) -> tokens.Unsubscribing:
    """Who a link is for. Raises Invalid (``unsubscribe_link_broken``)."""
    return tokens.read(_key("unsubscribe"), token)


def public_url() -> str:
    """Where people reach this store, without a slash at the end."""
    configured = settings.settings()
    return (configured.public_url or f"http://{configured.host}:{configured.port}").rstrip("/")


def _key(name: str) -> bytes:
    return _secret(name, settings.settings().home)


@functools.cache
def _secret(name: str, home: Path) -> bytes:
    return settings.secret(name, home).encode()


def _leave_alone(
    session: Session, customer_id: int, channel: str, reason: str | None, proof: Proof, now: datetime
) -> Stopped:
    channels = _channels(channel)
    customer = _found(session, customer_id)
    waited = claims.lock_for_stop(session, claims.RECIPIENT_LOCKS + customer_id)
    if reason != "hard_bounce":  # which says nothing about what the person wants
        consent.put(session, customer_id, channels, UNSUBSCRIBED, proof, now)
    withdrawn = 0
    for one in channels:
        why = reason or OWN_WORD[one]
        if address := address_of(customer, one):
            row = Suppression(
                channel=one,
                address_hash=address_hash(address),
                customer_id=customer_id,
                reason=why,
                source=proof.source,
                since_at=now,
            )
            consent.suppress(session, row, SEVERITY[: SEVERITY.index(why)])
        classes = [MARKETING] if why in MARKETING_ONLY else [MARKETING, TRANSACTIONAL]
        withdrawn += consent.withdraw(session, customer_id, [one], classes, why)
        enrollments.leave(session, customer_id, reason=why, now=now, channel=one)
    under_way = () if waited else tuple(consent.under_way(session, customer_id, channels))
    _record(session, "consent.stopped", customer_id, channel, proof.source or proof.method, under_way)
    return Stopped(channels, withdrawn, under_way)


def _found(session: Session, customer_id: int) -> Customer:
    customer = session.get(Customer, customer_id)
    if customer is None:
        raise NotFound("no_customer", f"There is no customer {customer_id}.", "Look the person up again.", "customer")
    return customer


def _channels(channel: str) -> tuple[str, ...]:
    if channel == ANY_CHANNEL:
        return CHANNELS
    if channel not in CHANNELS:
        raise Invalid("no_channel", f"There is no channel {channel}.", f"One of {', '.join(CHANNELS)}.", "channel")
    return (channel,)


def _record(
    session: Session, action: str, customer_id: int, channel: str, source: str, under_way: Sequence[uuid.UUID] = ()
) -> None:
    detail = {"channel": channel, "source": source}
    if under_way:
        detail["under_way"] = ", ".join(map(str, under_way))
    audit.record(session, actor=source, action=action, subject=f"customer:{customer_id}", detail=detail)
