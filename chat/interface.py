"""What does a browser load when it opens the chat? Chainlit's own pages, without anything that comes from elsewhere."""

import contextlib
import importlib.metadata
import importlib.util
import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from settings import ROOT

BUILD = "ui_build"

_FOREIGN_LINK = re.compile(r"""<link\b[^>]*\bhref=["'](?:https?:)?//[^>]*>\s*""")
_LEFT_OUT = re.compile(
    r"\.map$|^(DailyMotion|Facebook|FilePlayer|Kaltura|Mixcloud|Mux|Preview|SoundCloud|Streamable|Twitch|Vidyard|Vimeo"
    r"|Wistia|YouTube)-"
)
"""Source maps, and media players that would fetch their scripts from their makers."""


def prepare(folder: Path) -> None:
    """Have in ``folder`` what Chainlit reads and serves: its configuration, our words, cards and theme, and its pages.

    All of it can be made again, so nothing there is worth a backup. The pages are copied once per Chainlit release.
    """
    shutil.rmtree(folder / ".files", ignore_errors=True)  # what sessions that are over left behind
    words = folder / ".chainlit" / "translations" / "en-US.json"
    words.parent.mkdir(parents=True, exist_ok=True)
    shipped = json.loads((_chainlit() / "translations" / words.name).read_text())
    words.write_text(json.dumps(_merged(shipped, json.loads((ROOT / "chat" / "words.json").read_text())), indent=2))
    shutil.copyfile(ROOT / "chat" / "config.toml", folder / ".chainlit" / "config.toml")
    (folder / "chainlit_en-US.md").write_text("")  # no readme, and no warning that there is none
    with contextlib.suppress(FileExistsError):
        (folder / "public").symlink_to(ROOT / "public")
    _copy_pages(folder)


def _copy_pages(folder: Path) -> None:
    release = importlib.metadata.version("chainlit")
    target = folder / BUILD
    marker = target / "release.txt"
    if marker.is_file() and marker.read_text() == release:
        return
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{BUILD}-") as scratch:
        draft = Path(scratch) / "new"
        shutil.copytree(_chainlit() / "frontend" / "dist", draft, ignore=_unwanted)
        page = draft / "index.html"
        page.write_text(_FOREIGN_LINK.sub("", page.read_text()))
        (draft / marker.name).write_text(release)
        with contextlib.suppress(FileNotFoundError):
            target.rename(Path(scratch) / "old")
        draft.rename(target)


def _chainlit() -> Path:
    """Where Chainlit is installed, found without importing it: it reads its configuration when it is imported."""
    spec = importlib.util.find_spec("chainlit")
    if spec is None or spec.origin is None:
        message = "Chainlit is not installed."
        raise RuntimeError(message)
    return Path(spec.origin).parent


def _unwanted(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if _LEFT_OUT.search(name)}


def _merged(base: Any, over: Any) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: _merged(base.get(key), value) for key, value in over.items()}
    return over
