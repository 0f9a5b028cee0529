"""Who may be written to, and who carries which mark? Consent, reachability, tags, saved segments, buckets."""

from collections.abc import Iterator
from typing import Any, Literal

from agent.offline.grammar import Alternative, Grammar
from agent.offline.sentence import Said, Sentence
from agent.offline.small_words import listed
from agent.offline.tokens import Token
from agent.offline.trees import Leaf, Note, Tree, joined
from domain import segments as seg

CHANNELS: tuple[seg.Channel, ...] = ("email", "sms", "whatsapp")

_NO_TAGS = listed("stop")

Channels = tuple[Literal["any", "all"], tuple[seg.Channel, ...]]


def add(grammar: Grammar) -> None:
    """Teach a grammar the rules of consent and marks."""
    _channels(grammar)
    _consents(grammar)
    _reachable(grammar)
    _tags(grammar)
    _segments(grammar)


def _channels(grammar: Grammar) -> None:
    @grammar.reader("channels")
    def _(chart: Sentence, i: int) -> Iterator[Alternative]:
        at = chart.past(i, "both", "either", "neither")
        found: list[seg.Channel] = []
        joint: Literal["any", "all"] = "all"
        while at < len(chart.stems):
            best = chart.best("channel", at)
            if best is None or (found and chart.is_any(at, "metric", "activity_noun") > best[0]):
                return
            end, channel = best
            found.append(channel)
            end = chart.past(end, "marketing")
            yield end, (joint, tuple(found))
            comma = end + (end < len(chart.stems) and chart.tokens[end].norm == ",")
            word = chart.stems[comma] if comma < len(chart.stems) else ""
            if word not in {"and", "or", "nor", "&", "/"} and comma == end:
                return
            joint = "any" if word in {"or", "nor", "/"} else joint
            at = chart.past(comma + (word in {"and", "or", "nor", "&", "/"}), "to_channel")


def _state(state: Any, channels: Channels | None, said: str) -> Said:
    if channels is None:
        note = Note(said, f"{said} = on email, as no channel was named")
        return Said(Leaf(seg.Consent(channel="email", state=state), (note,)), permission=state)
    return on_channels(state, channels)


def on_channels(permission: Any, channels: Channels) -> Said:
    """A consent state, or being ``reachable``, on one channel or several."""
    joint, names = channels
    parts: list[Tree] = [
        Leaf(seg.Reachable(channel=name) if permission == "reachable" else seg.Consent(channel=name, state=permission))
        for name in names
    ]
    return Said(joined(joint, *parts), permission=permission)


def _consents(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule(
        "consented",
        ":subscribe [:to_channel] [:to_channel] [:marketing] [:to_channel] <channels>",
        "<channels> :subscriber",
        "<channels> :subscribe_alone",
        "[:with] [:det] <channels> consent|permission|subscription|opt [in]",
        "on [:det] <channels> list",
        "<channels> is subscribed",
        ":subscribe [:to_channel] be|being contacted|messaged|reached by|via|through|on [:to_channel] <channels>",
        ":subscribe [:to_channel] hear from us by|via|through|on <channels>",
        "[:with] consent|permission for [:to_channel] <channels>",
    )
    def _(chart: Sentence, i: int, end: int, channels: Channels) -> Said:
        return _state("subscribed", channels, chart.said(i, end))

    @rule(
        "consented",
        ":subscribe_alone",
        ":subscriber",
        ":subscribe_alone [:to_channel] :marketing",
        "[:with] [:det] marketing consent|permission",
        ":with consent|permission",
        ":subscribe [:to_channel] [:to_channel] :marketing",
        "marketing subscriber",
        "on our list",
    )
    def _(chart: Sentence, i: int, end: int) -> Said:
        return _state("subscribed", None, chart.said(i, end))

    @rule(
        "consented",
        ":unsubscribe [:to_channel] [:to_channel] [:marketing] [:to_channel] <channels>",
        "<channels> unsubscribed|unsubscribe|unsubscriber",
        "<channels> opted out",
        ":unsubscribe <channels>",
    )
    def _(chart: Sentence, i: int, end: int, channels: Channels) -> Said:
        return _state("unsubscribed", channels, chart.said(i, end))

    @rule(
        "consented",
        ":subscribe [:to_channel] anything|any",
        ":subscribe [:to_channel] any channel|list|of",
        "subscribed on any channel",
    )
    def _(_c: Sentence, _i: int, _e: int) -> Said:
        return on_channels("subscribed", ("any", CHANNELS))

    @rule("consented", ":subscribe [:to_channel] all|every channel|list")
    def _(_c: Sentence, _i: int, _e: int) -> Said:
        return on_channels("subscribed", ("all", CHANNELS))

    @rule("consented", ":unsubscribe", ":unsubscribe [:to_channel] :marketing")
    def _(chart: Sentence, i: int, end: int) -> Said:
        return _state("unsubscribed", None, chart.said(i, end))

    @rule(
        "consented",
        ":pending [:det] <channels> [consent|subscription|opt] [in]",
        "<channels> [consent|subscription] [:be] :pending",
        ":pending [:to_channel] <channels>",
    )
    def _(chart: Sentence, i: int, end: int, channels: Channels) -> Said:
        return _state("pending", channels, chart.said(i, end))

    @rule(
        "consented",
        ":never_asked <channels>",
        "[:have] [been] :never_asked [:det] <channels> [consent]",
        "no consent on file for <channels>",
    )
    def _(chart: Sentence, i: int, end: int, channels: Channels) -> Said:
        return _state("none", channels, chart.said(i, end))


def _reachable(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule("reached", ":reachable [by|via|on|over|through|with] [:det] <channels>", "<channels> :reachable")
    def _(_c: Sentence, _i: int, _e: int, channels: Channels) -> Said:
        return on_channels("reachable", channels)

    @rule("reached", "<able>")
    def _(_c: Sentence, _i: int, _e: int, channel: Any) -> Said:
        return Said(Leaf(seg.Reachable(channel=channel)))

    @rule("reached", ":reachable")
    def _(chart: Sentence, i: int, end: int) -> Said:
        said = chart.said(i, end)
        return Said(Leaf(seg.Reachable(channel="email"), (Note(said, f"{said} = by email, as no channel was named"),)))

    @rule("reached", ":suppressed [on|for|from|in] [:det] <channels> [list]", "<channels> :suppressed")
    def _(_c: Sentence, _i: int, _e: int, channels: Channels) -> Said:
        parts: list[Tree] = [Leaf(seg.Suppressed(channel=name)) for name in channels[1]]
        return Said(joined(channels[0], *parts))

    @rule("reached", ":suppressed")
    def _(chart: Sentence, i: int, end: int) -> Said:
        said = chart.said(i, end)
        return Said(Leaf(seg.Suppressed(channel="email"), (Note(said, f"{said} = on email, as no channel was named"),)))


def _tags(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule(
        "marked",
        "[:det] :tagged <tags>",
        "[:with] [:det] <tags> tag|label",
        "<tags> tagged",
        "with [:det] tag [:called] <tags>",
    )
    def _(_c: Sentence, _i: int, _e: int, found: Said) -> Said:
        return found

    @grammar.reader("tags")
    def _(chart: Sentence, i: int) -> Iterator[Alternative]:
        at = chart.past(i, "either", "both")
        names: list[str] = []
        joint: Literal["any", "all"] = "all"
        while at < len(chart.stems):
            best = _tag(chart, at)
            if best is None:
                return
            at, name = best
            names.append(name)
            yield at, Said(joined(joint, *(Leaf(seg.Tagged(name=one)) for one in names)))
            word = chart.stems[at] if at < len(chart.stems) else ""
            if word not in {"or", "and"} or not _tag(chart, at + 1, known=True):
                return
            joint = "any" if word == "or" else "all"
            at += 1


def _segments(grammar: Grammar) -> None:
    rule = grammar.rule

    @rule(
        "marked",
        "[:be] :in_segment <segment_name>",
        "[:be] in [:det] <segment_name> [segment]",
        "<segment_name> segment",
        "[:be] :in_segment <segment_quoted>",
        "in [:det] <segment_quoted> segment",
    )
    def _(_c: Sentence, _i: int, _e: int, number: int) -> Said:
        return Said(Leaf(seg.Member(id=number)))

    @rule("marked", "[:be] :in_segment [no|number] <token_number>", "member of segment <token_number>")
    def _(_c: Sentence, _i: int, _e: int, token: Token) -> Said | None:
        return Said(Leaf(seg.Member(id=int(token.number)))) if token.number >= 1 else None

    @rule("marked", "[:be] on [:det] list <segment_quoted>", "[:be] on list [no|number] <token_number>")
    def _(_c: Sentence, _i: int, _e: int, found: Any) -> Said | None:
        number = int(found.number) if isinstance(found, Token) else found
        return Said(Leaf(seg.Listed(id=number))) if number >= 1 else None

    @grammar.reader("segment_quoted")
    def _(chart: Sentence, i: int) -> Iterator[Alternative]:
        token = chart.tokens[i]
        if token.kind == "quoted":
            found = {name.lower(): number for name, number in chart.lexicon.segments.items()}
            if token.norm in found:
                yield i + 1, found[token.norm]

    @rule(
        "marked",
        "[:det] random <token_percent> [sample] [of]",
        "[:det] <token_percent> sample [of]",
        "[:det] <token_percent> random sample [of]",
        "[:det] random sample of <token_percent> [of]",
        "in [:det] <token_percent> bucket <token_quoted>",
        "<token_percent> of :det :entity at random",
    )
    def _(_c: Sentence, _i: int, _e: int, *found: Token) -> Said | None:
        percent = next(token for token in found if token.kind == "percent")
        name = next((str(token.value) for token in found if token.kind == "quoted"), "sample")
        if not 0 < percent.number < 100:  # noqa: PLR2004
            return None
        return Said(Leaf(seg.Bucket(name=name, percent=float(percent.number))))


def _tag(chart: Sentence, i: int, *, known: bool = False) -> tuple[int, str] | None:
    """A tag that somebody carries, a quoted one, or where a tag must stand one plain word."""
    if i >= len(chart.tokens):
        return None
    token = chart.tokens[i]
    if token.kind == "quoted":
        return (i + 1, str(token.value)) if token.value else None
    found = chart.best("tag_name", i)
    if found:
        return found
    return None if known or token.kind != "word" or token.stem in _NO_TAGS else (i + 1, token.text)
