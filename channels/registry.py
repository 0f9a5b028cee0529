"""Which providers are there, and which of them carries a message?

A new provider is one module beside this one and one line here.
"""

import functools
from collections.abc import Mapping
from datetime import timedelta

from channels.gateway import Gateway
from channels.provider import Provider
from channels.smtp import Smtp
from channels.stand_in import NAME, SECRET, StandIn
from domain.messages import Guarantee
from settings import secret, settings

STAND_IN, GATEWAY, RELAY = NAME, "gateway", "smtp"


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
