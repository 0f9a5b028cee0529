"""Do templates say only what they may, whoever writes them and whatever customers are called?"""

import contextlib
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import templates
from domain.errors import Invalid
from domain.templates import Content, Frame, Rendered, check, compiled, render, render_text

FRAME = Frame("Corner Shop", "1 Example Street, Springfield", "marketing", "https://shop.example.com/u/abc")


def shown(body: str, customer: dict[str, Any] | None = None, subject: str = "Hello") -> Rendered:
    """A message as a customer sees it."""
    return render(compiled(Content(subject=subject, body=body)), {"customer": customer or {}}, FRAME)


def text(body: str, customer: dict[str, Any] | None = None) -> str:
    """The words of the body alone."""
    return shown(body, customer).text.split("\n\n-- \n")[0]


def errors(body: str, subject: str = "Hello", **options: Any) -> list[str]:
    """What is wrong with it."""
    found = check(Content(subject=subject, body=body), **options)
    return [problem.message for problem in found if problem.level == "error"]


@pytest.mark.parametrize(
    ("body", "customer", "said"),
    [
        ('Hi {{ customer.first_name | default: "there" }}', {"first_name": "Ann"}, "Hi Ann"),
        ('Hi {{ customer.first_name | default: "there" }}', {"first_name": None}, "Hi there"),
        ('Hi {{ customer.first_name | default: "there" }}', {"first_name": "  "}, "Hi there"),
        ('Hi {{ customer.first_name | default: "there" }}', {}, "Hi there"),
        ("{{ customer.first_name | upcase }}", {"first_name": "Zoë"}, "ZOË"),
        ("{{ customer.city | downcase | capitalize }}", {"city": "NEW YORK"}, "New york"),
        ("{{ customer.company | truncate: 8 }}", {"company": "Acme Incorporated"}, "Acme ..."),
        ('{{ customer.custom.tags | join: " and " }}', {"custom": {"tags": ["tea", "pots"]}}, "tea and pots"),
        ("{{ customer.custom.tags | first }}", {"custom": {"tags": ["tea", "pots"]}}, "tea"),
        ("{{ customer.custom.score | round: 1 }}", {"custom": {"score": 4.25}}, "4.3"),
        ('{{ customer.birthday | date: "%-d %B" }}', {"birthday": date(1990, 5, 1)}, "1 May"),
        ("{{ customer.last_order_at | date }}", {"last_order_at": datetime(2026, 5, 1, tzinfo=UTC)}, "May 1, 2026"),
        ('{% if customer.city == "Austin" %}Y{% else %}N{% endif %}', {"city": "Austin"}, "Y"),
        ("{% unless customer.city %}none{% endunless %}", {}, "none"),
        ('{% case customer.country %}{% when "US" %}A{% else %}B{% endcase %}', {"country": "DE"}, "B"),
        ("{% for tag in customer.custom.tags %}[{{ tag }}]{% endfor %}", {"custom": {"tags": ["a", "b"]}}, "[a][b]"),
        ("{% comment %}nothing{% endcomment %}x", {}, "x"),
        ("{{ store.name }}, {{ store.address }}", {}, "Corner Shop, 1 Example Street, Springfield"),
        ("{{ unsubscribe_url }}", {}, "https://shop.example.com/u/abc"),
        ("?q={{ customer.city | url_encode }}", {"city": "São Paulo (SP)"}, "?q=S%C3%A3o%20Paulo%20%28SP%29"),
    ],
)
def test_a_template_says_what_it_is_told(body: str, customer: dict[str, Any], said: str) -> None:
    assert text(body, customer) == said


HOSTILE = [
    "{{ 7 | times: 7 }}",
    "{{ customer.email }}",
    "{% for i in (1..9) %}x{% endfor %}",
    "${7*7}",
    "<%= 7*7 %>",
    "#{7*7}",
    "*{7*7}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ self._TemplateReference__context.cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ config.items() }}",
    "{{ request['application']['__globals__'] }}",
    "{% include '/etc/passwd' %}",
    "{{ _self.env.registerUndefinedFilterCallback('exec') }}",
    "{{ env 'PATH' }}",
    "<#assign ex='freemarker.template.utility.Execute'?new()>${ex('id')}",
    "%(x)s {0.__class__} {x!r}",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "[click](https://evil.example.net)",
    "[click](javascript:alert(1))",
    "https://evil.example.net/now",
    "**loud**",
    "a\r\nBcc: everyone@example.org",
    "a\nSubject: other",
    "a\u2028b",
    "\u202egnp.exe",
    "\x00\x1b[31m",
    "\ue000\ue00f",
    "A" * 5_000,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_what_customers_call_themselves_stays_text(name: str) -> None:
    seen = shown("Hi {{ customer.first_name }},\n\nbye", {"first_name": name}, "For {{ customer.first_name }}")
    assert not re.search(r"[\r\n\x00-\x1f\u2028\u202e]", seen.subject)
    assert len(seen.subject) <= templates.MAX_SUBJECT
    assert "49" not in seen.text
    assert "<script" not in seen.html
    assert "<img" not in seen.html
    assert "<svg" not in seen.html
    assert re.findall(r'href="([^"]*)"', seen.html) == ["https://shop.example.com/u/abc"]
    assert "<strong>" not in seen.html
    assert seen.text.startswith("Hi ")
    assert seen.text.split("\n\n")[1] == "bye"
    assert not re.search("[\ue000-\ue00f]", seen.text + seen.html + seen.subject)


@pytest.mark.parametrize("source", HOSTILE[:15])
def test_a_foreign_template_language_is_refused_or_plain_text(source: str) -> None:
    if not errors(source):
        assert "49" not in text(source)
        assert "root:" not in text(source)


BOMBS = [
    "{% for i in (1..9000000) %}x{% endfor %}",
    "{{ (1..9000000) | join }}",
    "{% assign a = 'x' %}",
    "{% capture a %}x{% endcapture %}",
    "{% increment a %}",
    "{% cycle 'a', 'b' %}",
    "{% tablerow i in customer.custom.x %}x{% endtablerow %}",
    "{% include 'x' %}",
    "{% render 'x' %}",
    "{% layout 'x' %}",
    "{% macro x %}{% endmacro %}",
    "{% liquid\nassign a = 1 %}",
    "{{ 'a' | append: 'b' }}",
    "{{ 'a' | replace: 'a', 'aaaaaaaaaa' }}",
    "{{ 2 | times: 999999999 }}",
    "{{ 'a,b' | split: ',' }}",
    "{{ customer.custom.x | sort }}",
    "{{ 'x' | base64_decode }}",
    "{% for a in customer.custom.x %}" * 3 + "x" + "{% endfor %}" * 3,
    "{% for a in customer.custom.x %}{% for b in customer.custom.x %}" + "{{ a }}" * 50 + "{% endfor %}{% endfor %}",
    "{{ customer.first_name }}" * 800 + "{% if customer.city %}" * 11 + "{% endif %}" * 11,
    "{% if " + "customer.city and " * 30 + "customer.city %}x{% endif %}",
    "{{ customer" + ".a" * 200 + " }}",
    "{{ " + "9" * 400 + " }}",
    "{% if customer.city %}" * 40 + "{% endif %}" * 40,
    "x" * 20_001,
]


@pytest.mark.parametrize("source", BOMBS)
def test_a_template_that_could_cost_much_is_refused_before_it_runs(source: str) -> None:
    if len(source) > templates.MAX_SOURCE:
        with pytest.raises(ValueError, match="at most"):
            Content(subject="x", body=source)
        return
    with pytest.raises(Invalid) as refused:
        compiled(Content(subject="x", body=source))
    assert refused.value.path == "body"
    assert refused.value.fix


@pytest.mark.parametrize(
    "source",
    [
        "{{ customer.first_name | truncate: 999999999999 }}",
        "{{ customer.first_name | round: 999999999 }}",
        '{{ customer.birthday | date: "%9999999d" }}',
        '{{ customer.birthday | date: "%E%O%G%" }}',
        "{{ customer.custom.n | round: 3 }}",
    ],
)
def test_arguments_cannot_make_a_filter_work_hard(source: str) -> None:
    seen = text(source, {"first_name": "A" * 600, "birthday": date(1990, 1, 1), "custom": {"n": 1e300}})
    assert len(seen) <= templates.MAX_VALUE


def test_lists_and_texts_of_customers_are_cut_to_what_a_message_needs() -> None:
    long = {"custom": {"x": [["deep"] * 100] * 1_000, "y": "z" * 100_000}}
    looped = "{% for a in customer.custom.x %}{% for b in customer.custom.x %}x{% endfor %}{% endfor %}"
    assert len(text(looped, long)) == templates.MAX_ITEMS**2
    assert len(text("{{ customer.custom.y }}", long)) == templates.MAX_VALUE


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{{ customer.nickname }}", "There is no customer.nickname."),
        ("{{ first_name }}", "There is no first_name."),
        ("{{ now }}", "There is no now."),
        ("{{ customer.custom.size }}", "There is no customer.custom.size."),
        ("{{ customer[store.name] }}", "There is no customer.[store.name]."),
        ("{{ customer.first_name", "Line 1: expected '}}', found end of file."),
        ("a\n{% if customer.city %}\nb", "{% endif %} is missing."),
        ("{{ customer.city | shout }}", "There is no filter shout."),
        ("", "The message is empty."),
    ],
)
def test_mistakes_are_named_in_words(body: str, message: str) -> None:
    assert errors(body) == [message]


def test_a_mistaken_name_comes_with_the_likely_one() -> None:
    (problem,) = check(Content(subject="x", body="{{ customer.firstname }}"))
    assert problem.fix == "Did you mean customer.first_name?"
    (problem,) = check(Content(subject="x", body="{{ first_name }}"))
    assert problem.fix == "Did you mean customer.first_name?"


def test_custom_attributes_of_the_store_are_known() -> None:
    assert errors("{{ customer.custom.size }}", custom={"size"}) == []


def test_one_brace_instead_of_two_is_worth_a_warning() -> None:
    (problem,) = check(Content(subject="x", body="Hi {name}"))
    assert (problem.level, problem.fix) == ("warning", "Write {{ customer.first_name }}.")


@pytest.mark.parametrize(
    ("body", "bare"),
    [
        ("{{ customer.city }}", {"customer.city"}),
        ('{{ customer.city | default: "x" }}', set()),
        ("{{ customer.city | upcase }}", {"customer.city"}),
        ("{% if customer.city %}{{ customer.city }}{% endif %}", set()),
        ("{% if customer.region %}{{ customer.city }}{% endif %}", {"customer.city"}),
        ("{% for x in customer.custom.a %}{{ x }}{% endfor %}", set()),
        ("{{ store.name }}", set()),
    ],
)
def test_a_template_knows_what_it_prints_without_a_fallback(body: str, bare: set[str]) -> None:
    assert compiled(Content(subject="x", body=body)).bare == bare


def test_an_empty_subject_concerns_only_whom_it_is_empty_for() -> None:
    template = compiled(Content(subject="{{ customer.first_name }}", body="x"))
    assert render(template, {"customer": {"first_name": "Ann"}}, FRAME).subject == "Ann"
    with pytest.raises(Invalid) as refused:
        render(template, {"customer": {}}, FRAME)
    assert refused.value.code == "subject_empty"


def test_marketing_ends_with_address_and_unsubscribe_link_and_a_receipt_does_not() -> None:
    mail = shown("x")
    assert mail.text.endswith(
        "\n-- \nCorner Shop\n1 Example Street, Springfield\nUnsubscribe: https://shop.example.com/u/abc\n"
    )
    assert "https://shop.example.com/u/abc" in mail.html
    plain = render(compiled(Content(subject="x", body="x")), {}, Frame("Corner Shop", "1 Street", "transactional"))
    assert "nsubscribe" not in plain.text + plain.html


def test_a_text_message_is_its_body_alone() -> None:
    template = compiled(Content(body='{{ store.name }}: Hi {{ customer.first_name | default: "there" }}. **Soon**'))
    assert render_text(template, {"customer": {}}, FRAME) == "Corner Shop: Hi there. Soon"


PIECES = st.sampled_from(
    ["{{", "}}", "{%", "%}", "customer", ".first_name", " | default: ", '"x"', "if ", "endif", "for ", " in ", "(1..3)",
     "endfor", "case", "when", "==", "and", "upcase", "|", "x", " ", "\n", "[", "]", "-", "'", "9", ".", "é", "#"]
)  # fmt: skip


@settings(max_examples=400)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_any_text_is_a_template_or_refused_as_one(source: str) -> None:
    content = Content(subject="x", body=source)
    try:
        template = compiled(content)
    except Invalid:
        assert errors(source) or not source.strip()
        return
    with contextlib.suppress(Invalid):
        assert render(template, {"customer": {"first_name": "Ann"}}, FRAME).subject == "x"


@given(st.text(max_size=200))
def test_any_name_comes_through_without_breaking_the_page(name: str) -> None:
    seen = shown("Hi {{ customer.first_name }}.", {"first_name": name})
    body = seen.html.split('<div style="padding:28px')[1]
    assert body.count("<p") == 2
    assert seen.text.count("\n\n") == 1
