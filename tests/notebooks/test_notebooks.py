"""Do the notebooks run from top to bottom, and do they show what they would show today?"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from services import intent
from settings import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def said(notebook: nbformat.NotebookNode) -> Iterator[tuple[str, str]]:
    """What each cell printed or answered in words, with the cell's id."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            text = output.get("text") or output.get("data", {}).get("text/plain")
            if text:
                yield cell["id"], "".join(text)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_as_a_reader_would_run_it_and_its_outputs_are_true(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = nbformat.read(path, as_version=4)
    shown = list(said(notebook))
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    if shown:
        assert list(said(notebook)) == shown


def test_the_segmentation_notebook_takes_a_file_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    intent.demo(tmp_path / "own.duckdb", companies=80, as_of=date(2025, 1, 31), seed=3)
    monkeypatch.setenv("CRM_SOURCE", str(tmp_path / "own.duckdb"))
    monkeypatch.setenv("CRM_AS_OF", "2025-01-31")
    notebook = nbformat.read(ROOT / "notebooks" / "segmentation.ipynb", as_version=4)
    names: dict[str, object] = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            exec(cell.source.replace('.show(renderer="plotly_mimetype")', ".to_dict()"), names)  # noqa: S102 - our own
    assert "81  companies" in capsys.readouterr().out
