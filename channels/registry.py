"""Which providers are there, which of them carries a message, and who is told of buying intent?

A new provider is one module beside this one and one line here.
"""

import functools
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from channels.alerts import Endpoint, Mailbox, Slack, Target
from channels.gateway import Gateway
from channels.provider import Provider
from channels.smtp import Smtp
from channels.stand_in import NAME, SECRET, StandIn
from channels.verifier import Verifier
from domain.errors import Invalid
from domain.messages import Guarantee
from settings import Settings, secret, settings

STAND_IN, GATEWAY, RELAY = NAME, "gateway", "smtp"

EMBEDDED = "embedded"
"""Who judged addresses when no verification service is configured."""


@functools.cache
def providers() -> Mapping[str, Provider]:
    """The configured providers by name, once per process."""
    configured = settings()
    timeout = timedelta(seconds=configured.provider_timeout_seconds)
    guarantee = Guarantee(configured.vendor_guarantee)
    stand_in = StandIn(configured.vendor_port, secret(SECRET), guarantee=guarantee, timeout=timeout)
    found: dict[str, Provider] = {STAND_IN: stand_in}
    if configured.vendor_url:
        found[GATEWAY] = Gateway(configured.vendor_url, name=GATEWAY, guarantee=guarantee, timeout=timeout)
    if configured.smtp_url:
        found[RELAY] = Smtp(configured.smtp_url.get_secret_value(), timeout=timeout)
    return found


def route(channel: str, *, demo: bool, available: Mapping[str, Provider]) -> str:
    """The name of the provider that carries a channel; people of a demo store are reached by the stand-in only."""
    if demo:
        return STAND_IN
    if channel == "email" and RELAY in available:
        return RELAY
    return GATEWAY if GATEWAY in available else STAND_IN


def verifier(address: str, configured: Settings) -> Verifier:
    """A client for the verification service at an address; the one that comes along speaks Kickbox's format."""
    return Verifier(
        address,
        wire=configured.verifier if configured.verifier_url else "kickbox",
        name=configured.verifier if configured.verifier_url else EMBEDDED,
        key=configured.verifier_key.get_secret_value() if configured.verifier_key else "",
        timeout=timedelta(seconds=configured.provider_timeout_seconds),
        concurrency=configured.verifier_concurrency,
    )


def alert_target(configured: Settings) -> Target:
    """Who is told of buying intent. Raises Invalid (``no_alert_target``) naming the setting that is missing."""
    timeout = timedelta(seconds=configured.provider_timeout_seconds)
    if configured.alert_target == "smtp":
        if not configured.smtp_url:
            raise _missing("PARLEY_SMTP_URL", "to the address of a mail relay")
        if not configured.alert_inbox:
            raise _missing("PARLEY_ALERT_INBOX", "to the mailbox of business development")
        return Mailbox(configured.smtp_url.get_secret_value(), configured.alert_inbox, timeout=timeout)
    if not configured.alert_url:
        raise _missing("PARLEY_ALERT_URL", "to where alerts are posted, or look first with --dry-run")
    url = configured.alert_url.get_secret_value()
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        fix = "Give an address that begins with http:// or https://."
        raise Invalid("alert_url_invalid", "This is no web address.", fix, "PARLEY_ALERT_URL")
    if configured.alert_target == "slack":
        return Slack(url, timeout=timeout)
    key = configured.alert_key.get_secret_value() if configured.alert_key else ""
    return Endpoint(url, key=key, guarantee=Guarantee(configured.alert_guarantee), timeout=timeout)


def _missing(name: str, what: str) -> Invalid:
    return Invalid("no_alert_target", "Nobody is there to be told.", f"Set {name} {what}.", name)
