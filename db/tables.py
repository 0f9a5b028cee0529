"""Which modules hold tables? All of them must be imported before the metadata is complete."""

import importlib

from sqlalchemy import MetaData

from db.base import Row

MODULES = (
    "alerts",
    "approvals",
    "audit",
    "campaigns",
    "chats",
    "consent",
    "contents",
    "customers",
    "enrollments",
    "events",
    "figures",
    "flows",
    "limits",
    "messages",
    "orders",
    "outbox",
    "products",
    "receipts",
    "segments",
    "segments_members",
    "segments_touched",
    "sign_ins",
    "store",
    "templates",
    "tiers",
    "tokens",
    "topics",
    "users",
)


def load() -> MetaData:
    """Import every table and return the metadata that describes the whole database."""
    for module in MODULES:
        importlib.import_module(f"db.{module}")
    return Row.metadata
