"""What does an alert say: who, at which company, and why now?

Names and headlines come out of a file that others filled, so they are data: put on one line, cut to a length, and never
read as markup, as a header or as a link.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

from domain.alerts import INTENT_DAYS
from domain.intent import Contact

MOST_LINES = 5
LONGEST_TEXT = 160


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why now: visits by day and publications by day, the latest first, of the last ``INTENT_DAYS`` days.

    ``company`` is what people call it; ``contacted_on`` the day of the last mail to the contact.
    """

    company: str
    visits: Sequence[tuple[date, int]]
    news: Sequence[tuple[date, str | None]]
    contacted_on: date | None


@dataclass(frozen=True, slots=True)
class Alert:
    """What a target gets."""

    sender: str
    to: str
    subject: str
    message: str

    def payload(self) -> dict[str, str]:
        """The JSON of an alert: these four fields and no others."""
        return {"from": self.sender, "to": self.to, "message": self.message, "subject": self.subject}

    @classmethod
    def of(cls, payload: Mapping[str, str]) -> Self:
        """The alert that was written down as :meth:`payload`."""
        return cls(payload["from"], payload["to"], payload["subject"], payload["message"])


def write(contact: Contact, reasons: Reasons, as_of: date, sender: str) -> Alert:
    """The alert about a contact; its address must be known."""
    if contact.email is None:
        raise ValueError("a contact without an address is not alerted")
    company = plain(reasons.company)
    visits, news = sum(count for _, count in reasons.visits), len(reasons.news)
    name = plain(" ".join(filter(None, (contact.first_name, contact.last_name)))) or contact.email
    contacted = reasons.contacted_on
    lines = [
        f"{name} ({contact.email}) of {company}: high buying intent as of {as_of}.",
        "",
        f"Website visits in the last {INTENT_DAYS} days: {visits}",
        *_some([f"- {day}: {_counted(count, 'visit')}" for day, count in reasons.visits]),
        f"News in the last {INTENT_DAYS} days: {news}",
        *_some([f"- {day}: {_headline(headline)}" for day, headline in reasons.news]),
        f"Last outreach to this contact: {contacted or 'none'}",
    ]
    subject = f"High buying intent: {company} ({_counted(visits, 'visit')}, {_counted(news, 'news item')})"
    return Alert(sender, contact.email, subject, "\n".join(lines))


def plain(text: str, longest: int = LONGEST_TEXT) -> str:
    """A text of somebody else's on one line, without control and invisible characters, at most ``longest`` long."""
    kept = "".join(" " if char.isspace() else char for char in text if char.isspace() or _shows(char))
    line = " ".join(kept.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _shows(char: str) -> bool:
    return unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"}


def _headline(text: str | None) -> str:
    return f'"{plain(text)}"' if text and plain(text) else "(no headline)"


def _some(lines: Sequence[str]) -> list[str]:
    """The first lines, and how many more there are."""
    left = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], *([f"- and {left} more"] if left > 0 else [])]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
