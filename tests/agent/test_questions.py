"""Is a vague word asked back about with live counts, and does choosing a reading answer what was asked first?"""

from tests.agent.talk import Talk, cards, lapsed, questions, text_of


async def test_readings_come_with_their_counts_and_choosing_one_answers_the_first_sentence(talk: Talk) -> None:
    (question,) = questions(await talk.say("good customers"))
    assert question.text == "What does “good” mean here?"
    assert [(option.label, option.audience_size) for option in question.options] == [
        ("No order in 60 days", 1),
        ("Something else", None),
    ]
    said = await talk.say(question.options[0].reply)
    (card,) = cards(said)
    assert talk.approval(card).proposal["definition"] == lapsed(60).as_json()
    assert "Good = No order in 60 days." in text_of(said)


async def test_an_answer_that_is_no_option_is_read_as_any_sentence(talk: Talk) -> None:
    await talk.say("good customers")
    assert "Describe the customers" in text_of(await talk.say("help"))
