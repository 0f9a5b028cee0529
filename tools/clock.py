"""The clock of the demo store: watch a wait of ten days in seconds."""

from typing import Annotated

from langchain_core.tools import tool
from pydantic import Field

from domain.errors import Forbidden, Invalid
from domain.windows import length
from services import clock, segments
from tools.context import Answer, Runtime, told


@tool(response_format="content_and_artifact")
def advance_clock(
    duration: Annotated[str, Field(description="How far, e.g. 10d, 12h, 2w.")], runtime: Runtime
) -> Answer:
    """Write: move the demo store's clock ahead, at once; refused in a real store. Only when the person asks for it.

    What falls due in between is sent by flows that a person has approved, and by nothing else.
    """
    context = runtime.context
    if context.as_of is not None or not context.person.may_decide:
        raise Forbidden("may_not_decide", "The clock is moved in the chat.", "Sign in as a marketer or admin.")
    with context.transaction() as session:
        now = context.now(session)
        try:
            delta = now + length(duration) - now
        except ValueError:
            fix = "Write for example 10d, 12h or 2w."
            raise Invalid("duration_invalid", f"{duration!r} is not a length of time.", fix, "duration") from None
        shown = clock.advance(session, delta, now=now, by=context.person.username)
        local = shown.astimezone(segments.zone(session))
    said = f"{local:%A, %-d %B %Y, %H:%M} ({local.tzinfo})"
    return told({"now": said}), {"kind": "clock", "summary": said}
