"""Does every setting have a default, a line in the example file, and a clear message for a wrong value?"""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from domain.errors import Invalid
from settings import ROOT, Settings, example, secret, settings


def test_the_example_file_lists_every_setting() -> None:
    written = (ROOT / ".env.example").read_text()
    assert written == example(), "write it again with: python -c 'import settings; print(settings.example(), end=\"\")'"
    assert written.count("=") >= len(Settings.model_fields)


def test_a_wrong_value_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_PORT", "eighty")
    settings.cache_clear()
    with pytest.raises(Invalid) as caught:
        settings()
    assert caught.value.path == "PARLEY_PORT"


def test_an_empty_variable_means_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_POSTGRES_URL", "")
    monkeypatch.setenv("OPENAI_API_KEY", "")
    assert Settings().postgres_url is None
    assert Settings().openai_api_key is None


def test_a_secret_is_drawn_once_and_shown_to_nobody_else(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        drawn = set(pool.map(lambda _: secret("links", tmp_path), range(64)))
    assert len(drawn) == 1
    assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["links"]
    assert stat.S_IMODE((tmp_path / "secrets" / "links").stat().st_mode) == 0o600
    assert secret("other", tmp_path) not in drawn
