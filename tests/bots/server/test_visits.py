"""Who is expected after /start, and what becomes of a conversation that cannot be had."""

from dataclasses import replace

import pytest
from loguru import logger
from pipecat.runner.types import SmallWebRTCRunnerArguments
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.utils.file_storage import LocalFileStorage

from bots.server.casting import Casting
from bots.server.refusal import Refused
from bots.server.visits import Visits
from pipelines.conversation import open_conversation
from pipelines.errors import AvatarError, BadSetting
from pipelines.parts import Choice, Part, part
from pipelines.settings import load_settings
from tests.talk.app import until


def casting(**settings):
    return Casting(load_settings(llm="guide", avatar="none", **settings))


def cast(**settings):
    return casting(**settings).cast(part("transport", "webrtc"), {})


def status_of(visits, session_id):
    """404 for who is not expected any more, else 0."""
    try:
        visits.find(session_id)
        return 0
    except Refused as refused:
        return refused.status


async def test_who_was_chosen_is_kept_for_a_while():
    visits, chosen = Visits(), cast()
    assert visits.find(visits.expect(chosen)).cast is chosen
    early = Visits(arrival_timeout_s=0.01)
    session_id = early.expect(chosen)
    assert await until(lambda: status_of(early, session_id)) == 404


async def test_what_a_visitor_sent_goes_with_them(tmp_path):
    storage = LocalFileStorage(str(tmp_path))
    visits = Visits(storage, arrival_timeout_s=0.05)
    sent, late = [await storage.save(name, b"Hello") for name in ("hello.txt", "late.txt")]
    session_id = visits.expect(cast())
    visit = visits.find(session_id)
    visits.keep(visit, sent)
    assert len(list(tmp_path.iterdir())) == 2
    await until(lambda: len(list(tmp_path.iterdir())) == 1)
    assert status_of(visits, session_id) == 404
    visits.keep(visit, late)
    await until(lambda: not list(tmp_path.iterdir()))


async def test_a_bug_behind_start_is_logged_and_answered_as_a_mistake_of_the_server():
    visits, logged, chosen = Visits(), [], cast()
    nowhere = Choice(Part("transport", "nowhere", "", local=True), "for this test")
    broken = replace(chosen, lineup={**chosen.lineup, "transport": nowhere})
    arguments = SmallWebRTCRunnerArguments(SmallWebRTCConnection())
    await arguments.webrtc_connection.disconnect()
    sink = logger.add(logged.append, format="{message}\n{exception}")
    try:
        with pytest.raises(AvatarError, match="The server made a mistake"):
            await visits.open(broken.request(arguments), visits.expect(broken))
    finally:
        logger.remove(sink)
    assert "Traceback" in "".join(logged) and "pipelines.transport.nowhere" in "".join(logged)


async def test_a_conversation_that_cannot_be_built_leaves_no_transcript(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    arguments = SmallWebRTCRunnerArguments(SmallWebRTCConnection())
    with pytest.raises(BadSetting, match="AVATAR_LANGUAGE=de"):
        async with open_conversation(cast(avatar_language="de").request(arguments)):
            pass
    await arguments.webrtc_connection.disconnect()
    assert not list(tmp_path.rglob("*.jsonl"))


@pytest.mark.parametrize("is_set", [True, False])
async def test_only_a_folder_that_was_set_must_be_written(monkeypatch, is_set):
    monkeypatch.chdir("/proc")
    asked = {"avatar_transcripts": "transcripts"} if is_set else {}
    arguments = SmallWebRTCRunnerArguments(SmallWebRTCConnection())
    opening = open_conversation(cast(**asked).request(arguments))
    if is_set:
        with pytest.raises(BadSetting, match="AVATAR_TRANSCRIPTS=transcripts cannot be written"):
            await opening.__aenter__()
    else:
        async with opening as conversation:
            assert conversation.worker
    await arguments.webrtc_connection.disconnect()
