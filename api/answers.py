"""What do all routes of the REST API answer when they refuse? The shape, for their description."""

from typing import Any

from pydantic import BaseModel


class Error(BaseModel):
    """``code`` is stable and in small letters; ``fix`` says what to do; ``path`` is the dotted place of the mistake."""

    code: str
    message: str
    fix: str
    path: str


class Refusal(BaseModel):
    """The one shape of every refusal."""

    error: Error


REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal, "description": said}
    for status, said in {
        400: "The body is not JSON.",
        401: "No token, or one that does not work.",
        403: "The token may not ask this dataset.",
        404: "There is no such dataset.",
        413: "The body is larger than a mebibyte.",
        422: "The definition is wrong; path names the place.",
        503: "The question took too long, or its data cannot be reached now.",
    }.items()
}
