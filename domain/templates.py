"""What may a message template say, and what does it become for one recipient?

Templates are Liquid. Rendering one is bounded by construction, so nothing has to be watched or killed while it runs:

- Only the tags and filters named here exist. None of them stores anything (no ``assign``, ``capture``, ``increment``),
  so no loop can build on what an earlier round made, and every filter answers with a text no longer than what it was
  given plus what the template itself says (no ``append``, ``replace``, ``times``, no free ``strftime`` widths).
- Ranges do not exist. A loop goes over a list of the data, of at most ``MAX_ITEMS`` entries, and loops nest at most
  twice.
- When a template is read, its parts are counted, each as often as the loops around it can run; above ``MAX_STEPS`` it
  is refused. Sources, expressions and values have a greatest length too.

The cost of the worst accepted template is therefore known before it is used: a few milliseconds. (The library's own
limits count loop rounds and output, not work: ``(1..9000000) | join`` stays below all of them for seconds.)

Values reach a template as plain texts, numbers and lists; there is no object whose attributes could be walked.
"""

import difflib
import functools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Literal
from urllib.parse import quote

from liquid import BoundTemplate, Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.content import Literal as ContentTag
from liquid.builtin.expressions import FilteredExpression, LoopExpression, Path
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.illegal import Illegal
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.case_tag import CaseTag
from liquid.builtin.tags.comment_tag import CommentTag
from liquid.builtin.tags.for_tag import BreakTag, ContinueTag, ForNode, ForTag
from liquid.builtin.tags.if_tag import IfTag
from liquid.builtin.tags.inline_comment_tag import InlineCommentTag
from liquid.builtin.tags.unless_tag import UnlessTag
from liquid.exceptions import LiquidError
from liquid.expression import Expression
from liquid.static_analysis import analyze
from pydantic import BaseModel, ConfigDict, Field

from domain import markup
from domain.errors import Invalid

MAX_SUBJECT = 255
MAX_SOURCE = 20_000
MAX_EXPRESSION = 300
MAX_OUTPUT = 256 * 1024
MAX_STEPS = 10_000
MAX_ITEMS = 20
MAX_LOOPS = 2
MAX_VALUE = 500

PERSONAL: Mapping[str, str] = {
    "customer.first_name": "First name",
    "customer.last_name": "Last name",
    "customer.email": "Email address",
    "customer.phone": "Phone number",
    "customer.company": "Company",
    "customer.language": "Language",
    "customer.birthday": "Birthday",
    "customer.city": "City of the shipping address",
    "customer.region": "State or region of the shipping address",
    "customer.country": "Country of the shipping address",
    "customer.last_product": "The product bought last",
    "customer.last_category": "The category of the product bought last",
    "customer.last_order_at": "When the last order was placed",
}
"""What a template can say about its recipient. Any of it may be unknown; ``customer.custom.<name>`` is allowed too."""

ALWAYS: Mapping[str, str] = {
    "store.name": "Name of the store",
    "store.address": "Postal address of the store",
    "unsubscribe_url": "Address of the recipient's own unsubscribe page",
}
"""What is known for every recipient."""

CUSTOM = "customer.custom."
RENDERING = (LiquidError, ValueError, TypeError, ArithmeticError)
"""What a template can raise while it is rendered."""

_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_SINGLE_BRACE = re.compile(r"(?<!\{)\{\s*([A-Za-z_]\w*)\s*\}(?!\})")
_UNCLOSED = re.compile(r"expected tag (end\w+), found end")
_DATE_FORMAT = re.compile(r"(?:%[-]?[aAbBdeHIjmMpSyYZ%]|[^%])*")


class Content(BaseModel):
    """The words of one message: Liquid in all three. Texts to a phone have a body only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: str = Field(default="", max_length=1_000, description="Subject line (email).")
    preview_text: str = Field(default="", max_length=1_000, description="The line inboxes show after the subject.")
    body: str = Field(
        default="", max_length=MAX_SOURCE, description="Plain text with **bold**, - lists and [links](url)."
    )


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: where it is, what is wrong, what to do. A ``warning`` does not stop an approval."""

    path: str
    message: str
    fix: str
    level: Literal["error", "warning"] = "error"


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds every message of a store: who writes, from where, and how to stop it (marketing only)."""

    sender: str
    postal_address: str
    message_class: str = "marketing"
    unsubscribe_url: str | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as its recipient sees it. ``subject`` and ``preview`` hold no line breaks."""

    subject: str
    preview: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A checked template. ``variables`` are all it reads, ``bare`` those it prints though they may be unknown."""

    subject: BoundTemplate
    preview: BoundTemplate
    body: BoundTemplate
    variables: frozenset[str]
    bare: frozenset[str]


@functools.lru_cache(maxsize=512)
def compiled(content: Content) -> Template:
    """Read a template once. Raises Invalid (``template_broken``) whose path is the name of the field."""
    parts = [_parsed(getattr(content, name), name) for name in ("subject", "preview_text", "body")]
    subject, preview, body = (part.template for part in parts)
    return Template(
        subject,
        preview,
        body,
        variables=frozenset().union(*(part.variables for part in parts)),
        bare=frozenset().union(*(part.bare for part in parts)),
    )


def check(content: Content, *, channel: str = "email", custom: Collection[str] = ()) -> list[Problem]:
    """Everything that is wrong with a template, with paths ``subject``, ``preview_text``, ``body``.

    ``custom`` are the names of the store's custom attributes. Whether a fallback is missing for somebody depends on the
    recipients: see ``Template.bare``.
    """
    problems: list[Problem] = []
    if channel == "email" and not content.subject.strip():
        problems.append(Problem("subject", "The subject is empty.", "Write a subject line."))
    if not content.body.strip():
        problems.append(Problem("body", "The message is empty.", "Write at least one sentence."))
    for name in ("subject", "preview_text", "body"):
        source = getattr(content, name)
        try:
            part = _parsed(source, name)
        except Invalid as error:
            problems.append(Problem(name, error.message, error.fix))
            continue
        problems += _trial(part, name)
        problems += [
            _unknown(name, variable, custom) for variable in sorted(part.variables) if not known(variable, custom)
        ]
        problems += [
            Problem(name, f"{{{word}}} is printed as it stands.", f"Write {{{{ {_guess(word)} }}}}.", "warning")
            for word in dict.fromkeys(_SINGLE_BRACE.findall(source))
        ]
    return problems


def known(variable: str, custom: Collection[str] = ()) -> bool:
    """Whether a template may read a variable such as ``customer.first_name``."""
    return variable in PERSONAL or variable in ALWAYS or variable.removeprefix(CUSTOM) in custom


def readable(template: str) -> str:
    """A subject as people read it: ``{{ customer.first_name | default: "you" }}`` becomes ``[first name]``."""
    without_tags = re.sub(r"{%.*?%}", "", template)
    return re.sub(r"{{\s*(?:\w+\.)*(\w+).*?}}", lambda found: f"[{found[1].replace('_', ' ')}]", without_tags).strip()


def render(template: Template, context: Mapping[str, Any], frame: Frame) -> Rendered:
    """One recipient's message. ``context`` is plain data: ``{"customer": {...}}``; what the customer wrote stays text.

    Raises Invalid (``template_failed``, ``template_too_long``, ``subject_empty``), which concern this recipient only.
    """
    values: dict[str, Any] = {
        "customer": _shielded(context.get("customer", {})),
        "store": {"name": frame.sender, "address": frame.postal_address},
        "unsubscribe_url": frame.unsubscribe_url or "",
    }
    try:
        subject, preview, body = (part.render(values) for part in (template.subject, template.preview, template.body))
    except RENDERING as error:
        raise Invalid("template_failed", _said(error), "Correct the template.") from None
    if len(body) > MAX_OUTPUT:
        raise Invalid(
            "template_too_long", f"The message has {len(body):,} characters.", f"At most {MAX_OUTPUT:,}.", "body"
        )
    subject, preview = _header(subject)[:MAX_SUBJECT], _header(preview)[:MAX_SUBJECT]
    if not subject and template.subject.nodes:
        raise Invalid(
            "subject_empty", "The subject is empty for this person.", "Give its placeholders a default.", "subject"
        )
    marketing = frame.message_class == "marketing"
    named = frame.postal_address.startswith(frame.sender)
    footer = (frame.sender, frame.postal_address)[named:] if marketing else (frame.sender,)
    stop = frame.unsubscribe_url if marketing else None
    end = "\n".join((*footer, f"Unsubscribe: {stop}") if stop else footer)
    return Rendered(
        subject=subject,
        preview=preview,
        text=f"{markup.plain(body)}\n\n-- \n{end}\n",
        html=markup.page(body, preview=preview, sender=frame.sender, footer=footer, unsubscribe_url=stop),
    )


def render_text(template: Template, context: Mapping[str, Any], frame: Frame) -> str:
    """One recipient's text message: the body alone. Raises what ``render`` raises."""
    values = {"customer": _shielded(context.get("customer", {})), "store": {"name": frame.sender}}
    try:
        return markup.plain(template.body.render(values))[:MAX_OUTPUT]
    except RENDERING as error:
        raise Invalid("template_failed", _said(error), "Correct the template.") from None


@dataclass(frozen=True, slots=True)
class _Part:
    template: BoundTemplate
    variables: frozenset[str]
    bare: frozenset[str]


TAGS = (
    *(ContentTag, Illegal, Output),  # text, the refusal of unknown tags, and {{ }}
    *(IfTag, UnlessTag, CaseTag, ForTag, BreakTag, ContinueTag, CommentTag, InlineCommentTag),
)
"""The tags there are."""


class _Environment(Environment):
    """Liquid with what the module docstring allows and nothing else."""

    block_nesting_limit = 10
    context_depth_limit = 20
    loop_iteration_limit = MAX_ITEMS**MAX_LOOPS
    output_stream_limit = MAX_OUTPUT * 4

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:  # noqa: ARG002
        for tag in TAGS:
            self.add_tag(tag)
        for name, function in FILTERS.items():
            self.add_filter(name, function)


def _text(value: object) -> str:
    if value is None or isinstance(value, (list, dict)):
        return ""
    return value if isinstance(value, str) else str(value)


def _default(value: object, fallback: object = "") -> object:
    empty = value is None or value is False or (isinstance(value, (str, list, dict)) and not value)
    unknown = type(value).__name__ == "Undefined" or (isinstance(value, str) and not value.strip())
    return fallback if empty or unknown else value


def _truncate(value: object, length: int = 50, ending: str = "...") -> str:
    text, room = _text(value), min(max(int(length), 0), MAX_VALUE)
    return text if len(text) <= room else text[: max(room - len(str(ending)), 0)] + str(ending)


def _join(value: object, glue: object = ", ") -> str:
    return _text(glue).join(_text(item) for item in value) if isinstance(value, list) else _text(value)


def _round(value: object, digits: int = 0) -> str:
    try:
        step = Decimal(1).scaleb(-min(max(int(digits), 0), 6))
        return str(Decimal(_text(value)).quantize(step, ROUND_HALF_UP))
    except (InvalidOperation, ValueError, OverflowError):
        return _text(value)


def _date(value: object, pattern: object = "%B %-d, %Y") -> str:
    text = _text(value)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    wanted = _text(pattern)
    return moment.strftime(wanted) if _DATE_FORMAT.fullmatch(wanted) else text


def _first(value: object) -> object:
    return value[0] if isinstance(value, list) and value else None


def _last(value: object) -> object:
    return value[-1] if isinstance(value, list) and value else None


FILTERS: Mapping[str, Any] = {
    "default": _default,
    "upcase": lambda value: _text(value).upper(),
    "downcase": lambda value: _text(value).lower(),
    "capitalize": lambda value: _text(value).capitalize(),
    "strip": lambda value: _text(value).strip(),
    "truncate": _truncate,
    "first": _first,
    "last": _last,
    "join": _join,
    "round": _round,
    "date": _date,
    "url_encode": lambda value: quote(markup.unshield(_text(value)), safe=""),
}
"""The filters there are."""

_ENVIRONMENT = _Environment()


@functools.lru_cache(maxsize=1024)
def _parsed(source: str, path: str) -> _Part:
    if len(source) > MAX_SOURCE:
        raise Invalid("template_too_long", f"{len(source):,} characters.", f"At most {MAX_SOURCE:,}.", path)
    longest = max((len(found[0]) for found in _EXPRESSION.finditer(source)), default=0)
    if longest > MAX_EXPRESSION:
        fix = f"At most {MAX_EXPRESSION} characters between the braces."
        raise Invalid("template_broken", f"A placeholder of {longest:,} characters.", fix, path)
    try:
        template = _ENVIRONMENT.from_string(source)
        _check_work(template, path)
        found = analyze(template, include_partials=False).globals
        variables = frozenset(_name(variable.segments) for uses in found.values() for variable in uses)
        return _Part(template, variables, frozenset(_bare(template.nodes, frozenset(), RenderContext(template))))
    except (LiquidError, RecursionError, ValueError) as error:
        raise Invalid("template_broken", _said(error), _mend(error), path) from None


def _check_work(template: BoundTemplate, path: str) -> None:
    context = RenderContext(template)

    def steps(node: Node, loops: int) -> int:
        if any(isinstance(expression, LoopExpression) for expression in node.expressions()):
            loops += 1
            if loops > MAX_LOOPS:
                message = f"Loops are nested more than {MAX_LOOPS} deep."
                raise Invalid("template_heavy", message, "Use fewer loops inside each other.", path)
        for expression in node.expressions():
            _check_words(expression, path)
        weight = 1 + sum(_size(expression) for expression in node.expressions())
        return weight + (MAX_ITEMS if isinstance(node, ForNode) else 1) * sum(
            steps(child, loops) for child in node.children(context)
        )

    total = sum(steps(node, 0) for node in template.nodes)
    if total > MAX_STEPS:
        raise Invalid("template_heavy", f"The template takes up to {total:,} steps.", f"At most {MAX_STEPS:,}.", path)


def _check_words(expression: Expression, path: str) -> None:
    if isinstance(expression, RangeLiteral):
        raise Invalid(
            "template_broken", f"The range {expression} is not allowed.", "Loop over a list of the data.", path
        )
    for used in (expression.filters or ()) if isinstance(expression, FilteredExpression) else ():
        if used.name not in FILTERS:
            raise Invalid(
                "template_broken", f"There is no filter {used.name}.", f"Filters: {', '.join(FILTERS)}.", path
            )
    for child in _below(expression):
        _check_words(child, path)


def _below(expression: Expression) -> list[Expression]:
    return [child for child in expression.children() if isinstance(child, Expression)]


def _size(expression: Expression) -> int:
    filters = len(expression.filters or ()) if isinstance(expression, FilteredExpression) else 0
    return 1 + filters + sum(_size(child) for child in _below(expression))


def _bare(nodes: list[Node], covered: frozenset[str], context: RenderContext) -> Iterator[str]:
    """Personal variables printed where neither a default nor a condition around them covers an unknown value."""
    for node in nodes:
        said = [expression for expression in node.expressions() if not isinstance(expression, LoopExpression)]
        if isinstance(node, OutputNode):
            for expression in said:
                defaulted = isinstance(expression, FilteredExpression) and any(
                    one.name == "default" for one in expression.filters or ()
                )
                if not defaulted:
                    yield from (
                        name for name in _paths(expression) if name.startswith("customer.") and name not in covered
                    )
        asked = covered.union(*(_paths(expression) for expression in said))
        yield from _bare(list(node.children(context)), asked, context)


def _paths(expression: Expression) -> set[str]:
    here = {_name(list(expression.path))} if isinstance(expression, Path) else set()
    return here.union(*(_paths(child) for child in _below(expression)))


def _name(segments: list[Any]) -> str:
    return ".".join(f"[{_name(part)}]" if isinstance(part, list) else str(part) for part in segments)


def _unknown(path: str, variable: str, custom: Collection[str]) -> Problem:
    names = [*PERSONAL, *ALWAYS, *(CUSTOM + name for name in custom)]
    near = difflib.get_close_matches(variable, names, n=1, cutoff=0.6)
    short = [name for name in names if name.rpartition(".")[2] == variable.rpartition(".")[2]]
    guess = (near or short)[:1]
    fix = f"Did you mean {guess[0]}?" if guess else f"Known: {', '.join(names)}."
    return Problem(path, f"There is no {variable}.", fix)


def _trial(part: _Part, path: str) -> list[Problem]:
    """What goes wrong when nothing is known about the recipient."""
    try:
        part.template.render({"customer": {}})
    except RENDERING as error:
        return [Problem(path, _said(error), _mend(error))]
    return []


def _guess(word: str) -> str:
    names = [name.removeprefix("customer.") for name in PERSONAL]
    near = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.7)
    return f"customer.{near[0]}" if near else "customer.first_name"


def _shielded(value: Any, depth: int = 0) -> Any:
    match value:
        case str():
            return markup.shield(value[:MAX_VALUE])
        case None | bool() | int() | float():
            return value
        case datetime() | date():
            return value.isoformat()
        case dict() if depth < 3:  # noqa: PLR2004 - customer, custom, one object
            return {str(key): _shielded(item, depth + 1) for key, item in value.items()}
        case list() | tuple() if depth < 3:  # noqa: PLR2004
            return [_shielded(item, depth + 1) for item in value[:MAX_ITEMS]]
        case _:
            return markup.shield(str(value)[:MAX_VALUE])


def _header(text: str) -> str:
    return " ".join(markup.one_line(markup.unshield(text)).split()) if text else ""


def _said(error: Exception) -> str:
    if isinstance(error, LiquidError):
        where = error.context() if error.token is not None else None
        message = str(error.message or "it cannot be read")
        if unclosed := _UNCLOSED.match(message):
            message = f"{{% {unclosed[1]} %}} is missing"
        return f"Line {where[0]}: {message}." if where else f"{message[:1].upper()}{message[1:]}."
    return "It is nested too deeply." if isinstance(error, RecursionError) else "A number in it is out of range."


def _mend(error: Exception) -> str:
    if isinstance(error, LiquidError) and "filter" in str(error.message):
        return f"Filters: {', '.join(FILTERS)}."
    if isinstance(error, LiquidError) and "tag" in str(error.message):
        return "Tags: if, elsif, else, unless, case, for, comment; close each with its end tag."
    return (
        'Write placeholders as {{ customer.first_name | default: "there" }} and close every {% if %} with {% endif %}.'
    )
