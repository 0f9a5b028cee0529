"""Which status does each kind of error have? One table for every route that answers in JSON.

Every refusal has one shape: ``{"error": {"code", "message", "fix", "path"}}``.
"""

from collections.abc import Mapping

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError, OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from domain.errors import Conflict, Forbidden, Invalid, NotFound, ParleyError, Unavailable

STATUS: Mapping[type[ParleyError], int] = {Invalid: 422, NotFound: 404, Conflict: 409, Forbidden: 403, Unavailable: 503}

EXACT: Mapping[str, int] = {"not_json": 400, "not_signed_in": 401, "token_unknown": 401, "too_large": 413}
"""Codes with a status more exact than their kind's (RFC 9110, 15.5)."""

CODES: Mapping[int, str] = {401: "not_signed_in", 404: "no_such_page", 405: "method_not_allowed", 413: "too_large"}
"""Codes of what the framework itself refuses."""

UNAUTHORIZED = 401

log = structlog.get_logger()


def status_of(error: ParleyError) -> int:
    """The status that says the kind of an error."""
    return EXACT.get(error.code) or next(status for kind, status in STATUS.items() if isinstance(error, kind))


def answer(error: ParleyError, status: int | None = None) -> JSONResponse:
    """The error as every route answers it."""
    status = status or status_of(error)
    headers = {"Retry-After": str(max(1, round(error.retry_after)))} if isinstance(error, Unavailable) else {}
    if status == UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"error": error.as_dict()}, status, headers)


def install(app: FastAPI) -> None:
    """Let every route of an application raise our errors."""
    app.add_exception_handler(ParleyError, _said)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(DBAPIError, _database)
    app.add_exception_handler(Exception, _failed)


def _said(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ParleyError)  # noqa: S101 - registered for this class only
    return answer(error)


def _malformed(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"][1:])
    return answer(Invalid("request_invalid", str(first["msg"]), "Correct the request and send it again.", path))


def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    code = CODES.get(error.status_code, "request_refused")
    return answer(Invalid(code, str(error.detail)), error.status_code)


def _database(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, OperationalError):
        return _failed(request, error)
    log.warning("database_unavailable", path=request.url.path, error=type(error.orig).__name__)
    return answer(Unavailable("database_unavailable", "The database cannot be reached now.", "Try again."))


def _failed(request: Request, error: Exception) -> JSONResponse:
    log.error("request_failed", path=request.url.path, exc_info=error)
    return answer(Invalid("internal_error", "Something went wrong here.", "Try again, or look into the log."), 500)
