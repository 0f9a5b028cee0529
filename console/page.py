"""How does a page come about? A template, the frame around it, and figures and times as people read them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse

from console.visitor import proof, token_of
from db import store
from domain.templates import readable
from services import approvals
from services.users import Person

FOLDER = Path(__file__).parent

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
CENTS_BELOW = 1000


def render(request: Request, template: str, *, status_code: int = 200, **values: Any) -> HTMLResponse:
    """A page nobody is named on, such as the sign-in page."""
    html = _templates.get_template(template).render(request=request, **values)
    return HTMLResponse(html, status_code)


def show(
    request: Request, session: Session, person: Person, template: str, *, status_code: int = 200, **values: Any
) -> HTMLResponse:
    """A page, or with HTMX a part of one, for a signed-in person."""
    frame = {
        "person": person,
        "proof": proof(token_of(request)),
        "shop": shop(session),
        "waiting": approvals.waiting(session),
        "here": request.url.path,
    }
    return render(request, template, status_code=status_code, **frame, **values)


class Shop:
    """The store as every page shows it: its name, its clock, its money."""

    def __init__(self, row: store.Store | None, now: datetime) -> None:
        """``row`` is ``None`` before the store is set up."""
        self.name = row.name if row else "No store yet"
        self.zone = ZoneInfo(row.time_zone if row else "UTC")
        self.currency = row.currency if row else "USD"
        self.demo = bool(row and row.demo)
        self.ahead = row.clock_offset if row else timedelta()
        self.now = now

    def money(self, amount: Decimal | float | None, places: int | None = None) -> str:
        """``1234.5`` as ``$1,234.50``; whole amounts over a thousand lose their cents."""
        if amount is None:
            return NOTHING
        amount = float(amount)
        digits = (0 if abs(amount) >= CENTS_BELOW else 2) if places is None else places
        sign = MINUS if amount < 0 else ""
        return f"{sign}{SYMBOLS.get(self.currency, self.currency + ' ')}{abs(amount):,.{digits}f}"

    def at(self, instant: datetime | None) -> str:
        """A time on the store's clock: ``3 Mar 2026, 14:05``."""
        return f"{instant.astimezone(self.zone):%-d %b %Y, %H:%M}" if instant else NOTHING

    def day(self, instant: datetime | date | None) -> str:
        """A day on the store's calendar: ``3 Mar 2026``."""
        if isinstance(instant, datetime):
            instant = instant.astimezone(self.zone)
        return f"{instant:%-d %b %Y}" if instant else NOTHING

    def ago(self, instant: datetime | None) -> str:
        """How long before the store's now: ``5 min ago``, ``3 days ago``; ahead of it: ``in 2 h``."""
        if instant is None:
            return "never"
        seconds = (self.now - instant.astimezone(UTC)).total_seconds()
        for unit, length in (("day", 86400), ("h", 3600), ("min", 60)):
            if abs(seconds) >= length:
                number = int(abs(seconds) // length)
                said = f"{number:,} {unit}{'s' if unit == 'day' and number != 1 else ''}"
                return f"{said} ago" if seconds > 0 else f"in {said}"
        return "just now"


def shop(session: Session) -> Shop:
    """The store now."""
    return Shop(store.current(session), store.business_now(session))


def _number(value: float | Decimal | None, places: int = 0) -> str:
    return NOTHING if value is None else f"{value:,.{places}f}"


def _share(part: float | None, whole: float | None, places: int = 1) -> str:
    return f"{100 * part / whole:.{places}f} %" if part is not None and whole else NOTHING


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "number": _number,
        "share": _share,
        "readable": readable,
        "instant": datetime.fromisoformat,
    }
    made.filters.update(filters)
    return made


_templates = _environment()
