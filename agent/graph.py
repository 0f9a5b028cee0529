"""What is the agent? One LangGraph graph: a model that may call the tools, within limits, its errors told plainly."""

from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    ModelCallLimitMiddleware,
    ToolCallLimitMiddleware,
    ToolErrorMiddleware,
)
from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph

from agent.model import Choice
from agent.offline.model import OfflinePlanner
from agent.repair import Repair
from domain.errors import ParleyError
from tools.catalog import describe_data
from tools.clock import advance_clock
from tools.context import Context, told
from tools.customers import find_customer, propose_customer
from tools.flows import (
    draft_campaign,
    list_flows,
    list_templates,
    propose_activation,
    propose_flow,
    propose_flow_order,
)
from tools.questions import ask_person
from tools.research import research_products
from tools.segments import explain_membership, list_segments, preview_segment, propose_segment, revise_segment
from tools.segments_saved import inspect_segment
from tools.stats import measure

MODEL_CALLS = 8
TOOL_CALLS = 16
STEPS = 80
"""Of the graph, in one run; the other two limits are reached first."""

TOOLS: tuple[BaseTool, ...] = (
    preview_segment,
    propose_segment,
    revise_segment,
    explain_membership,
    list_segments,
    inspect_segment,
    draft_campaign,
    propose_flow,
    propose_activation,
    propose_flow_order,
    list_flows,
    list_templates,
    find_customer,
    propose_customer,
    describe_data,
    measure,
    research_products,
    advance_clock,
    ask_person,
)

Graph = CompiledStateGraph[Any, Context, Any, Any]


def build(endpoint: BaseChatModel | None, saver: BaseCheckpointSaver[str] | None) -> Graph:
    """The agent's graph. Without ``saver`` it forgets each run and cannot wait for a person."""
    middleware: list[AgentMiddleware[Any, Context, Any]] = [
        Repair(),
        Choice(endpoint),
        ToolErrorMiddleware(refusal),
        ModelCallLimitMiddleware(run_limit=MODEL_CALLS, exit_behavior="end"),
        ToolCallLimitMiddleware(run_limit=TOOL_CALLS),
    ]
    return create_agent(
        endpoint or OfflinePlanner.model_construct(),
        list(TOOLS),
        middleware=middleware,
        context_schema=Context,
        checkpointer=saver,
    )


def refusal(error: Exception, _request: ToolCallRequest) -> str | None:
    """What the model is told of a refusal; any other error ends the run."""
    return told({"error": error.as_dict()}) if isinstance(error, ParleyError) else None
