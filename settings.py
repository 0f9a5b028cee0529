"""Which settings does Parley have, and what is each worth when nobody set it?

Every setting is an environment variable with the prefix ``PARLEY_`` (or a line of ``.env``), except those that other
tools already name: ``OPENAI_API_KEY``, ``OPENAI_BASE_URL`` and ``TAVILY_API_KEY``.
"""

import os
import secrets
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.errors import Invalid

ROOT = Path(__file__).resolve().parent


class Settings(BaseSettings):
    """One value per ``PARLEY_*`` variable."""

    model_config = SettingsConfigDict(
        env_prefix="PARLEY_", env_file=ROOT / ".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    home: Path = Field(default=ROOT / "var", description="Folder of this store: data, secrets, sockets, logs.")
    postgres_url: SecretStr | None = Field(
        default=None, description="postgresql:// address of a PostgreSQL server; unset = the embedded one."
    )
    redis_url: SecretStr | None = Field(
        default=None, description="redis:// address of a Redis server; unset = the embedded one."
    )
    host: str = Field(default="127.0.0.1", description="Address the web server listens on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port of the web server; 0 = any free one.")
    public_url: str | None = Field(
        default=None, description="Address people reach Parley at, used in links; unset = http://host:port."
    )
    vendor_port: int = Field(default=8025, ge=0, le=65535, description="Port of the vendor stand-in; 0 = any free one.")
    vendor_url: str | None = Field(
        default=None,
        description="Address of a gateway to send through; unset = the vendor stand-in on this machine, which alone "
        "carries what people of a demo store get.",
    )
    vendor_guarantee: Literal["key", "lookup"] = Field(
        default="key", description="How a lost answer of the gateway is cleared up: idempotency keys, or a look-up."
    )
    receipts_secret: SecretStr | None = Field(
        default=None,
        description="Signs delivery receipts; needed for a provider elsewhere and behind a proxy. Unset = unsigned "
        "ones are taken, from programs on this machine only.",
    )
    drains: int = Field(default=2, ge=1, le=64, description="Worker processes that send messages.")
    lease_seconds: int = Field(
        default=30, ge=1, description="How long a worker may hold messages; a dead one's are taken over after that."
    )
    provider_timeout_seconds: float = Field(default=10, gt=0, description="How long one provider call may take.")
    openai_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("OPENAI_API_KEY", "PARLEY_OPENAI_API_KEY"),
        description="Key of an OpenAI-compatible endpoint; unset (with no base URL) = the offline planner.",
    )
    openai_base_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("OPENAI_BASE_URL", "PARLEY_OPENAI_BASE_URL"),
        description="Address of an OpenAI-compatible endpoint.",
    )
    model: str = Field(default="gpt-5-mini", description="Model name at the OpenAI-compatible endpoint.")
    tavily_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("TAVILY_API_KEY", "PARLEY_TAVILY_API_KEY"),
        description="Key for web product research; unset = the store's own catalog and sales.",
    )
    smtp_url: SecretStr | None = Field(
        default=None, description="smtp://user:password@host:port (or smtps://) for email; unset = the vendor stand-in."
    )
    verifier: Literal["kickbox", "zerobounce"] = Field(
        default="kickbox", description="Whose format the e-mail verification service speaks."
    )
    verifier_url: str | None = Field(
        default=None, description="Address of an e-mail verification service; unset = the one that comes along."
    )
    verifier_key: SecretStr | None = Field(default=None, description="Key for the e-mail verification service.")
    verifier_port: int = Field(
        default=0, ge=0, le=65535, description="Port of the verification service that comes along; 0 = any free one."
    )
    verifier_dns: bool = Field(
        default=True, description="Let the service that comes along ask DNS for the mail servers of a domain."
    )
    verifier_concurrency: int = Field(
        default=8, ge=1, le=25, description="How many addresses the verification service is asked about at once."
    )
    verifier_keep_days: int = Field(
        default=30, ge=0, description="For how many days the verdict on an address is believed before it is asked anew."
    )
    alert_target: Literal["http", "slack", "smtp"] = Field(
        default="http", description="Who is told of buying intent: an HTTP endpoint, a Slack channel or a mailbox."
    )
    alert_url: SecretStr | None = Field(
        default=None, description="Address that alerts are posted to, as JSON: an HTTP endpoint or a Slack webhook."
    )
    alert_key: SecretStr | None = Field(default=None, description="Bearer token for the HTTP endpoint of alerts.")
    alert_guarantee: Literal["neither", "key"] = Field(
        default="neither", description="Whether the HTTP endpoint of alerts honours idempotency keys (key)."
    )
    alert_from: str = Field(default="intent@example.com", description="Address that alerts come from.")
    alert_inbox: str | None = Field(
        default=None, description="Mailbox of business development, which alerts by SMTP go to."
    )
    intent_work: Path | None = Field(
        default=None, description="Working copy of a CRM that is validated and alerted on every day; unset = never."
    )
    intent_at: str = Field(
        default="06:30", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="At what time of the day, in UTC."
    )
    demo: bool = Field(default=True, description="Load the demo store into an empty database on first run.")
    demo_customers: int = Field(default=20_000, ge=1, le=1_000_000, description="How many people the demo store has.")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @property
    def address(self) -> str:
        """Where people reach Parley, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def secure(self) -> bool:
        """Whether people reach Parley over TLS."""
        return self.address.startswith("https://")

    @property
    def session_cookie(self) -> str:
        """Name of the sign-in cookie. Browsers share cookies between the ports of a host, so the port is part of it."""
        return "__Host-parley" if self.secure else f"parley-{self.port}"

    @property
    def verifier_address(self) -> str | None:
        """Where the e-mail verification service is, None if nobody has said."""
        return self.verifier_url or (f"http://127.0.0.1:{self.verifier_port}" if self.verifier_port else None)


@cache
def settings() -> Settings:
    """Read the environment once per process. Raises Invalid for a value that cannot be used."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        name = field if field.isupper() else f"PARLEY_{field.upper()}"
        raise Invalid("setting_wrong", f"{first['msg']}.", "See .env.example for what it takes.", name) from None


def example() -> str:
    """The text of ``.env.example``: every setting with what it means and its default, commented out."""
    lines = ["# Every setting of Parley. Copy this file to .env and take the # off what you change.", ""]
    for field, about in Settings.model_fields.items():
        names = about.validation_alias.choices if isinstance(about.validation_alias, AliasChoices) else []
        name = str(names[0]) if names else f"PARLEY_{field.upper()}"
        value = about.default.relative_to(ROOT) if isinstance(about.default, Path) else about.default
        shown = "" if value is None else str(value).lower() if isinstance(value, bool) else value
        lines += [f"# {about.description}", f"# {name}={shown}", ""]
    return "\n".join(lines).rstrip() + "\n"


def secret(name: str, home: Path | None = None) -> str:
    """The secret ``name`` of a store, drawn when it is first asked for and kept, 0600, under ``secrets/``.

    Safe when several processes ask at once: the first one writes, all read what was written.
    """
    path = (home or settings().home).resolve() / "secrets" / name
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{name}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()
