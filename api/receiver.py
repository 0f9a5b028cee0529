"""How are receipts taken beside the web application? ``uvicorn api.receiver:app``, as many as are needed.

Providers that tell us something once or twice and then no more should find a receiver that nothing else keeps busy.
"""

from fastapi import FastAPI

from api import errors, receipts, unsubscribe

app = FastAPI(title="Parley receiver", docs_url=None, redoc_url=None, openapi_url=None)
app.include_router(receipts.router)
app.include_router(unsubscribe.router)
errors.install(app)


@app.get("/healthz")
def healthy() -> dict[str, str]:
    """Whether this process answers."""
    return {"status": "ok"}
