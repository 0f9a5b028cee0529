"""Does plain text become the mail its author meant, and nothing else?"""

import re

import pytest

from domain import markup


def html(body: str) -> str:
    """What is between the frame of a page."""
    whole = markup.page(body, preview="", sender="", footer=(), unsubscribe_url=None)
    return re.sub(r' style="[^"]*"', "", whole.split('line-height:24px">')[1].split("</div>")[0])


@pytest.mark.parametrize(
    ("body", "made"),
    [
        ("One.\n\nTwo.", "<p>One.</p><p>Two.</p>"),
        ("One.\nTwo.", "<p>One.<br>Two.</p>"),
        ("One.\n\n\n \nTwo.", "<p>One.</p><p>Two.</p>"),
        ("Some:\n- a\n- b\nEnd", "<p>Some:</p><ul><li>a</li><li>b</li></ul><p>End</p>"),
        ("A **bold** word", "<p>A <strong>bold</strong> word</p>"),
        ("2 ** 3 ** 4", "<p>2 ** 3 ** 4</p>"),
        (
            "See [it](https://a.example/x?a=1&b=2) now",
            '<p>See <a href="https://a.example/x?a=1&amp;b=2">it</a> now</p>',
        ),
        ("[Go](https://a.example)", '<p><a href="https://a.example">Go</a></p>'),
        ("at https://a.example/x.", '<p>at <a href="https://a.example/x">https://a.example/x</a>.</p>'),
        ("[no](javascript:alert) [no](/x)", "<p>[no](javascript:alert) [no](/x)</p>"),
        ("<b>&amp;\"'", "<p>&lt;b&gt;&amp;amp;&quot;&#x27;</p>"),
        ('[x](https://a.example/"onclick=1)', '<p><a href="https://a.example/&quot;onclick=1">x</a></p>'),
        ("a\r\n\r\nb", "<p>a</p><p>b</p>"),
    ],
)
def test_the_few_marks_become_html(body: str, made: str) -> None:
    assert html(body) == made


@pytest.mark.parametrize(
    ("body", "made"),
    [
        ("See [it](https://a.example/x)", "See it: https://a.example/x"),
        ("A **bold** word", "A bold word"),
        ("a\n\n\n\nb", "a\n\nb"),
        ("a\x00\x07b", "ab"),
    ],
)
def test_plain_text_reads_without_marks(body: str, made: str) -> None:
    assert markup.plain(body) == made


@pytest.mark.parametrize("name", ["*a*", "[a](b)", "http://x.example", "a(b)c", "plain"])
def test_shielded_text_comes_back_as_it_was(name: str) -> None:
    assert markup.unshield(markup.shield(name)) == name
    assert html(markup.shield(name)) == f"<p>{name}</p>"


def test_a_page_loads_nothing_from_anywhere() -> None:
    page = markup.page("x", preview="p", sender="s", footer=("f",), unsubscribe_url="https://a.example/u")
    assert not re.search(r"<(script|img|link|iframe|style)|src=|url\(", page)
