"""What are the words and literals of a sentence, and where do they stand?

Numbers in words and digits, money, percentages, dates, addresses and quoted texts become one token each; contractions
become two. Every token keeps its place in the text as it was typed.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from text_to_num import text2num

from agent.offline.small_words import listed, table

MAX_TEXT = 2_000

Kind = Literal[
    "word", "number", "money", "percent", "ordinal", "length", "date", "quoted", "email", "domain", "phone", "sign"
]


@dataclass(frozen=True, slots=True)
class Token:
    """One word or literal. ``norm`` is compared, ``stem`` is its singular; ``plus`` marks ``3+``."""

    text: str
    norm: str
    stem: str
    start: int
    end: int
    kind: Kind = "word"
    value: Decimal | date | str | None = None
    unit: str = ""
    plus: bool = False

    @property
    def number(self) -> Decimal:
        """The value of a numeric token; 0 for any other."""
        return self.value if isinstance(self.value, Decimal) else Decimal(0)


_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_TOP_LEVEL = "|".join(sorted(listed("top_level")))
_PATTERN = re.compile(
    rf"""
    (?P<quoted>“[^”]*”|„[^“”]*[“”]|"[^"]*"|«[^»]*»|\u2018[^\u2019]*\u2019(?!\w)|(?<!\w)'[^']{{1,200}}'(?!\w))
  | (?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
  | @(?P<at>[\w-]+(?:\.[\w-]+)+)
  | (?P<phone>\+\d[\d\s().-]{{6,}}\d)
  | (?P<iso>\d{{4}}-\d{{2}}-\d{{2}})
  | (?P<slashed>\d{{1,2}}/\d{{1,2}}/\d{{4}})
  | (?P<dotted>\d{{1,2}}\.\d{{1,2}}\.\d{{4}})
  | (?P<money>
      [$€£]\s?(?P<amount>{_NUMBER})(?P<amount_k>\s?[kKmM](?![\w]))?
    | (?P<amount2>{_NUMBER})(?P<amount2_k>[kK])?\s?[$€£]
    )(?P<money_open>\+)?
  | (?P<percent>{_NUMBER})\s?%
  | (?P<ordinal>\d+)(?:st|nd|rd|th)\b
  | (?P<length>\d+(?:\.\d+)?)(?P<unit>d|h|w|wk|wks|mo|mos|mth|mths|y|yr|yrs|hrs?|m)\b(?P<length_open>\+)?
  | (?P<number>{_NUMBER})(?P<number_k>[kK])?(?P<times>[xX](?!\w))?(?P<number_open>\+)?(?![^\W_])
  | \b(?P<rank>[pP])(?P<nth>\d{{1,2}})\b
  | (?P<domain>[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:{_TOP_LEVEL})\b)
  | (?P<short>(?:[A-Za-z]\.){{2,}})
  | (?P<mail>[eE]-[mM]ail(?:s|ed|ing|able)?\b)
  | (?P<word>[^\W_]+(?:['\u2019`][^\W_]+)*)
  | (?P<sign>>=|=>|<=|=<|!=|<>|==|[<>=≥≤≠&/,;:()+.?!\u2013—-])
    """,
    re.VERBOSE,
)
_SIGNS = {"=>": ">=", "≥": ">=", "=<": "<=", "≤": "<=", "≠": "!=", "<>": "!=", "==": "=", "\u2013": "-", "—": "-"}
_CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP"}
CURRENCY_WORDS = table("currencies")
_UNITS = {"d": "d", "h": "h", "w": "w", "m": "mo", "y": "y"}
UNIT_WORDS = {word: (int(said.split()[0]), said.split()[1]) for word, said in table("units").items()}
"""Each word for a length of time, with how many of which unit it is."""

_NOT = re.compile(r"^(have|has|had|do|does|did|is|are|was|were|ca|wo|could|would|should|ai|need)n'?t$|^(can)(?:no|')t$")
_WHOLE = {"ca": "can", "wo": "will", "ai": "is"}
_ENDINGS = {"ve": "have", "re": "are", "ll": "will", "d": "would", "m": "am"}
_ASKING = listed("asking")

_NUMBER_WORDS = listed("numbers")
_LARGE = {"hundred", "thousand", "million"}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "grand": 1_000, "k": 1_000}
_COLLECTIVES = tuple((words.split(), int(value)) for words, value in table("collectives").items())

_KEPT = listed("kept")
_IRREGULAR = table("plurals")


def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of a text, of which only the first 2,000 characters are read."""
    found = list(_split(_flat(text[:MAX_TEXT])))
    return tuple(_with_units(_with_numbers(found)))


def words(phrase: str) -> tuple[str, ...]:
    """The stems of a phrase, as the lexicon compares them."""
    return tuple(
        token.stem for token in tokens(phrase) if token.kind != "sign" or token.norm not in {"-", ",", ".", "/"}
    )


def stem(word: str) -> str:
    """The singular of a word; good enough to compare two words with, not to print."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word in _KEPT or len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):  # noqa: PLR2004
        return word
    if word.endswith("ies") and len(word) > 4:  # noqa: PLR2004
        return f"{word[:-3]}y"
    return word[:-2] if word.endswith(("xes", "ches", "shes", "sses", "zes")) else word[:-1]


def _flat(text: str) -> str:
    """One character for one: what looks alike is made alike, and every place stays where it was."""
    made = []
    for char in text:
        same = unicodedata.normalize("NFKC", char)
        made.append(same if len(same) == 1 else char)
    return "".join(made).replace("_", " ").replace("\u2019", "'").replace("`", "'")


def _split(text: str) -> Iterator[Token]:
    for found in _PATTERN.finditer(text):
        start, end, raw = found.start(), found.end(), found[0]
        if raw == "-" and start > 0 and end < len(text) and text[start - 1].isalnum() and text[end].isalpha():
            continue
        match found.lastgroup:
            case "word":
                yield from _words(raw, start)
            case "short" | "mail":
                yield _word(raw, raw.lower().replace(".", "").replace("-", ""), start, end)
            case _:
                yield _literal(found, raw, start, end)


def _words(raw: str, start: int) -> Iterator[Token]:
    low = raw.lower()
    end = start + len(raw)
    negated = _NOT.match(low)
    if (negated and low not in {"want", "cant"}) or low == "cant":
        base = "can" if low == "cant" else negated[1] or negated[2] if negated else ""
        cut = start + max(1, len(raw) - 3)
        yield _word(raw[: cut - start], _WHOLE.get(base, base), start, cut)
        yield _word(raw[cut - start :], "not", cut, end)
        return
    base, quote, ending = low.partition("'")
    if quote and ending in _ENDINGS:
        cut = start + len(base)
        yield _word(raw[: len(base)], base, start, cut)
        yield _word(raw[len(base) :], _ENDINGS[ending], cut, end)
    elif quote and ending == "s" and base in _ASKING:
        yield _word(raw[: len(base)], base, start, start + len(base))
        yield _word(raw[len(base) :], "is", start + len(base), end)
    elif quote and ending in {"s", ""}:
        yield _word(raw, "lets" if base == "let" else base, start, end)
    else:
        yield _word(raw, low, start, end)


def _word(text: str, norm: str, start: int, end: int) -> Token:
    return Token(text, norm, stem(norm), start, end)


def _literal(found: re.Match[str], raw: str, start: int, end: int) -> Token:
    group = found.groupdict()
    if group["quoted"] is not None:
        inside = raw[1:-1].strip()
        return Token(raw, inside.lower(), inside.lower(), start, end, "quoted", inside)
    if group["email"]:
        return Token(raw, raw.lower(), raw.lower(), start, end, "email", raw.lower().rstrip("."))
    if group["at"] or group["domain"]:
        return Token(raw, raw.lower(), raw.lower(), start, end, "domain", raw.lower())
    if group["phone"]:
        return Token(raw, raw, raw, start, end, "phone", "+" + re.sub(r"\D", "", raw))
    if group["iso"] or group["slashed"] or group["dotted"]:
        return _date(group, raw, start, end)
    return _amount(group, raw, start, end)


def _date(group: dict[str, str | None], raw: str, start: int, end: int) -> Token:
    if group["iso"]:
        year, month, day = (int(part) for part in raw.split("-"))
    elif group["dotted"]:
        day, month, year = (int(part) for part in raw.split("."))
    else:
        month, day, year = (int(part) for part in raw.split("/"))
        month, day = (day, month) if month > 12 else (month, day)  # noqa: PLR2004
    try:
        return Token(raw, raw, raw, start, end, "date", date(year, month, day))
    except ValueError:
        return Token(raw, raw, raw, start, end)


def _amount(group: dict[str, str | None], raw: str, start: int, end: int) -> Token:
    made: tuple[Kind, Decimal, str, bool] | None = None
    if group["money"]:
        amount = _decimal(group["amount"] or group["amount2"], group["amount_k"] or group["amount2_k"])
        symbol = next(char for char in raw if char in _CURRENCIES)
        made = "money", amount, _CURRENCIES[symbol], bool(group["money_open"])
    elif group["percent"]:
        made = "percent", _decimal(group["percent"]), "", False
    elif group["ordinal"]:
        made = "ordinal", Decimal(group["ordinal"]), "", False
    elif group["nth"]:
        made = "ordinal", Decimal(group["nth"]), "percentile", False
    elif group["length"]:
        unit = (group["unit"] or "").lower()
        made = "length", Decimal(group["length"]), _UNITS[unit[0]], bool(group["length_open"])
    elif group["number"]:
        times = "times" if group["times"] else ""
        made = "number", _decimal(group["number"], group["number_k"]), times, bool(group["number_open"])
    if made is None:
        sign = _SIGNS.get(raw, raw)
        return Token(raw, sign, sign, start, end, "sign")
    kind, value, unit, plus = made
    norm = f"{value.normalize():f}" if kind == "number" else raw.lower()
    return Token(raw, norm, norm, start, end, kind, value, unit, plus)


def _decimal(digits: str | None, scale: str | None = None) -> Decimal:
    factor = {"": 1, "k": 1_000, "m": 1_000_000}[(scale or "").strip().lower()]
    return Decimal((digits or "0").replace(",", "")) * factor


def _with_numbers(found: list[Token]) -> Iterator[Token]:
    """Replace runs of number words, e.g. ``two hundred and fifty``, ``a dozen``, ``a couple of``, by one number."""
    i = 0
    while i < len(found):
        made = _dozen(found, i) or _spelled(found, i)
        if made:
            count, value = made
            run = found[i : i + count]
            text = " ".join(token.text for token in run)
            norm = f"{value.normalize():f}"
            yield Token(text, norm, norm, run[0].start, run[-1].end, "number", value)
            i += count
        else:
            yield found[i]
            i += 1


def _dozen(found: list[Token], i: int) -> tuple[int, Decimal] | None:
    norms = [token.norm for token in found[i : i + 3]]
    for run, value in _COLLECTIVES:
        if norms[: len(run)] == run:
            return len(run), Decimal(value)
    return None


def _spelled(found: list[Token], i: int) -> tuple[int, Decimal] | None:
    run: list[str] = []
    j = i
    if found[i].norm == "a" and i + 1 < len(found) and found[i + 1].norm in _LARGE:
        run, j = ["one"], i + 1
    while j < len(found) and found[j].kind == "word":
        norm = found[j].norm
        follows = j + 1 < len(found) and found[j + 1].norm in _NUMBER_WORDS
        if norm in _NUMBER_WORDS or (norm == "and" and run and run[-1] in _LARGE and follows):
            run.append(norm)
            j += 1
        else:
            break
    while run:
        try:
            return j - i, Decimal(text2num(" ".join(run), "en"))
        except ValueError:
            run.pop()
            j -= 1
    return None


def _with_units(found: Iterator[Token]) -> Iterator[Token]:
    """Join a number with the currency, percent sign or scale spelled out behind it."""
    held: Token | None = None
    for token in found:
        if held is None:
            held = token
            continue
        joined = _joined(held, token)
        if joined is None:
            yield held
        held = joined or token
    if held is not None:
        yield held


def _joined(number: Token, word: Token) -> Token | None:
    if number.kind not in {"number", "money"} or word.kind not in {"word", "sign", "number"}:
        return None
    whole = replace(number, text=f"{number.text} {word.text}", end=word.end)
    if word.kind == "sign":
        plus = word.norm == "+" and word.start == number.end
        return replace(whole, text=f"{number.text}+", plus=True) if plus else None
    scale = _SCALES.get(word.text.lower())
    if scale and (word.norm in {"grand", "k"} or number.text[0].isdigit()):
        norm = f"{(number.number * scale).normalize():f}"
        return replace(whole, norm=norm, stem=norm, value=number.number * scale)
    return _measured(whole, word) if number.kind == "number" and word.kind == "word" else None


def _measured(number: Token, word: Token) -> Token | None:
    """A number with what it counts: money, percent, a length of time."""
    if word.stem in CURRENCY_WORDS:
        return replace(number, kind="money", unit=CURRENCY_WORDS[word.stem])
    if word.norm in {"percent", "pct"}:
        return replace(number, kind="percent")
    if word.stem in UNIT_WORDS:
        factor, unit = UNIT_WORDS[word.stem]
        return replace(number, kind="length", value=number.number * factor, unit=unit)
    return None
