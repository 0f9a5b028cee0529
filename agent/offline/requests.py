"""Is something else asked for than people? The clock, help, one customer, an order about something that exists."""

import re
from typing import Any

from agent.offline import commands
from agent.offline.grammar import Grammar
from agent.offline.reading import CustomerQuery, Reading
from agent.offline.sentence import Sentence
from agent.offline.tokens import Token

_SQL = re.compile(
    r"^\W*(select\b.+\bfrom|insert\s+into|update\b.+\bset\b|delete\s+from|drop\s+(table|database)|alter\s+table|truncate\b|with\b.+\bselect)\b",
    re.IGNORECASE | re.DOTALL,
)
_FORECAST = re.compile(
    r"\b(predict|forecast|will\s+(\w+\s+)?(churn|buy|purchase|order|spend|convert|unsubscribe|return)|(likely|likelihood|probability|propensity|expected|going)\s+(to|of)\s+\w+|next\s+best)\b",
    re.IGNORECASE,
)
_HELP = re.compile(
    r"^\W*(please\s+)?(help(\s+me)?|what\s+can\s+(you|i|we)\s+(do|ask|say)\b.*|how\s+does\s+this\s+work|how\s+do\s+i\s+(use|start|begin)\b.*|hi|hello|hey|good\s+(morning|afternoon|evening)|what\s+are\s+you|who\s+are\s+you|what\s+do\s+you\s+do|examples?|show\s+(me\s+)?(some\s+)?examples|commands?)(\s+there)?\W*$",
    re.IGNORECASE,
)


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of these requests."""
    rule = grammar.rule

    @rule(
        "clock",
        "advance|move|set|push|turn|wind|jump|skip|go|forward|fast|shift [forward] [the] [:clock_word] "
        "[forward|ahead|on] [by|to|in] [the] [future] <length> [ahead|forward|later|into] [the] [future]",
        "let <length> pass",
        "<length> later",
        "skip [ahead] [by] <length>",
        "time travel [by] <length>",
        "fast forward [by] <length>",
        "jump ahead [by] <length>",
        "advance [:clock_word] [by] <length>",
        "advance <length>",
        "simulate <length> [passing]",
        "wait <length>",
        "travel [forward] <length> [in time]",
    )
    def _(_c: Sentence, _i: int, _e: int, length: str) -> str:
        return length

    @rule(
        "looked_up",
        "[:look] [:det] [customer|person|profile|contact|user|member] [with] [the] "
        "[email|phone|number|id|named|called] [address|number] [of] [is] <who_it_is>",
        ":look [:det] <who_it_is> [profile|orders|order|history|record|timeline|detail|data]",
        "who is <who_it_is>",
        "<who_it_is>",
        "what did|has <who_it_is> buy|bought|order|ordered|do|purchase|purchased",
        "tell me [more] about <who_it_is>",
        ":look [:det] profile|order|history|record|timeline|detail|data|information [:det] [of|for|about|on] "
        "[customer] <who_it_is>",
        ":look everything|all about|on <who_it_is>",
        "when did <who_it_is> last order|buy|purchase",
    )
    def _(_c: Sentence, _i: int, _e: int, query: dict[str, Any]) -> dict[str, Any]:
        return query

    @rule(
        "looked_up",
        "why is|was|are <who_it_is> [not] [in] [it|there|this|the|that] [segment]",
        "is <who_it_is> in [it|there|this|the|that] [segment]",
        "why is not <who_it_is> [in] [it|there|this|the|that] [segment]",
    )
    def _(_c: Sentence, _i: int, _e: int, query: dict[str, Any]) -> dict[str, Any]:
        return {**query, "verb": "why"}

    @rule(
        "looked_up",
        "delete|erase|remove [:det] customer|person|contact [with] [email|id|number] <who_it_is>",
        "delete|erase <who_it_is>",
        "forget|erase <who_it_is>",
    )
    def _(_c: Sentence, _i: int, _e: int, query: dict[str, Any]) -> dict[str, Any]:
        return {**query, "verb": "delete"}

    @rule("who_it_is", "<token_email>")
    def _(_c: Sentence, _i: int, _e: int, token: Token) -> dict[str, Any]:
        return {"email": str(token.value)}

    @rule("who_it_is", "<token_phone>")
    def _(_c: Sentence, _i: int, _e: int, token: Token) -> dict[str, Any]:
        return {"phone": str(token.value)}

    @rule(
        "who_it_is",
        "customer|person|contact|user [number|no|id|#] <token_number>",
        "customer|person|contact|user id <token_number>",
        "id <token_number>",
    )
    def _(_c: Sentence, _i: int, _e: int, token: Token) -> dict[str, Any] | None:
        return {"id": token.norm} if not token.plus and token.text.isdigit() else None

    @grammar.reader("who_it_is")
    def _(chart: Sentence, i: int) -> list[tuple[int, dict[str, Any]]]:
        named = i
        while named < len(chart.tokens) and _is_name(chart, named):
            named += 1
        found = [(named, {"name": chart.said(i, named)})] if named - i in {2, 3} else []
        quoted = chart.tokens[i].kind == "quoted" and i > 0
        return [(i + 1, {"name": str(chart.tokens[i].value)})] if quoted else found


def _is_name(chart: Sentence, i: int) -> bool:
    token = chart.tokens[i]
    return token.kind == "word" and token.text[:1].isupper() and token.stem not in chart.lexicon.known


def read(chart: Sentence) -> Reading | None:
    """The reading of such a request; ``None`` where the sentence is about people after all."""
    return _help(chart) or _clock(chart) or _customer(chart) or commands.read(chart)


def out_of_reach(chart: Sentence) -> Reading | None:
    """A refusal of what can never be done here: SQL as it stands, and looking into the future."""
    if _SQL.match(chart.text):
        question = (
            "I do not run SQL. Say in words which customers you mean; I show the exact conditions and their count."
        )
        return Reading(
            text=chart.text,
            action="refuse",
            intent="unknown",
            question=question,
            unused_words=(chart.text.strip(),),
            confidence=0.0,
        )
    found = _FORECAST.search(chart.text)
    if found and not _is_known(chart, found):
        question = f"“{found[0]}” asks for a forecast. I only know what customers did, spent and opened so far."
        return Reading(
            text=chart.text,
            action="refuse",
            intent="unknown",
            question=question,
            unused_words=(found[0],),
            confidence=0.0,
        )
    return None


def _is_known(chart: Sentence, found: re.Match[str]) -> bool:
    """Whether the words belong to a term that is defined."""
    return any(
        chart.tokens[i].start <= found.start() and chart.tokens[end - 1].end >= found.end()
        for i in range(len(chart.tokens))
        for end, _ in chart.at("term_condition", i)
    )


def _help(chart: Sentence) -> Reading | None:
    return Reading(text=chart.text, action="answer", intent="help") if _HELP.match(chart.text) else None


def _start(chart: Sentence) -> list[int]:
    return sorted({0, chart.past(0, "polite", "comma"), chart.past(0, "lead")})


def _whole(chart: Sentence, part: str) -> Any:
    n = len(chart.tokens)
    for at in _start(chart):
        for end, value in chart.at(part, at) if at < n else ():
            if all(token.kind == "sign" or token.norm in {"please", "now", "thanks"} for token in chart.tokens[end:]):
                return value
    return None


def _clock(chart: Sentence) -> Reading | None:
    length = _whole(chart, "clock")
    return Reading(text=chart.text, action="answer", intent="clock", clock=length) if length else None


def _customer(chart: Sentence) -> Reading | None:
    found = _whole(chart, "looked_up")
    return (
        Reading(text=chart.text, action="answer", intent="customer", customer=CustomerQuery(**found)) if found else None
    )
