"""How does the store stand: how many people, segments and running campaigns, and how much of the mail arrives?"""

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from db import overview as rows


class Overview(BaseModel):
    """The figures of the first page. ``tried`` are messages a provider was handed, whatever came of them."""

    model_config = ConfigDict(frozen=True)

    customers: int
    subscribed: int
    segments: int
    active: int
    started: int
    tried: int
    sent: int
    delivered: int

    @property
    def delivery_rate(self) -> float | None:
        """Delivered of all that a provider was handed, 0 to 1; ``None`` before the first message."""
        return self.delivered / self.tried if self.tried else None


def figures(session: Session) -> Overview:
    """How it stands now."""
    return Overview.model_validate(rows.figures(session))
