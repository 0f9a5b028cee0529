"""Can an unsubscribe link be read back, and can nobody else make one?"""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.messages import CHANNELS
from domain.unsubscribe import Unsubscribing, read, sign

KEY = b"a key of the store"
people = st.builds(Unsubscribing, st.integers(0, 2**63 - 1), st.sampled_from(CHANNELS), st.uuids())


@given(people)
def test_a_link_says_who_and_what(who: Unsubscribing) -> None:
    token = sign(KEY, who)
    assert read(KEY, token) == who
    assert token.replace("-", "").replace("_", "").isalnum()


@given(people, st.integers(0, 54), st.sampled_from("ABCabc012-_"))
def test_a_changed_link_is_refused(who: Unsubscribing, place: int, letter: str) -> None:
    token = sign(KEY, who)
    changed = token[:place] + letter + token[place + 1 :]
    if changed != token and place < 54:  # the last letter carries bits that say nothing
        with pytest.raises(Invalid):
            read(KEY, changed)


@given(st.text(max_size=80))
def test_anything_else_is_refused(token: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(KEY, token)
    assert caught.value.code == "unsubscribe_link_broken"


def test_another_store_cannot_sign() -> None:
    token = sign(b"another key", Unsubscribing(1, "email", uuid.uuid4()))
    with pytest.raises(Invalid):
        read(KEY, token)
