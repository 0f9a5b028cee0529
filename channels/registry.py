"""Which providers are there, and which of them carries a message?

A new provider is one module beside this one and one line here.
"""

import functools
from collections.abc import Mapping
from datetime import timedelta

from channels.gateway import Gateway
from channels.provider import Provider
from channels.smtp import Smtp
from domain.messages import Guarantee
from settings import Settings, settings

STAND_IN = "vendor"


@functools.cache
def providers() -> Mapping[str, Provider]:
    """The configured providers by name, once per process."""
    configured = settings()
    timeout = timedelta(seconds=configured.provider_timeout_seconds)
    found: dict[str, Provider] = {STAND_IN: _gateway(configured, timeout)}
    if configured.smtp_url:
        found["smtp"] = Smtp(configured.smtp_url.get_secret_value(), timeout=timeout)
    return found


def _gateway(configured: Settings, timeout: timedelta) -> Gateway:
    guarantee = Guarantee(configured.vendor_guarantee)
    return Gateway(configured.vendor_address, name=STAND_IN, guarantee=guarantee, timeout=timeout)


def route(channel: str, *, demo: bool, available: Mapping[str, Provider]) -> str:
    """The name of the provider that carries a channel; people of a demo store are reached by the stand-in only."""
    if channel == "email" and not demo and "smtp" in available:
        return "smtp"
    return STAND_IN
