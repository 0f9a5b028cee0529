"""Are intervals the published ones, and is chance called chance?"""

import pytest

from domain.effects import Z95, delta, newcombe, size, wilson


def test_the_interval_of_a_share_is_wilsons() -> None:
    low, high = wilson(95, 100, Z95)
    assert (round(low, 4), round(high, 4)) == (0.8882, 0.9785)
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_interval_of_a_difference_is_newcombes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wilson, "__defaults__", (Z95,))
    low, high = newcombe(56, 70, 48, 80)
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339), "example (a) of the paper"
    assert newcombe(1, 1, 0, 0) == (-1.0, 1.0)


def test_a_delta_that_may_be_nought_has_no_size() -> None:
    assert size(*delta(0.55, 0.01)) == "none"
    assert size(*delta(0.55, 0.0)) == "negligible"
    assert size(*delta(0.9, 0.0001)) == "large"
    assert size(*delta(0.1, 0.0001)) == "large"
    assert size(*delta(0.62, 0.0)) == "small"
