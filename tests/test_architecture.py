"""Does the code keep the rules that are visible in its text alone? The layers of the packages are import-linter's."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from settings import ROOT

PACKAGES = (
    "agent",
    "api",
    "benchmarks",
    "channels",
    "chat",
    "commands",
    "console",
    "db",
    "domain",
    "evals",
    "services",
    "tools",
    "workers",
)
SOURCES = sorted([*ROOT.glob("*.py"), *(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))])
DOORS = {"api", "chat", "commands", "console", "workers", "app.py", "chainlit_app.py", "cli.py"}
LANGUAGE_MODELS = {"agent", "chat", "evals", "tools", "app.py", "chainlit_app.py"}

WHO_MAY_IMPORT = {
    "alembic": {"db"},
    "celery": {"workers"},
    "chainlit": LANGUAGE_MODELS,
    "duckdb": {"db"},
    "kombu": {"workers"},
    "langchain": LANGUAGE_MODELS,
    "langchain_core": LANGUAGE_MODELS,
    "langchain_openai": LANGUAGE_MODELS,
    "langgraph": LANGUAGE_MODELS,
    "psycopg": {"db"},
    "psycopg_pool": {"db"},
    "typer": {"benchmarks", "cli.py", "commands", "evals"},
    # Single-file modules, which import-linter does not see.
    "app": set(),
    "chainlit_app": set(),
    "cli": set(),
    "logs": {"app.py", "commands", "workers"},
    "settings": {*PACKAGES, *DOORS} - {"domain"},
    "api": {"app.py"},
    "chat": {"app.py", "chainlit_app.py"},
    "commands": {"cli.py"},
    "console": {"app.py"},
    "workers": set(),
}
"""Module -> the packages and root files that may import it; a package may always import itself."""

VAGUE = {"base_impl", "common", "helper", "helpers", "manager", "misc", "util", "utils"}

LONGEST_LINES = 500


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _owner(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("module", WHO_MAY_IMPORT)
def test_a_module_is_imported_only_where_it_belongs(module: str) -> None:
    allowed = WHO_MAY_IMPORT[module] | {module}
    strangers = [
        str(path.relative_to(ROOT)) for path in SOURCES if _owner(path) not in allowed if module in _imports(path)
    ]
    assert not strangers


def test_the_chat_knows_no_other_door_no_channel_and_no_tool() -> None:
    imported = set(_imports(ROOT / "chainlit_app.py"))
    assert not {"api", "channels", "commands", "console", "evals", "tools", "workers"} & imported


def test_everything_is_caught_only_at_the_doors() -> None:
    caught = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in SOURCES
        if _owner(path) not in DOORS
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ExceptHandler)
        if node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})
    ]
    assert not caught


def test_only_the_sessions_module_commits_a_session() -> None:
    commits = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Attribute) and node.attr == "commit"
        if isinstance(node.value, ast.Name) and node.value.id == "session"
    ]
    assert not commits


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_says_what_it_is_about_and_stays_short(path: Path) -> None:
    assert ast.get_docstring(_tree(path)), "a module opens with the question it answers"
    assert len(path.read_text().splitlines()) <= LONGEST_LINES or "versions" in path.parts, "revisions are generated"
    assert path.stem not in VAGUE


def test_no_two_locks_of_the_database_have_the_same_number() -> None:
    texts = (path.read_text(encoding="utf-8") for path in SOURCES)
    numbers = [found for text in texts for found in re.findall(r"= (7_215_\d{3})$", text, re.MULTILINE)]
    assert len(numbers) == len(set(numbers)) > 1
