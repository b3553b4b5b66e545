"""What people type, and what models answer, in a whole conversation."""

from tests.standins.ollama import Ollama
from tests.standins.replies import Reply
from tests.talk.app import running_app
from tests.talk.visitor import Visitor

PERSONA = "name: Ada\ngreeting: Hello.\nlost: Say that again?\nstill_there: Are you there?\n"
FLAGS = ("--avatar", "none", "--llm", "ollama", "--persona", "ada.yaml", "--idle-s", "8")
REPLIES = [
    Reply("<think>A greeting.</think>\n\n**Hello** there 👍.", letters=5),
    Reply("👍"),
    Reply(""),
    Reply("  \n", letters=1),
]


async def test_a_mind_s_oddities_and_a_visitor_s_end_no_conversation(tmp_path):
    (tmp_path / "ada.yaml").write_text(PERSONA)
    models = ("nomic-embed-text:latest", "llama3.2:latest")
    async with Ollama(replies=REPLIES, models=models, roles="turns") as mind:
        env = {"OLLAMA_BASE_URL": mind.url}
        async with running_app(tmp_path, *FLAGS, env=env) as app:
            assert "model: llama3.2:latest" in app.output
            async with Visitor(app.url) as visitor:
                await visitor.hushed(0)
                for text in ("hi \ud83d there", "word " * 6000, "Who?", "What?"):
                    since_s = visitor.sounds[-1].at_s
                    visitor.send("send-text", {"content": text})
                    await visitor.hushed(since_s)
                notices = [
                    m["text"] for m in visitor.received("server-message") if m["type"] == "notice"
                ]
                asked = lambda: "Are you there?" in str(visitor.received("bot-output"))  # noqa: E731
                await visitor.until(asked, "the question into silence", 30)
                await visitor.hushed(visitor.sounds[-1].at_s)
                assert not visitor.received("error")
            lines = await app.ended_transcript()
        mind.assert_all_used()
    too_long, *empty = notices
    assert "2,000 characters" in too_long
    assert empty and all("answered nothing" in notice for notice in empty)
    said = [(line["who"], line["text"]) for line in lines if "who" in line]
    assert [text for who, text in said if who == "avatar"] == [
        *("Hello.", "Hello there.", "Say that again?", "Say that again?", "Say that again?"),
        "Are you there?",
    ]
    assert [text for who, text in said if who == "user"] == [
        *("hi \ufffd there", ("word " * 400).strip(), "Who?", "What?")
    ]
