"""What may be written down about a person, and in which form?"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from domain.errors import Invalid
from domain.ingest import values

FIXES: Mapping[str, str] = {
    "email": "Write an address such as ada@example.com.",
    "phone": "Write the number with its country, such as +12025550123.",
    "birthday": "Write a date such as 1990-05-17.",
    "time_zone": "Write a zone such as Europe/Berlin.",
    "country": "Write two letters, such as US.",
    "custom": "Write texts, numbers, true, false or lists of texts.",
}

Short = Field(default=None, max_length=200)
Scalar = str | int | float | bool | list[str] | None


class Part(BaseModel):
    """What both share: frozen, nothing that nobody knows, empty texts count as nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_nothing(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value


class Place(Part):
    """A postal address."""

    line1: str | None = Short
    line2: str | None = Short
    city: str | None = Short
    region: str | None = Short
    postal_code: str | None = Short
    country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")


class Details(Part):
    """What is known of a person; only the fields that were set are meant, and None clears one.

    ``phone`` is E.164, ``language`` a code such as ``en``, ``address`` where parcels go, ``tags`` all words on them.
    """

    external_id: str | None = Short
    email: str | None = Field(default=None, max_length=320)
    phone: str | None = Field(default=None, pattern=r"^\+[1-9][0-9]{1,14}$")
    first_name: str | None = Short
    last_name: str | None = Short
    birthday: date | None = None
    gender: str | None = Short
    language: str | None = Field(default=None, max_length=12)
    time_zone: str | None = Short
    company: str | None = Short
    acquisition_source: str | None = Short
    acquisition_campaign: str | None = Short
    custom: dict[str, Scalar] | None = None
    tags: tuple[str, ...] | None = Field(default=None, max_length=100)
    address: Place | None = None

    @field_validator("email")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and values.email(value) is None:
            message = f"{value!r} is no email address"
            raise ValueError(message)
        return value.lower() if value else None

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        try:
            return ZoneInfo(value).key if value else None
        except (ZoneInfoNotFoundError, ValueError, OSError):
            message = f"{value!r} is no time zone"
            raise ValueError(message) from None

    def given(self) -> dict[str, Any]:
        """The fields that were set, as JSON."""
        return self.model_dump(mode="json", exclude_unset=True)


def parse(raw: object) -> Details:
    """Read what somebody wrote of a person. Raises Invalid (``customer_invalid``) whose path names the field."""
    try:
        return Details.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        field = str(first["loc"][-1]) if first["loc"] else ""
        fix = FIXES.get(str(first["loc"][0]) if first["loc"] else "", FIXES.get(field, "Correct the value."))
        if first["type"] == "extra_forbidden":
            fix = f"Known: {', '.join(Details.model_fields)}."
        raise Invalid("customer_invalid", first["msg"].removeprefix("Value error, "), fix, path) from None
