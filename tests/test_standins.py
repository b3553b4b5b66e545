"""The stand-ins, driven by Pipecat's own unmodified services over real sockets."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import numpy as np
import pytest
from pipecat.frames.frames import (
    ErrorFrame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    MetricsFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStoppedFrame,
    TTSTextFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.metrics.metrics import LLMUsageMetricsData
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.runner.daily import configure
from pipecat.services.cartesia.tts import CartesiaTTSService
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.elevenlabs.tts import ElevenLabsTTSService
from pipecat.services.heygen.api_liveavatar import (
    LiveAvatarApi,
    LiveAvatarApiError,
    LiveAvatarNewSessionRequest,
)
from pipecat.services.ollama.llm import OLLamaLLMService
from pipecat.transports.daily.utils import DailyRESTHelper, DailyRoomParams
from pipecat.utils.errors import ErrorCategory

from tests.standins.babble import babble, resample
from tests.standins.cartesia import Cartesia
from tests.standins.daily import Daily
from tests.standins.deepgram import Deepgram, Line
from tests.standins.elevenlabs import ElevenLabs
from tests.standins.gemini import STREAM, Gemini
from tests.standins.liveavatar import LiveAvatar
from tests.standins.ollama import COMPLETIONS, Ollama
from tests.standins.replies import Reply
from tests.standins.stage import Stage, running


def voice(text: str = "some words to hear") -> list[InputAudioRawFrame]:
    """Babble as 20 ms frames of s16le mono at 16 kHz."""
    pcm = resample(babble(text), 24000, 16000)
    return [InputAudioRawFrame(pcm[at : at + 640], 16000, 1) for at in range(0, len(pcm), 640)]


def quiet(seconds: float) -> list[InputAudioRawFrame]:
    return [InputAudioRawFrame(bytes(640), 16000, 1) for _ in range(round(seconds * 50))]


def question(text: str = "Who are you?") -> LLMContextFrame:
    return LLMContextFrame(LLMContext([{"role": "user", "content": text}]))


def ears(deepgram: Deepgram, key: str = "fake-deepgram-key") -> DeepgramSTTService:
    return DeepgramSTTService(api_key=key, base_url=deepgram.ws_url, sample_rate=16000)


async def test_deepgram_transcribes_the_script_when_the_vad_says_the_user_has_stopped() -> None:
    async with Deepgram(lines=["Hello there my friend."]) as deepgram:
        async with running(ears(deepgram)) as stage:
            frames = voice()
            await stage.play(*frames)
            interim = await stage.first(InterimTranscriptionFrame)
            await deepgram.until(lambda: deepgram.state.audio_bytes == 640 * len(frames))
            await stage.play(VADUserStoppedSpeakingFrame())
            final = await stage.first(TranscriptionFrame)
        assert "Hello there my friend.".startswith(interim.text)
        assert (final.text, final.finalized) == ("Hello there my friend.", True)
        connection = deepgram.state.connections[0]
        assert (connection.options["model"], connection.sample_rate) == ("nova-3-general", 16000)
        await deepgram.until(lambda: connection.closed)
        deepgram.assert_all_used()


async def test_deepgram_ends_utterances_one_by_one_after_silence() -> None:
    script = [Line("First.", 0.3, 0.2), Line("Second.", 0.3, 0.2)]
    async with Deepgram(lines=script) as deepgram, running(ears(deepgram)) as stage:
        await stage.play(*quiet(0.5), *voice(), *quiet(0.3))
        await stage.first(TranscriptionFrame)
        assert [frame.text for frame in stage.all(TranscriptionFrame)] == ["First."]
        await stage.play(*voice(), *quiet(0.3))
        second = await stage.first(TranscriptionFrame, lambda frame: frame.text == "Second.")
        assert second.result is not None and second.result.speech_final
        assert not second.finalized


async def test_deepgram_refuses_a_wrong_key() -> None:
    async with Deepgram() as deepgram, running(ears(deepgram, "wrong")) as stage:
        error = await stage.first(ErrorFrame)
        assert "Deepgram rejected the connection (status 401)" in error.error
        assert not deepgram.state.connections


def gemini_mind(gemini: Gemini, key: str = "fake-gemini-key") -> FrameProcessor:
    from google.genai.types import HttpOptions
    from pipecat.services.google.llm import GoogleLLMService

    return GoogleLLMService(api_key=key, http_options=HttpOptions(base_url=gemini.url))


async def test_gemini_streams_a_reply_word_by_word_and_counts_tokens() -> None:
    reply = Reply("I am a stand-in.", delay_s=0.01, word_delay_s=0.01)
    async with Gemini(replies=[reply]) as gemini, running(gemini_mind(gemini)) as stage:
        await stage.play(question())
        await stage.first(LLMFullResponseEndFrame)
        assert [frame.text for frame in stage.all(LLMTextFrame)] == ["I", " am", " a", " stand-in."]
        usage = await stage.first(
            MetricsFrame, lambda frame: isinstance(frame.data[0], LLMUsageMetricsData)
        )
        assert isinstance(usage.data[0], LLMUsageMetricsData)
        assert usage.data[0].value.completion_tokens == 4
        assert gemini.state.last_user_text() == "Who are you?"
        gemini.assert_all_used()


async def test_gemini_refuses_a_wrong_key_in_googles_words() -> None:
    async with Gemini() as gemini, running(gemini_mind(gemini, "wrong")) as stage:
        await stage.play(question())
        error = await stage.first(ErrorFrame)
        assert "400 INVALID_ARGUMENT" in error.error
        assert "API key not valid. Please pass a valid API key." in error.error


@pytest.mark.parametrize(
    ("status", "name", "category"),
    [
        (429, "RESOURCE_EXHAUSTED", ErrorCategory.RATE_LIMIT),
        (500, "INTERNAL", ErrorCategory.SERVER),
    ],
)
async def test_gemini_fails_once_on_demand(status: int, name: str, category: ErrorCategory) -> None:
    async with Gemini(replies=["Better now."]) as gemini, running(gemini_mind(gemini)) as stage:
        gemini.fail(STREAM, status)
        await stage.play(question())
        error = await stage.first(ErrorFrame)
        assert (name in error.error, error.category) == (True, category)
        await stage.play(question())
        await stage.first(LLMTextFrame)
        gemini.assert_all_used()


def cartesia_voice(cartesia: Cartesia, key: str = "fake-cartesia-key") -> CartesiaTTSService:
    settings = CartesiaTTSService.Settings(voice="fake-voice")
    return CartesiaTTSService(
        api_key=key, url=cartesia.tts_url, sample_rate=16000, settings=settings
    )


async def test_cartesia_speaks_with_word_timestamps() -> None:
    text = "Good morning to you."
    async with Cartesia() as cartesia, running(cartesia_voice(cartesia)) as stage:
        await stage.play(TTSSpeakFrame(text))
        await stage.first(TTSStoppedFrame)
        audio = b"".join(frame.audio for frame in stage.all(TTSAudioRawFrame))
        assert [frame.text for frame in stage.all(TTSTextFrame)] == text.split()
        assert len(audio) == pytest.approx(2 * 16000 * len(text) * 0.06, rel=0.01)
        assert np.abs(np.frombuffer(audio, "<i2")).max() > 3000
        assert cartesia.state.spoken == [text]
        cartesia.assert_all_used()


async def test_cartesia_keeps_the_sentences_of_an_answer_in_one_context() -> None:
    words = ["One sentence. ", "And another one."]
    async with Cartesia(speak=lambda _: bytes(9600), speak_rate=48000) as cartesia:
        async with running(cartesia_voice(cartesia)) as stage:
            texts = (LLMTextFrame(word) for word in words)
            await stage.play(LLMFullResponseStartFrame(), *texts, LLMFullResponseEndFrame())
            await stage.first(TTSStoppedFrame)
            audio = stage.all(TTSAudioRawFrame)
            assert len({frame.context_id for frame in audio}) == 1
            assert sum(len(frame.audio) for frame in audio) == 2 * 9600 // 3
        assert cartesia.state.spoken == ["One sentence.", "And another one."]
        assert len(cartesia.state.finished) == 1


async def test_cartesia_stops_speaking_when_interrupted() -> None:
    async with Cartesia(chunk_delay_s=0.02) as cartesia:
        async with running(cartesia_voice(cartesia)) as stage:
            await stage.play(TTSSpeakFrame("A story that nobody will hear to its end. " * 2))
            cut = await stage.first(TTSAudioRawFrame)
            await stage.play(InterruptionFrame())
            await cartesia.until(lambda: cartesia.state.cancelled == [cut.context_id])
            await stage.play(
                TTSSpeakFrame("A second story, longer than what the first had left. " * 2)
            )
            await cartesia.until(lambda: bool(cartesia.state.finished))
        assert cut.context_id not in cartesia.state.finished


async def test_cartesia_reports_a_speech_error_on_the_socket() -> None:
    async with Cartesia() as cartesia, running(cartesia_voice(cartesia)) as stage:
        cartesia.fail_speech(402, "Payment required", "You have run out of credits.")
        await stage.play(TTSSpeakFrame("Hello."))
        error = await stage.first(ErrorFrame)
        assert "You have run out of credits." in error.error
        cartesia.assert_all_used()


async def test_cartesia_refuses_a_wrong_key() -> None:
    async with Cartesia() as cartesia, running(cartesia_voice(cartesia, "wrong")) as stage:
        error = await stage.first(ErrorFrame)
        assert "HTTP 401" in error.error
        assert error.category is ErrorCategory.AUTHENTICATION


async def test_elevenlabs_speaks_with_times_of_characters_and_settings_of_the_voice() -> None:
    text = "Good morning to you."
    settings = ElevenLabsTTSService.Settings(voice="ann", speed=1.1)
    async with ElevenLabs() as elevenlabs:
        speaks = ElevenLabsTTSService(
            api_key=elevenlabs.key, url=elevenlabs.ws_url, sample_rate=16000, settings=settings
        )
        async with running(speaks) as stage:
            await stage.play(TTSSpeakFrame(text))
            await stage.first(TTSStoppedFrame)
            audio = b"".join(frame.audio for frame in stage.all(TTSAudioRawFrame))
            assert [frame.text for frame in stage.all(TTSTextFrame)] == text.split()
        assert len(audio) == pytest.approx(2 * 16000 * len(text) * 0.06, rel=0.01)
        assert elevenlabs.state.spoken == [("ann", text)]
        assert elevenlabs.state.settings == [{"speed": 1.1}]
        assert len(elevenlabs.state.closed) == 1
        elevenlabs.assert_all_used()


async def test_daily_opens_a_room_and_a_token_for_pipecats_runner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Daily() as daily, aiohttp.ClientSession() as http:
        monkeypatch.setenv("DAILY_API_URL", daily.api_url)
        monkeypatch.delenv("DAILY_ROOM_URL", raising=False)
        room = await configure(http, api_key="fake-daily-key")
        (name,) = daily.state.rooms
        assert room.room_url.endswith(f"/{name}")
        assert daily.state.tokens[room.token]["room_name"] == name
        daily.assert_all_used()


async def test_daily_reads_and_deletes_a_room() -> None:
    async with Daily() as daily, aiohttp.ClientSession() as http:
        rest = _daily_rest(daily, http, "fake-daily-key")
        room = await rest.create_room(DailyRoomParams(name="tea"))
        assert (await rest.get_room_from_url(room.url)).id == room.id
        await rest.delete_room_by_url(room.url)
        assert daily.state.deleted == ["tea"]
        with pytest.raises(Exception, match="Room not found: tea"):
            await rest.get_room_from_url(room.url)


async def test_daily_refuses_a_wrong_key() -> None:
    async with Daily() as daily, aiohttp.ClientSession() as http:
        with pytest.raises(Exception, match="status: 401.*authentication-error"):
            await _daily_rest(daily, http, "wrong").create_room(DailyRoomParams())


def _daily_rest(daily: Daily, http: aiohttp.ClientSession, key: str) -> DailyRESTHelper:
    return DailyRESTHelper(daily_api_key=key, daily_api_url=daily.api_url, aiohttp_session=http)


@asynccontextmanager
async def ollama_stage(ollama: Ollama, key: str = "ollama") -> AsyncIterator[Stage]:
    """Pipecat's service on a stage; it leaves its client open."""
    settings = OLLamaLLMService.Settings(model="llama3.2:latest")
    mind = OLLamaLLMService(base_url=ollama.openai_url, api_key=key, settings=settings)
    async with running(mind) as stage:
        yield stage
    await mind._client.close()


async def test_ollama_streams_a_reply_word_by_word() -> None:
    async with Ollama(replies=["Yes, of course."]) as ollama:
        async with ollama_stage(ollama) as stage:
            await stage.play(question("Really?"))
            await stage.first(LLMFullResponseEndFrame)
            words = [frame.text for frame in stage.all(LLMTextFrame)]
        assert words == ["Yes,", " of", " course."]
        assert ollama.state.last_user_text() == "Really?"
        ollama.assert_all_used()


async def test_ollama_behind_a_key_refuses_a_wrong_one() -> None:
    async with Ollama(key="fake-ollama-key") as ollama:
        async with ollama_stage(ollama, "wrong") as stage:
            await stage.play(question())
            error = await stage.first(ErrorFrame)
            assert error.category is ErrorCategory.AUTHENTICATION


async def test_ollama_lists_its_models() -> None:
    async with Ollama(models=["tiny"]) as ollama, aiohttp.ClientSession() as http:
        async with http.get(f"{ollama.url}/api/tags") as answer:
            assert (await answer.json())["models"][0]["name"] == "tiny"
        async with http.get(f"{ollama.openai_url}/models") as answer:
            assert (await answer.json())["data"][0]["id"] == "tiny"


def avatar_api(
    liveavatar: LiveAvatar, http: aiohttp.ClientSession, key: str = "fake-liveavatar-key"
) -> LiveAvatarApi:
    class Redirected(LiveAvatarApi):
        BASE_URL = liveavatar.api_url

    return Redirected(key, http)


LITE = LiveAvatarNewSessionRequest(avatar_id="dd73ea75-1218-4ef3-92ce-606d5f7fbc0a")


async def test_liveavatar_tells_open_sessions_from_stopped_ones() -> None:
    async with LiveAvatar() as liveavatar, aiohttp.ClientSession() as http:
        api = avatar_api(liveavatar, http)
        session = await api.new_session(LITE)
        assert [open_.id for open_ in liveavatar.state.open_sessions] == [session.session_id]
        await api.close_session(session.session_id)
        assert not liveavatar.state.open_sessions
        headers = {"X-API-KEY": "fake-liveavatar-key"}
        url = f"{liveavatar.api_url}/sessions?type=active"
        async with http.get(url, headers=headers) as answer:
            assert (await answer.json())["data"]["count"] == 0


async def test_liveavatar_records_the_speech_of_its_websocket_and_hangs_up_on_demand() -> None:
    async with LiveAvatar() as liveavatar, aiohttp.ClientSession() as http:
        session = await avatar_api(liveavatar, http).new_session(LITE)
        async with http.ws_connect(session.ws_url) as socket:
            assert (await socket.receive_json())["state"] == "connected"
            await socket.send_str(json.dumps({"type": "agent.speak", "audio": "AAEC"}))
            (remembered,) = liveavatar.state.sessions
            await liveavatar.until(lambda: remembered.audio == bytes([0, 1, 2]))
            await liveavatar.hang_up(code=1011)
            assert (await socket.receive()).data == 1011


async def test_liveavatar_closes_the_websocket_of_a_stopped_session() -> None:
    async with LiveAvatar() as liveavatar, aiohttp.ClientSession() as http:
        api = avatar_api(liveavatar, http)
        session = await api.new_session(LITE)
        async with http.ws_connect(session.ws_url) as socket:
            await socket.receive_json()
            await api.close_session(session.session_id)
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
            await http.ws_connect(session.ws_url)


@pytest.mark.parametrize(("path", "status"), [("token", 401), ("start", 500)])
async def test_liveavatar_fails_on_demand(path: str, status: int) -> None:
    async with LiveAvatar() as liveavatar, aiohttp.ClientSession() as http:
        liveavatar.fail(f"/v1/sessions/{path}", status, "Session concurrency limit reached")
        with pytest.raises(LiveAvatarApiError) as caught:
            await avatar_api(liveavatar, http).new_session(LITE)
        assert caught.value.status == status
        message = json.loads(caught.value.response_text)["message"]
        assert message == "Session concurrency limit reached"
        assert not liveavatar.state.open_sessions
        liveavatar.assert_all_used()


async def test_liveavatar_refuses_a_wrong_key_in_its_envelope() -> None:
    async with LiveAvatar() as liveavatar, aiohttp.ClientSession() as http:
        with pytest.raises(LiveAvatarApiError) as caught:
            await avatar_api(liveavatar, http, "wrong").new_session(LITE)
        envelope = json.loads(caught.value.response_text)
        assert (caught.value.status, envelope["data"]) == (401, None)
        assert not liveavatar.state.sessions


@pytest.mark.parametrize(
    ("vendor", "path", "header", "refusal"),
    [
        pytest.param(Deepgram, "/v1/projects", ("Authorization", "Token {}"), 401, id="deepgram"),
        pytest.param(Gemini, "/v1beta/models", ("x-goog-api-key", "{}"), 400, id="gemini"),
        pytest.param(Cartesia, "/voices", ("X-API-Key", "{}"), 401, id="cartesia"),
        pytest.param(Daily, "/v1/", ("Authorization", "Bearer {}"), 401, id="daily"),
        pytest.param(Ollama, "/v1/models", ("Authorization", "Bearer {}"), 401, id="ollama"),
        pytest.param(
            LiveAvatar, "/v1/sessions?type=active", ("X-API-KEY", "{}"), 401, id="liveavatar"
        ),
    ],
)
async def test_the_cheapest_call_checks_the_key(
    vendor: Callable[..., Any], path: str, header: tuple[str, str], refusal: int
) -> None:
    name, pattern = header
    async with vendor(key="right") as standin, aiohttp.ClientSession() as http:
        for key, status in [("right", 200), ("wrong", refusal)]:
            headers = {name: pattern.format(key)}
            async with http.get(f"{standin.url}{path}", headers=headers) as answer:
                assert answer.status == status


async def test_an_unused_script_is_reported() -> None:
    async with Ollama(replies=["Nobody asked."]) as ollama:
        ollama.fail(COMPLETIONS, 500)
        with pytest.raises(AssertionError, match="500 for .*; never used: 'Nobody asked.'"):
            ollama.assert_all_used()


async def test_a_request_without_a_script_is_reported() -> None:
    async with Ollama() as ollama, aiohttp.ClientSession() as http:
        body = {"model": "llama3.2:latest", "messages": []}
        async with http.post(f"{ollama.url}{COMPLETIONS}", json=body) as answer:
            assert answer.status == 400
        async with http.get(f"{ollama.url}/nowhere") as answer:
            assert answer.status == 404
        with pytest.raises(AssertionError, match="without a scripted reply; .*GET /nowhere"):
            ollama.assert_all_used()
