"""Figures: one tool for every question of how many, how much, which share, which is on top."""

from typing import Annotated, Any, Literal

from langchain_core.tools import tool
from pydantic import Field

from domain.segments import parse
from domain.windows import Window
from services import figures
from services.figures import What
from services.stats import Unit
from tools.context import Answer, Runtime, told
from tools.datasets import source
from tools.segments import SegmentJson


@tool(response_format="content_and_artifact")
def measure(  # noqa: PLR0913, PLR0917 - the slots of a question
    what: What,
    runtime: Runtime,
    metric: str | None = None,
    activity: str | None = None,
    property: Annotated[str | None, Field(description="Of the activity.")] = None,  # noqa: A002
    attribute: Annotated[str | None, Field(description="To group by or to count.")] = None,
    by: Annotated[str | None, Field(description="top of a property: people, deeds, or a number of it.")] = None,
    first: Annotated[bool, Field(description="trend: first times only.")] = False,  # noqa: FBT002
    percentile: float | None = None,
    limit: int | None = None,
    end: Literal["top", "bottom"] = "top",
    interval: Unit | None = None,
    during: Annotated[Window | None, Field(description='Window of the activity, e.g. {"last": "30d"}.')] = None,
    definition: SegmentJson | None = None,
    other: Annotated[dict[str, Any] | None, Field(description="compare: left out, everyone.")] = None,
    dataset: str = "store",
) -> Answer:
    """Read: answer a question about figures, over everyone or over the customers a definition means.

    count, share: of customers (definition), or of an activity's rows; by attribute if given. average, median, minimum,
    maximum, total, percentile, distribution: of a metric; by attribute if given. top: the most frequent values of an
    attribute or of an activity's property, or the customers with the most of a metric. trend: of an activity, a metric
    or people by an attribute that is a day. compare: two definitions, with what is more than chance. rfm: the grid.
    The answer says in ``counted`` what its numbers count; say that too.
    """
    slots: dict[str, Any] = {
        "what": what,
        "metric": metric,
        "activity": activity,
        "property": property,
        "attribute": attribute,
        "by": by,
        "first": first,
        "percentile": percentile,
        "limit": limit,
        "end": end,
        "interval": interval,
        "during": during,
        "definition": parse(definition) if definition is not None else None,
        "other": parse(other) if other is not None else None,
    }
    with source(runtime.context, dataset) as asked:
        found = figures.answer(asked, figures.Question(**slots))
    shown = {"kind": "figures", "figures": found.model_dump(mode="json"), "summary": found.label}
    return told(found.model_dump(mode="json", exclude_none=True)), shown
