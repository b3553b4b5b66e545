"""What conversations may cost: each ends politely, and after the day's last nobody is let in."""

from pathlib import Path

import aiohttp
import pytest
from aiortc import RTCPeerConnection

from pipelines.budget import today
from sessions.ledger import FileLedger
from tests.monitor import numbers
from tests.standins.cartesia import Cartesia
from tests.standins.gemini import Gemini
from tests.talk.app import running_app
from tests.talk.test_local import server_messages
from tests.talk.visitor import Visitor

REFUSAL = "The avatar has cost as much as it may today: call again tomorrow (UTC)."
PERSONA = "name: Theo\ngreeting: Hello.\nspent: That was enough.\n"
# A letter costs ten cents: the greeting 60, an answer as much, the goodbye 1.60.
FLAGS = (
    *("--avatar", "none", "--persona", "short.yaml"),
    *("--cartesia-dollars-per-million", "1e5"),
    *("--spend-limit-per-conversation", "1", "--spend-limit-per-day", "3"),
)

pytestmark = pytest.mark.patient


async def said_until_the_end(app, visitor: Visitor, reason: str) -> list[str]:
    """What the avatar has said when the conversation has ended for this reason."""
    await visitor.until(visitor.over.is_set, "the end", 40)
    assert server_messages(visitor, "over") == [{"type": "over", "reason": reason}]
    lines = await app.ended_transcript()
    return [line["text"] for line in lines if line.get("who") == "avatar"]


async def refusals(url: str) -> list[str]:
    """What is said to who asks for a conversation, offers one, and begins one as a harness."""
    peer = RTCPeerConnection()
    peer.addTransceiver("audio")
    await peer.setLocalDescription(await peer.createOffer())
    offer = {"sdp": peer.localDescription.sdp, "type": "offer"}
    await peer.close()
    said = []
    async with aiohttp.ClientSession(url) as http:
        for path, body in (("/start", {}), ("/api/offer", offer)):
            async with http.post(path, json=body) as answer:
                assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0
                said.append((await answer.json())["detail"])
        async with http.ws_connect("/ws") as socket:
            said.append((await socket.receive_json())["data"]["error"])
    return said


async def test_a_conversation_and_a_day_that_have_cost_enough_end_politely(tmp_path):
    (tmp_path / "short.yaml").write_text(PERSONA)
    async with Gemini(replies=["Paris."]) as gemini, Cartesia() as cartesia:
        env = {
            "GOOGLE_API_KEY": gemini.key,
            "GOOGLE_BASE_URL": gemini.url,
            "GOOGLE_MODEL": gemini.models[0],
            "CARTESIA_API_KEY": cartesia.key,
            "CARTESIA_BASE_URL": cartesia.url,
        }
        async with running_app(tmp_path, *FLAGS, env=env) as app:
            async with Visitor(app.url) as visitor:
                await visitor.until(lambda: server_messages(visitor, "spend"), "the greeting", 30)
                visitor.send("send-text", {"content": "What is the capital of France?"})
                said = await said_until_the_end(app, visitor, "spend")
                assert said == ["Hello.", "Paris.", "That was enough."]
            async with Visitor(app.url) as visitor:
                said = await said_until_the_end(app, visitor, "spend-day")
                assert said == ["Hello.", "That was enough."]
            requests = len(cartesia.requests)
            assert await refusals(app.url) == [REFUSAL] * 3
            assert len(cartesia.requests) == requests
            told = await numbers(app.url)
            assert told.one("avatar_conversations_refused_total", why="spent") == 2
        spent = FileLedger(Path(app.folder) / "ledger").spent(today())
        assert told.one("avatar_spend_dollars_total") == pytest.approx(spent)
        assert spent == pytest.approx(0.1 * len("".join(cartesia.state.spoken)), abs=0.01)
