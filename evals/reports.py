"""How are the figures shown? As JSON for machines and as Markdown for people."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FOLDER = Path("report")


def written(figures: dict[str, Any], folder: Path = FOLDER) -> Path:
    """Write ``evals.json`` and ``evals.md``; answers the path of the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evals.json").write_text(json.dumps(figures, indent=1, ensure_ascii=False), encoding="utf-8")
    target = folder / "evals.md"
    target.write_text("\n".join(markdown(figures)) + "\n", encoding="utf-8")
    return target


def markdown(figures: dict[str, Any]) -> Iterable[str]:
    """The figures as tables."""
    yield "# How often English becomes the right segment"
    for name, found in figures["sets"].items():
        yield ""
        yield f"## {name}"
        yield ""
        yield from _totals(found)
        yield ""
        yield from _categories(found["categories"])
        yield ""
        yield from _confusion(found["confusion"])
    yield ""
    yield "## Beside them"
    yield ""
    yield "| reader | right | same people | wrong without asking |"
    yield "|---|---|---|---|"
    for name, found in figures["baselines"].items():
        cells = (_share(found[key]) for key in ("correct", "exact", "confidently_wrong"))
        yield f"| {name} | {' | '.join(cells)} |"
    yield ""
    related = figures["metamorphic"]
    yield f"- relations between sentences that hold: {related['hits']} of {related['n']}"
    yield f"- the same in every run and with every hash seed: {'yes' if figures['deterministic'] else 'NO'}"
    wrong = [verdict for verdict in figures["verdicts"] if not verdict["correct"]]
    if wrong:
        yield ""
        yield "## Not right"
        yield ""
        yield "| case | sentence | came | why |"
        yield "|---|---|---|---|"
        for verdict in wrong:
            yield f"| {verdict['id']} | {_cell(verdict['text'])} | {verdict['action']} | {_cell(verdict['reason'])} |"


def _totals(found: dict[str, Any]) -> Iterable[str]:
    yield "| figure | share | of | 95 % interval |"
    yield "|---|---|---|---|"
    names = {
        "correct": "right",
        "exact": "exactly the same people",
        "coverage": "answered with a segment where one was asked for",
        "selective": "right where a segment was given",
        "confidently_wrong": "wrong without asking",
    }
    for key, name in names.items():
        yield _line(name, found[key])
    times = found["milliseconds"]
    yield f"| milliseconds per sentence | p50 {times['p50']:.1f}, p95 {times['p95']:.1f} | | |"


def _categories(found: dict[str, Any]) -> Iterable[str]:
    yield "| category | right | of | 95 % interval |"
    yield "|---|---|---|---|"
    yield from (_line(name, share) for name, share in found.items())


def _confusion(found: dict[str, dict[str, int]]) -> Iterable[str]:
    came = sorted({action for counts in found.values() for action in counts})
    yield f"| expected \\ came | {' | '.join(came)} |"
    yield f"|---|{'---|' * len(came)}"
    for expected, counts in found.items():
        yield f"| {expected} | {' | '.join(str(counts.get(action, 0)) for action in came)} |"


def _line(name: str, share: dict[str, Any]) -> str:
    return f"| {name} | {_share(share)} | {share['n']} | {share['low']:.1%} to {share['high']:.1%} |"


def _share(share: dict[str, Any]) -> str:
    return "-" if share["rate"] is None else f"{share['rate']:.1%}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")[:200]
