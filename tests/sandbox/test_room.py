"""The avatar in a real LiveKit room, seen and heard by a participant of the test's own."""

import asyncio

import jwt
import numpy as np
import pytest
from livekit import api

from sandbox import LiveKit
from tests.sandbox.caller import WAYNE, Caller, Viewer, rooms, tone
from tests.sandbox.listening import likeness, loud
from tests.speech import say
from tests.talk.mouth import gauge

SAMPLE_RATE = 24_000
PIECE_S = 0.01
LONGEST_GAP_S = 0.2


def babble(seconds: float, seed: int = 1) -> bytes:
    """Noise that comes and goes like syllables, within the band of speech."""
    chance = np.random.default_rng(seed)
    count = int(SAMPLE_RATE * seconds)
    noise = np.convolve(chance.standard_normal(count), np.ones(6) / 6, "same")
    swell = np.abs(np.sin(np.arange(count) / SAMPLE_RATE * 2 * np.pi * 2.5)) ** 0.5
    return (noise * swell * 9000).clip(-32768, 32767).astype("<i2").tobytes()


async def test_heygen_is_in_the_room_with_voice_and_picture_before_anybody_else(
    roomy: Caller,
) -> None:
    call = await roomy.open()
    viewer = await roomy.watch(call)
    assert {p.identity for p in viewer.room.remote_participants.values()} == {"heygen"}
    await viewer.until(lambda: viewer.picture and viewer.heard)
    assert viewer.tracks == {"heygen": {"audio", "video"}}


@pytest.mark.parametrize(
    ("quality", "encoding", "size"),
    [
        ("low", "H264", (640, 360)),
        ("low", "VP8", (640, 360)),
        ("medium", "H264", (854, 480)),
        ("high", "H264", (1280, 720)),
        ("very_high", "H264", (1920, 1080)),
    ],
)
async def test_the_picture_has_the_size_and_codec_that_were_asked_for(
    roomy: Caller, quality: str, encoding: str, size: tuple[int, int]
) -> None:
    call = await roomy.open(video_settings={"quality": quality, "encoding": encoding})
    viewer = await roomy.watch(call)
    # Smaller ones come while the network is not known.
    whole = lambda: viewer.picture and viewer.picture.height == size[1]  # noqa: E731
    await viewer.until(lambda: len(viewer.shown_at) > 40 and whole())
    assert viewer.picture
    # H264's encoder rounds widths down to multiples of four.
    assert viewer.picture.width in (size[0], size[0] - size[0] % 4)
    [avatar] = viewer.room.remote_participants.values()
    assert f"video/{encoding}" in {p.mime_type for p in avatar.track_publications.values()}


@pytest.mark.realtime
async def test_pictures_flow_at_25_a_second(roomy: Caller) -> None:
    call, lite = await roomy.talk()
    viewer = await roomy.watch(call)
    # What the server sent while the viewer came in arrives at once.
    await viewer.until(lambda: len(viewer.shown_at) > 50)
    await lite.say(babble(2), "u1")
    begin = len(viewer.shown_at)
    await viewer.until(lambda: len(viewer.shown_at) > begin + 100)
    shown_at = np.array(viewer.shown_at[begin:])
    rate = (len(shown_at) - 1) / (shown_at[-1] - shown_at[0])
    assert rate == pytest.approx(25, abs=1.5)
    assert np.diff(shown_at).max() < LONGEST_GAP_S


@pytest.mark.realtime
async def test_the_voice_is_heard_as_it_was_sent(roomy: Caller) -> None:
    call, lite = await roomy.talk()
    viewer = await roomy.watch(call)
    await viewer.until(lambda: len(viewer.heard) > 20)
    speech = babble(2)
    await lite.say(speech, "u1")
    await lite.until("agent.speak_ended")
    silence = len(viewer.heard) + 30
    await viewer.until(lambda: len(viewer.heard) > silence)
    assert likeness(speech, viewer.sound()) > 0.8


@pytest.mark.realtime
async def test_the_voice_arrives_without_gaps(roomy: Caller) -> None:
    call, lite = await roomy.talk()
    viewer = await roomy.watch(call)
    await viewer.until(lambda: len(viewer.heard) > 20)
    await lite.say(tone(3), "u1")
    await lite.until("agent.speak_ended")
    silence = len(viewer.heard) + 30
    await viewer.until(lambda: len(viewer.heard) > silence)
    sounds = [loud(samples) for _, samples in viewer.heard]
    first, last = sounds.index(True), len(sounds) - sounds[::-1].index(True)
    assert sounds[first:last].count(False) == 0
    assert (last - first) * PIECE_S == pytest.approx(3, abs=0.1)


@pytest.mark.realtime
async def test_the_mouth_moves_with_the_voice_and_rests_without(roomy: Caller) -> None:
    call, lite = await roomy.talk()
    viewer = await roomy.watch(call)
    await viewer.until(lambda: len(viewer.shown_at) > 10)
    mouth = gauge("theo", (640, 360))
    rest = [mouth.openness(luma) for luma in await _pictures(viewer, 15)]
    await lite.say(say("Are you all far away, or is it a large and open harbour?", 24_000), "u1")
    await lite.until("agent.speak_started")
    speaking = [mouth.openness(luma) for luma in await _pictures(viewer, 50)]
    assert max(rest) < 0.3
    assert max(speaking) > 0.5


async def _pictures(viewer: Viewer, count: int) -> list[np.ndarray]:
    """The luma of so many pictures: uint8 (height, width)."""
    seen = []
    for number in range(len(viewer.shown_at), len(viewer.shown_at) + count):
        await viewer.until(lambda n=number: len(viewer.shown_at) > n)
        assert viewer.picture
        width, height = viewer.picture.width, viewer.picture.height
        luma = np.frombuffer(viewer.picture.data, np.uint8)[: width * height]
        seen.append(luma.reshape(height, width))
    return seen


@pytest.mark.realtime
async def test_an_interruption_is_heard_within_160_ms(roomy: Caller) -> None:
    call, lite = await roomy.talk()
    viewer = await roomy.watch(call)
    await viewer.until(lambda: len(viewer.heard) > 20)
    await lite.say(tone(8), "u1")
    await viewer.until(lambda: viewer.last_loud_at > 0)
    await lite.send("agent.interrupt")
    await lite.until("agent.audio_buffer_cleared")
    interrupted = len(viewer.heard)
    silence = interrupted + 100
    await viewer.until(lambda: len(viewer.heard) > silence)
    # Counted in sound, not by the clock: how much of the tone was still heard.
    still_heard = sum(loud(samples) for _, samples in viewer.heard[interrupted:])
    assert still_heard * PIECE_S < 0.16


async def test_a_hosted_room_is_torn_down_at_the_end(roomy: Caller, livekit: LiveKit) -> None:
    call = await roomy.open()
    viewer = await roomy.watch(call)
    await roomy.ask("POST", "/v1/sessions/stop", headers=call.bearer)
    await asyncio.wait_for(viewer.gone.wait(), 10)
    assert call.id not in await rooms(livekit)


async def test_a_stop_while_the_session_starts_leaves_nobody_in_the_room(
    roomy: Caller, livekit: LiveKit
) -> None:
    call = await roomy.token()
    starting = asyncio.create_task(roomy.start(call))
    async with asyncio.timeout(10):
        while roomy.desk.account.session(call.id).phase == "token":  # noqa: ASYNC110 — no event
            await asyncio.sleep(0)
    await roomy.ask("POST", "/v1/sessions/stop", headers=call.bearer)
    status, _ = await starting
    assert status in (201, 400)
    assert await roomy.ended(call) == "USER_CLOSED"
    assert roomy.desk.theatre.playing == 0
    assert call.id not in await rooms(livekit)


async def test_in_a_room_of_ones_own_the_avatar_is_who_its_token_says(
    roomy: Caller, livekit: LiveKit
) -> None:
    token = livekit.token("my-room", "my-avatar", 60)
    own = {"livekit_url": livekit.url, "livekit_room": "my-room", "livekit_client_token": token}
    call, lite = await roomy.talk(livekit_config=own)
    assert call.data["livekit_url"] == livekit.url
    claims = jwt.decode(call.data["livekit_agent_token"], options={"verify_signature": False})
    assert (claims["video"]["room"], claims["sub"]) == ("my-room", "agent")
    viewer = await roomy.join(livekit.url, livekit.token("my-room", "somebody", 60))
    await viewer.until(lambda: viewer.tracks.get("my-avatar") == {"audio", "video"})
    await lite.say(tone(0.5), "u1")
    await viewer.until(lambda: viewer.last_loud_at > 0)
    await roomy.ask("POST", "/v1/sessions/stop", headers=call.bearer)
    await viewer.until(lambda: True)
    assert "my-room" in await rooms(livekit)
    assert not viewer.gone.is_set()


async def test_the_short_form_of_a_room_of_ones_own_takes_the_room_from_the_token(
    roomy: Caller, livekit: LiveKit
) -> None:
    token = livekit.token("short-room", "short-avatar", 60)
    call = await roomy.open(livekit_config={"url": livekit.url, "token": token})
    claims = jwt.decode(call.data["livekit_client_token"], options={"verify_signature": False})
    assert claims["video"]["room"] == "short-room"
    viewer = await roomy.join(livekit.url, livekit.token("short-room", "somebody", 60))
    await viewer.until(lambda: "short-avatar" in viewer.tracks)


async def test_a_token_that_may_not_publish_data_fails_the_start_with_500(
    roomy: Caller, livekit: LiveKit
) -> None:
    grants = api.VideoGrants(room_join=True, room="r", can_publish_data=False)
    token = api.AccessToken(livekit.key, livekit.secret).with_identity("a").with_grants(grants)
    own = {"livekit_url": livekit.url, "livekit_client_token": token.to_jwt()}
    await _fails_and_costs_nothing(roomy, own)


async def test_a_room_that_cannot_be_joined_fails_the_start_with_500(
    roomy: Caller, livekit: LiveKit
) -> None:
    own = {"livekit_url": livekit.url, "livekit_client_token": "nonsense"}
    await _fails_and_costs_nothing(roomy, own)


async def _fails_and_costs_nothing(caller: Caller, own: dict[str, str]) -> None:
    before = caller.desk.account.credits
    call = await caller.token(livekit_config=own)
    status, answer = await caller.start(call)
    assert (status, answer["code"], answer["data"]) == (500, 5000, None)
    assert own["livekit_client_token"] not in answer["message"]
    assert await caller.ended(call) == "DISPATCH_FAILED"
    assert caller.desk.account.credits == before
    assert caller.desk.theatre.playing == 0


async def test_a_full_session_has_its_avatar_in_the_room(roomy: Caller) -> None:
    call = await roomy.open(mode="FULL", avatar_id=WAYNE)
    viewer = await roomy.watch(call)
    await viewer.until(lambda: viewer.tracks.get("heygen") == {"audio", "video"})
