"""Which history an endpoint of OpenAI's protocol is asked with."""

from pipelines.mind.history import GREETED, acceptable, newest, tokens, without_system

PROMPT = {"role": "system", "content": "You are Mira."}
GREETING = {"role": "assistant", "content": "Hi, I am Mira!"}


def user(text):
    return {"role": "user", "content": text}


def mira(text):
    return {"role": "assistant", "content": text}


def test_the_greeting_goes_to_the_prompt():
    prompt, question = acceptable([PROMPT, GREETING, user("Who are you?")])
    assert prompt == {
        "role": "system",
        "content": f"You are Mira.\n\n{GREETED}Hi, I am Mira!",
    }
    assert question == user("Who are you?")


def test_neighbours_of_one_role_are_one():
    history = [PROMPT, user("Who"), user("are you?"), mira("Mira."), mira("And you?"), user("Ann")]
    assert acceptable(history)[1:] == [user("Who\nare you?"), mira("Mira.\nAnd you?"), user("Ann")]


def test_parts_are_kept_when_neighbours_are_joined():
    picture = {"type": "image_url", "image_url": {"url": "data:"}}
    (_, joined) = acceptable([PROMPT, user([picture]), user("What is it?")])
    assert joined["content"] == [picture, {"type": "text", "text": "What is it?"}]


def test_what_is_said_to_the_model_later_is_in_the_one_prompt():
    history = [PROMPT, user("Hi"), {"role": "system", "content": "Be brief."}, mira("Hi.")]
    assert [message["role"] for message in acceptable(history)] == ["system", "user", "assistant"]
    assert acceptable(history)[0]["content"] == "You are Mira.\n\nBe brief."


def test_where_no_system_message_is_taken_the_user_begins_with_it():
    assert without_system([PROMPT, user("Hi"), mira("Hi.")]) == [
        user("You are Mira.\nHi"),
        mira("Hi."),
    ]


def test_the_oldest_turns_are_left_out_and_the_prompt_stays():
    turns = [message for n in range(20) for message in (user(f"{n} " * 9), mira(f"{n} " * 9))]
    kept = newest([PROMPT, *turns, user("And now?")], 120)
    assert kept[0] == PROMPT and kept[1]["role"] == "user" and kept[-1] == user("And now?")
    assert 60 < sum(map(tokens, kept)) <= 120
    picture = user([{"type": "image_url", "image_url": {"url": "data:" + "x" * 1_000_000}}])
    assert newest([PROMPT, user("Hi"), mira("Hi."), picture], 1100)[1:3] == [
        user("Hi"),
        mira("Hi."),
    ]
    assert newest([PROMPT, user("long " * 999)], 120) == [PROMPT, user("long " * 999)]
