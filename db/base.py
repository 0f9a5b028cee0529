"""What do all rows share? One registry, one way to name constraints, one column type per Python type."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import DateTime, MetaData, Numeric, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

Instant = DateTime(timezone=True)
"""A point in time (timestamptz); never a wall-clock reading."""

Money = Numeric(14, 2)
"""An amount in the currency of its row, two decimals."""

CONSTRAINT_NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


class Row(DeclarativeBase):
    """The base of every table class; a column's type follows from its annotation unless the column says otherwise."""

    metadata = MetaData(naming_convention=CONSTRAINT_NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Instant,
        Decimal: Money,
        str: Text,
        uuid.UUID: Uuid,
        dict[str, Any]: JSONB,
    }
