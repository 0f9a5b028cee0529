"""What must never stand in a log?"""

from collections.abc import Iterator

import httpx
import pytest
import structlog

import logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_a_traceback_tells_where_it_failed_and_not_with_which_values(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO")

    def sign_in(password: str) -> None:
        assert password
        raise LookupError("no such account")

    try:
        sign_in("correct horse" + " battery")
    except LookupError:
        structlog.get_logger().exception("page_failed")
    said = capsys.readouterr().out
    assert "LookupError: no such account" in said
    assert "in sign_in" in said
    assert "correct horse battery" not in said


def test_what_is_below_the_level_is_not_said(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("WARNING")
    structlog.get_logger().info("batch_sent")
    assert capsys.readouterr().out == ""


def test_addresses_that_are_called_are_not_told_for_keys_are_in_them(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    logs.configure("INFO")
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client:
        client.get("https://verifier.example.com/validate?api_key=secret&email=ada@example.com")
    assert "secret" not in caplog.text
