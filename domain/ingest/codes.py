"""Which codes of the file stand for products, and which for postage, fees and corrections?

Three rules, in this order; each code that is none is reported with the rule that said so:

1. the code itself is one that shops use for services (``SERVICE_CODES``);
2. its usual description says so (``_SERVICE_TITLE``);
3. it does not look like the file's product codes: where nearly all lines have codes of a few shapes (``85123A`` is
   digits then letters), a code of a rare other shape is not from the same list.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_SERVICES = """
ADJUST ADJUSTMENT AMAZONFEE CARRIAGE COUPON DELIVERY DISCOUNT DOT DOTCOM FEE FREIGHT GIFTCARD HANDLING INSURANCE MANUAL
POST POSTAGE REFUND SAMPLE SAMPLES SHIPPING SURCHARGE TAX TEST TIP VAT VOUCHER
"""
SERVICE_CODES = frozenset(_SERVICES.split())

_SERVICE_TITLE = re.compile(
    r"(dotcom )?postage( and packing)?|carriage|shipping( (cost|fee|charge)s?)?|delivery( (cost|fee|charge)s?)?|freight"
    r"|manual|discount|samples?|adjust(ment)?( .*)?|tip|insurance|handling( fee)?|surcharge|donation"
    r"|(\w+ )?(fee|charges?|commission)|(.* )?gift (voucher|card|certificate)( \W?[\d.,]+)?|store credit|test product"
)

COMMON_SHAPE = 0.01
"""Share of the lines from which on a shape is one of the file's own."""

ALIKE = 0.98
"""Share of the lines the file's own shapes must cover before the others look strange."""

FEW_SHAPES = 3
"""With more shapes of its own a file has no shape to speak of."""

ENOUGH_LINES = 100
"""In a file with fewer lines nothing is common."""


@dataclass(frozen=True)
class NotAProduct:
    """A code that is set aside, and why."""

    code: str
    title: str
    lines: int
    reason: str


def key(code: str) -> str:
    """What two spellings of the same code share: 15056bl is 15056BL."""
    return code.lower()


def shape(code: str) -> str:
    """A code with 9 for each run of digits and A for each run of letters."""
    return re.sub(r"[^\W\d_]+", "A", re.sub(r"\d+", "9", code))


def not_products(described: Iterable[tuple[str, str, int]]) -> Mapping[str, NotAProduct]:
    """The codes that are none, by key, from all (code, description, lines) of the file."""
    lines: Counter[str] = Counter()
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    titles: dict[str, Counter[str]] = defaultdict(Counter)
    for code, title, count in described:
        lines[key(code)] += count
        spellings[key(code)][code] += count
        titles[key(code)][title] += count
    strange = _strange_shapes(lines)
    found: dict[str, NotAProduct] = {}
    for folded in sorted(lines):
        code = most_frequent(spellings[folded])
        title = most_frequent({title: count for title, count in titles[folded].items() if title} or {"": 0})
        reason = _reason(code, title, strange)
        if reason:
            found[folded] = NotAProduct(code, title, lines[folded], reason)
    return found


def most_frequent(counted: Mapping[str, int]) -> str:
    """The text counted most often; of several the last in the alphabet, so that the answer is always the same."""
    return max(counted, key=lambda text: (counted[text], text))


def _reason(code: str, title: str, strange: frozenset[str]) -> str | None:
    if code.upper() in SERVICE_CODES:
        return "a code for a service"
    if _SERVICE_TITLE.fullmatch(title.casefold()):
        return "described as a service"
    return "not shaped like the file's product codes" if shape(key(code)) in strange else None


def _strange_shapes(lines: Mapping[str, int]) -> frozenset[str]:
    shapes: Counter[str] = Counter()
    for code, count in lines.items():
        shapes[shape(code)] += count
    whole = shapes.total()
    own = {found for found, count in shapes.items() if count >= COMMON_SHAPE * whole}
    covered = sum(shapes[found] for found in own)
    if whole < ENOUGH_LINES or covered < ALIKE * whole or len(own) > FEW_SHAPES:
        return frozenset()
    return frozenset(shapes) - own
