"""Can everybody read it, is it light enough, and does it come from us alone?"""

import json
import re
from colorsys import hls_to_rgb
from itertools import product
from pathlib import Path

import pytest

from settings import ROOT

STATIC = ROOT / "console" / "static"
PUBLIC = ROOT / "public"
READABLE = 4.5
"""Contrast of text with what lies behind it (WCAG 2.2, 1.4.3, level AA)."""

SEEN = 3.0
"""Contrast of a control's border and of a focus mark (1.4.11)."""

TEXT = {
    ("ink", "ink-2", "ink-3", "teal-ink", "good", "warn", "bad"): ("paper", "surface", "sunken"),
    ("on-teal",): ("teal", "teal-hover"),
    ("ink", "ink-2", "ink-3", "teal-ink"): ("teal-soft",),
    ("ink", "ink-2"): ("teal-bar",),
    ("good",): ("good-soft",),
    ("warn",): ("warn-soft",),
    ("bad",): ("bad-soft",),
}


def tokens(theme: str) -> dict[str, str]:
    css = (STATIC / "tokens.css").read_text()
    start = css.index({"light": ":root {", "dark": ".dark {"}[theme])
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", css[start : css.index("}", start)]))


def luminance(colour: tuple[float, float, float]) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(rgb(one)), luminance(rgb(other))))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_whatever_it_is_written_on(theme: str) -> None:
    known = tokens(theme)
    pairs = [pair for inks, grounds in TEXT.items() for pair in product(inks, grounds)]
    weak = {f"{ink} on {on}": contrast(known[ink], known[on]) for ink, on in pairs}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < READABLE} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_focus_is_seen(theme: str) -> None:
    known = tokens(theme)
    assert all(contrast(known["teal"], known[on]) >= SEEN for on in ("paper", "surface", "sunken"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_chats_theme_says_the_same_colours(theme: str) -> None:
    known, chat = tokens(theme), json.loads((PUBLIC / "theme.json").read_text())["variables"][theme]
    same = {"background": "paper", "foreground": "ink", "card": "surface", "primary": "teal", "border": "line"}
    for theirs, ours in same.items():
        hue, saturation, light = (float(part.rstrip("%")) for part in chat[f"--{theirs}"].split())
        spoken = hls_to_rgb(hue / 360, light / 100, saturation / 100)
        assert spoken == pytest.approx(rgb(known[ours]), abs=0.01), theirs


@pytest.mark.parametrize(
    "path", [*STATIC.glob("*.css"), *STATIC.glob("*.js"), *PUBLIC.glob("*.*"), *PUBLIC.glob("elements/*")], ids=str
)
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    if path.name == "htmx.min.js":
        return  # names its own website in comments, and asks our address only (selfRequestsOnly)
    text = re.sub(r'xmlns(:\w+)?="[^"]+"', "", path.read_text())
    assert not re.findall(r"""(?:src|href|url|import|fetch)\s*[=(:]?\s*\(?["']?(?:https?:)?//""", text)


def test_what_a_page_needs_besides_itself_is_light() -> None:
    console = ["tokens.css", "console.css", "cards.css", "theme.js", "console.js", "htmx.min.js", "icons.svg"]
    files = [STATIC / name for name in (*console, "logo_light.svg", "favicon.svg", "fonts/inter-latin.woff2")]
    assert sum(path.stat().st_size for path in files) < 180_000
