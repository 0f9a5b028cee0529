"""Whose conversation is it, and who can touch what is in it?"""

import uuid

import pytest
from sqlalchemy.orm import Session

from db import chats
from db.users import User
from domain.errors import Forbidden


@pytest.fixture
def people(session: Session) -> tuple[int, int]:
    ana, ben = User(username="ana", role="marketer"), User(username="ben", role="marketer")
    session.add_all([ana, ben])
    session.flush()
    return ana.id, ben.id


@pytest.fixture
def chat(session: Session, people: tuple[int, int]) -> uuid.UUID:
    chat_id = uuid.uuid4()
    chats.touch(session, chat_id, people[0], title="Ana's own")
    return chat_id


def test_nobody_takes_over_a_conversation_by_its_id(session: Session, people: tuple[int, int], chat: uuid.UUID) -> None:
    with pytest.raises(Forbidden, match="somebody else"):
        chats.touch(session, chat, people[1], title="Ben's now")
    found = chats.owned(session, chat, people[0])
    assert found is not None
    assert found.title == "Ana's own"
    assert chats.owned(session, chat, people[1]) is None


def test_a_message_and_a_card_cannot_be_overwritten_from_another_conversation(
    session: Session, people: tuple[int, int], chat: uuid.UUID
) -> None:
    step, element, other = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    chats.touch(session, other, people[1])
    chats.put_step(session, step, chat, {"output": "hello"})
    chats.put_element(session, element, chat, step_id=step, approval_id=None, content={"name": "SegmentCard"})
    with pytest.raises(Forbidden):
        chats.put_step(session, step, other, {"output": "forged"})
    with pytest.raises(Forbidden):
        chats.put_element(session, element, other, step_id=None, approval_id=None, content={"name": "forged"})
    assert [row.content for row in chats.steps(session, chat)] == [{"output": "hello"}]
    assert [row.content for row in chats.elements(session, chat)] == [{"name": "SegmentCard"}]


def test_what_belongs_to_another_person_cannot_be_removed(
    session: Session, people: tuple[int, int], chat: uuid.UUID
) -> None:
    step, element = uuid.uuid4(), uuid.uuid4()
    chats.put_step(session, step, chat, {"output": "hello"})
    chats.put_element(session, element, chat, step_id=step, approval_id=None, content={})
    chats.remove_element(session, element, people[1])
    chats.remove_step(session, step, people[1])
    chats.remove(session, chat, people[1])
    assert chats.owner(session, chat) == people[0]
    assert len(chats.steps(session, chat)) == len(chats.elements(session, chat)) == 1
    chats.remove_step(session, step, people[0])
    assert not chats.steps(session, chat)
    assert not chats.elements(session, chat)


def test_a_message_is_found_by_what_was_said_and_signs_mean_themselves(
    session: Session, people: tuple[int, int], chat: uuid.UUID
) -> None:
    chats.put_step(session, uuid.uuid4(), chat, {"output": "top 10% of buyers"})
    assert [row.id for row in chats.page(session, people[0], first=5, search="10%")] == [chat]
    assert not chats.page(session, people[0], first=5, search="1%0")
    assert not chats.page(session, people[1], first=5, search="10%")


def test_messages_keep_their_order_when_one_is_written_again(session: Session, chat: uuid.UUID) -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    for step, said in ((first, "one"), (second, "two"), (first, "one, longer")):
        chats.put_step(session, step, chat, {"output": said})
    assert [row.content["output"] for row in chats.steps(session, chat)] == ["one, longer", "two"]
