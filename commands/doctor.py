"""What is configured, what is embedded, what answers, and what to do about the rest?"""

import json
import platform
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Annotated
from urllib.parse import urlsplit

import redis
import typer
from pydantic import SecretStr
from sqlalchemy import text

from commands import new_app
from db import addresses, migrations
from db.embedded import Addresses, Layout, running
from db.session import reading
from domain.errors import ParleyError
from settings import Settings, settings

app = new_app()

PROBE_SECONDS = 3.0

CHECK = "Check PARLEY_POSTGRES_URL and PARLEY_REDIS_URL and the servers they name; unset, embedded ones are used."


@dataclass(frozen=True)
class Finding:
    """One part: where it comes from (embedded, configured or off) and whether it answers (None: not asked)."""

    part: str
    source: str
    detail: str
    answers: bool | None = None
    fix: str = ""


@app.command()
def doctor(*, as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False) -> None:
    """Say what is configured, what is embedded, and what answers. Exit code 1 when something does not answer."""
    findings = list(_findings(settings()))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            _print(finding)
    if any(finding.answers is False for finding in findings):
        raise typer.Exit(1)


def _findings(configured: Settings) -> Iterator[Finding]:
    yield Finding("python", "installed", platform.python_version())
    yield from _servers(configured)
    yield _disk(configured)
    yield _web(configured)
    yield _model(configured)
    yield (
        _endpoint("web research", "https://api.tavily.com")
        if configured.tavily_api_key
        else Finding("web research", "off", "the store's own catalog and sales; set TAVILY_API_KEY for the web")
    )
    yield (
        _endpoint("email", configured.smtp_url)
        if configured.smtp_url
        else Finding("email", "embedded", "the vendor stand-in; set PARLEY_SMTP_URL to send")
    )
    yield (
        _endpoint("verification", configured.verifier_url)
        if configured.verifier_url
        else Finding("verification", "embedded", "the verifier that comes along; set PARLEY_VERIFIER_URL for a service")
    )
    yield _alerts(configured)
    yield Finding("logs", "installed", str(Layout(configured.home.resolve()).logs))


def _servers(configured: Settings) -> Iterator[Finding]:
    """Both servers, embedded ones started for the question if nothing uses them now."""
    shared = "running" if running(configured.home) else "runs while Parley does"
    postgres = "configured" if configured.postgres_url else "embedded"
    broker = "configured" if configured.redis_url else "embedded"
    try:
        with addresses.opened() as found:
            yield _ask("postgresql", postgres, found, _postgresql)
            yield _ask("redis", broker, found, _redis)
            if "embedded" in {postgres, broker}:
                yield Finding("embedded", "embedded", shared)
    except ParleyError as error:
        yield Finding("postgresql", postgres, str(error.__cause__ or error), answers=False, fix=CHECK)


def _ask(part: str, source: str, found: Addresses, question: Callable[[Addresses], str]) -> Finding:
    started = time.monotonic()
    try:
        said = question(found)
    except (ParleyError, redis.RedisError) as error:
        return Finding(part, source, str(error), answers=False, fix=CHECK)
    return Finding(part, source, f"{said}, answered in {(time.monotonic() - started) * 1000:.0f} ms", answers=True)


def _postgresql(found: Addresses) -> str:
    with reading(found.postgres_url) as session:
        version = session.scalar(text("show server_version"))
        size = session.scalar(text("select pg_size_pretty(pg_database_size(current_database()))"))
    return f"version {version}, {size}, revision {migrations.revision(found.postgres_url)}"


def _redis(found: Addresses) -> str:
    with redis.Redis.from_url(found.redis_url, socket_timeout=PROBE_SECONDS) as client:
        version = client.info("server")["redis_version"]
        policy = client.config_get("maxmemory-policy")["maxmemory-policy"]
    return f"version {version}, {policy}"


def _disk(configured: Settings) -> Finding:
    there = next(
        folder for folder in (configured.home.resolve(), *configured.home.resolve().parents) if folder.exists()
    )
    free = shutil.disk_usage(there).free / 1e9
    return Finding("home", "installed", f"{configured.home.resolve()}, {free:.0f} GB free on its disk")


def _web(configured: Settings) -> Finding:
    note = Layout(configured.home.resolve()).run / "up.address"
    if note.exists():
        return _endpoint("web", note.read_text())
    return Finding("web", "off", "not running; start it with `parley up`")


def _model(configured: Settings) -> Finding:
    if configured.openai_base_url or configured.openai_api_key:
        return _endpoint(f"model {configured.model}", configured.openai_base_url or "https://api.openai.com/v1")
    return Finding("model", "embedded", "the offline planner; set OPENAI_API_KEY or OPENAI_BASE_URL for a model")


def _alerts(configured: Settings) -> Finding:
    """Whether somebody is there to be told of buying intent."""
    told = configured.smtp_url if configured.alert_target == "smtp" else configured.alert_url
    if told:
        return _endpoint("alerts", told)
    return Finding("alerts", "off", "nobody is told of buying intent; set PARLEY_ALERT_URL")


def _endpoint(part: str, address: str | SecretStr) -> Finding:
    """Whether something listens at an address; nothing is sent to it."""
    parts = urlsplit(address.get_secret_value() if isinstance(address, SecretStr) else address)
    ports = {"https": 443, "http": 80, "smtp": 587, "smtps": 465}
    host, port = parts.hostname or "", parts.port or ports.get(parts.scheme, 0)
    shown = f"{parts.scheme}://{host}:{port}"
    try:
        socket.create_connection((host, port), PROBE_SECONDS).close()
    except OSError as error:
        return Finding(part, "configured", f"{shown}: {error}", answers=False, fix="Check the address and the network.")
    return Finding(part, "configured", shown, answers=True)


def _print(finding: Finding) -> None:
    mark, colour = {True: ("ok", "green"), False: ("NO", "red"), None: ("--", "white")}[finding.answers]
    typer.echo(f"{typer.style(mark, fg=colour)}  {finding.part:<14} {finding.source:<11} {finding.detail}")
    if finding.fix:
        typer.echo(f"{'':<30} {finding.fix}")
