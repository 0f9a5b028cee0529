"""Who turns a sentence into proposals? A LangGraph agent over the tools, on a real model or on the offline planner."""
