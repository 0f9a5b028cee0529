"""How far does one get without understanding? Two readers to compare with."""

from agent.offline.lexicon import Lexicon
from agent.offline.reading import Reading
from agent.offline.tokens import words
from domain import segments as seg


def keyword_only(text: str, lexicon: Lexicon) -> Reading:
    """Look for known values and activities, and join whatever is found; no negation, numbers, windows or scope."""
    said = set(words(text))
    found: list[seg.Condition] = []
    for name, attribute in lexicon.catalog.attributes.items():
        spoken = (value for value in attribute.values if words(value) and set(words(value)) <= said)
        found.extend(seg.Attribute(name=name, op="eq", value=value) for value in spoken)
    for name, activity in lexicon.catalog.activities.items():
        if any(set(words(verb)) <= said for verb in activity.verbs if verb):
            found.append(seg.Activity(name=name))
            break
    if "subscribed" in said or "subscriber" in said:
        found.append(seg.Consent(channel="email"))
    if not found:
        return Reading(text=text, action="refuse", intent="unknown", confidence=0.0)
    where = found[0] if len(found) == 1 else seg.All(of=tuple(found))
    return Reading(text=text, action="segment", intent="segment", definition=seg.Definition(where=where))


def always_asking(text: str) -> Reading:
    """Never wrong, never of use."""
    return Reading(text=text, action="clarify", intent="segment", question="What do you mean?", confidence=0.0)
