"""What is served at Parley's address? The console, the chat, the REST API and the webhooks, as one application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

import chat.mount
import logs
from agent.runs import open_agent
from api import datasets, errors, receipts, segments, unsubscribe
from api.origin import OurPagesOnly
from chat import live
from console import site
from db.session import transaction
from settings import settings


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Open the agent for as long as the application runs; Chainlit's own lifespan does not run when it is mounted."""
    async with open_agent() as agent:
        with live.running(live.Live(agent, transaction)):
            yield


def create() -> FastAPI:
    """Put the doors together. The order matters: the console answers what nobody before it knows."""
    logs.configure(settings().log_level)
    made = FastAPI(title="Parley", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json")
    errors.install(made)
    made.add_api_route("/healthz", healthz, include_in_schema=False)
    for routes in (datasets, segments, receipts):
        made.include_router(routes.router)
    made.include_router(unsubscribe.router)
    chat.mount.mount(made)
    made.mount("/", site.create())
    made.add_middleware(OurPagesOnly, address=settings().address)
    return made


def healthz() -> dict[str, str]:
    """Whether this process answers."""
    return {"status": "ok"}


app = create()
