"""Which RFM group, topic or flow are people in? ``champions``, ``subscribed to the topic recipes``, ``in flow 3``."""

from typing import Any, Literal

from agent.offline.grammar import Grammar
from agent.offline.sentence import Said, Sentence
from agent.offline.tokens import Token, words
from agent.offline.trees import Leaf
from domain import rfm
from domain import segments as seg

Axis = Literal["recency", "frequency", "monetary"]


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of RFM, topics and flows."""
    _scores(grammar)
    _topics(grammar)
    _flows(grammar)


def _scores(grammar: Grammar) -> None:
    rule = grammar.rule

    for group in rfm.GROUPS.values():
        stems = " ".join(words(group.label))
        rule("rfm_group", stems, f"{stems} group|segment|customer|buyer")(lambda *_, key=group.key: key)

    @grammar.reader("rfm_quoted")
    def _(chart: Sentence, i: int) -> list[tuple[int, str]]:
        token = chart.tokens[i]
        found = {group.label: group.key for group in rfm.GROUPS.values()}.get(token.norm)
        return [(i + 1, found)] if token.kind == "quoted" and found else []

    @rule(
        "grouped",
        "[:be] [in] [:det] rfm [group] <rfm_quoted>",
        "[:be] [in] [:det] rfm [group] <rfm_group>",
        "[:be] [in] [:det] <rfm_group> rfm [group]",
    )
    def _(_c: Sentence, _i: int, _e: int, key: Any) -> Said:
        return Said(Leaf(seg.Scored(group=key)))

    @rule("grouped", "[:det] champion", "[:det] potential loyalist", "[:det] hibernating [:entity]")
    def _(chart: Sentence, i: int, end: int) -> Said | None:
        """The group names that mean nothing else."""
        said = {"champion": "champions", "loyalist": "potential_loyalists", "hibernating": "hibernating"}
        found = next((said[stem] for stem in chart.stems[i:end] if stem in said), None)
        return Said(Leaf(seg.Scored(group=found))) if found and chart.catalog.buyers else None  # type: ignore[arg-type]

    for axis in ("recency", "frequency", "monetary"):
        rule("rfm_axis", f"{axis} [value]")(lambda *_, axis=axis: axis)

    @rule(
        "grouped",
        "[:with] [:det] rfm <rfm_axis> score [:be] [of] <token_number> [to <token_number>]",
        "[:with] [:det] <rfm_axis> score [:be] [of] <token_number> [to <token_number>]",
    )
    def _(_c: Sentence, _i: int, _e: int, axis: Axis, low: Token, high: Token | None) -> Said | None:
        grades = [int(token.number) for token in (low, high) if token]
        if not all(1 <= grade <= rfm.SCORES for grade in grades) or grades != sorted(grades):
            return None
        value: Any = tuple(grades) if high and grades[0] != grades[1] else grades[0]
        return Said(Leaf(seg.Scored(**{axis: value})))


def _topics(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule("topic_said", "[:det] topic <token_quoted>")
    def _(_c: Sentence, _i: int, _e: int, name: Token) -> str:
        return str(name.value)

    @rule("grouped", ":subscribe [:to_channel] <topic_said>", "interested in <topic_said>")
    def _(_c: Sentence, _i: int, _e: int, name: str) -> Said:
        return Said(Leaf(seg.Topic(name=name)))

    @rule("grouped", ":unsubscribe [:to_channel] <topic_said>")
    def _(_c: Sentence, _i: int, _e: int, name: str) -> Said:
        return Said(Leaf(seg.Topic(name=name, state="unsubscribed")))

    @rule("grouped", "without|no [a] word on|about <topic_said>", ":never_asked <topic_said>")
    def _(_c: Sentence, _i: int, _e: int, name: str) -> Said:
        return Said(Leaf(seg.Topic(name=name, state="none")))


def _flows(grammar: Grammar) -> None:
    rule = grammar.rule
    rule("flow_said", "[:det] flow|automation|journey [number|no] <token_number>")(
        lambda _c, _i, _e, token: int(token.number)
    )

    @rule("grouped", "[:be] [currently] in <flow_said> [at step <token_number>]")
    def _(_c: Sentence, _i: int, _e: int, number: int, step: Token | None) -> Said | None:
        if number < 1:
            return None
        return Said(Leaf(seg.InFlow(id=number, step=int(step.number) if step else None)))
