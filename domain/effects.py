"""Is a difference more than noise, and how large is it? Intervals of shares and of rank comparisons.

All intervals hold at 99 %, as many figures are compared side by side and one in twenty would look real by chance.
"""

from math import sqrt
from typing import Literal

Z95 = 1.959964
Z99 = 2.575829
"""Normal quantiles of two-sided intervals."""

NEGLIGIBLE, SMALL, MEDIUM = 0.147, 0.33, 0.474
"""Where the size of Cliff's delta changes its name (J. Romano et al., 2006)."""

Size = Literal["none", "negligible", "small", "medium", "large"]


def wilson(hits: int, n: int, z: float = Z99) -> tuple[float, float]:
    """The score interval of a share (E. B. Wilson, 1927)."""
    if n == 0:
        return 0.0, 1.0
    share = hits / n
    centre = share + z * z / (2 * n)
    spread = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def newcombe(hits: int, n: int, others: int, m: int) -> tuple[float, float]:
    """The interval of the difference of two shares of separate people (R. G. Newcombe, 1998, method 10)."""
    if not n or not m:
        return -1.0, 1.0
    one, other = hits / n, others / m
    (low, high), (least, most) = wilson(hits, n), wilson(others, m)
    difference = one - other
    return (
        difference - sqrt((one - low) ** 2 + (most - other) ** 2),
        difference + sqrt((high - one) ** 2 + (other - least) ** 2),
    )


def delta(superiority: float, variance: float) -> tuple[float, float, float]:
    """Cliff's delta with its interval.

    ``superiority`` is how often somebody of the one group has more than somebody of the other, ties counting half, and
    ``variance`` that of this estimate (E. DeLong et al., 1988).
    """
    spread = Z99 * sqrt(max(variance, 0.0))
    found = (superiority, max(0.0, superiority - spread), min(1.0, superiority + spread))
    middle, low, high = (2 * value - 1 for value in found)
    return middle, low, high


def size(middle: float, low: float, high: float) -> Size:
    """How large a delta is; ``none`` where its interval includes nought, so that it may be noise."""
    if low <= 0 <= high:
        return "none"
    found = abs(middle)
    if found < NEGLIGIBLE:
        return "negligible"
    return "small" if found < SMALL else "medium" if found < MEDIUM else "large"
