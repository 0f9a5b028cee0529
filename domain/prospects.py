"""What is known about a contact that business development might be told about?"""

from dataclasses import dataclass

from domain.alert_messages import Reasons
from domain.alerts import Facts
from domain.intent import Contact


@dataclass(frozen=True, slots=True)
class Prospect:
    """A contact, what its file says of it and its company, and, where the company has high intent, why.

    ``company`` is what people call it.
    """

    contact: Contact
    company: str
    facts: Facts
    reasons: Reasons | None = None
