"""A direct connection to a browser: what leaves through it."""

import asyncio

import aiohttp
from aiortc import RTCPeerConnection, RTCSessionDescription
from pipecat.runner.types import SmallWebRTCRunnerArguments
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport

from pipelines.media.sound import VoiceTrack
from pipelines.settings import load_settings
from pipelines.transport import webrtc
from tests.standins.stage import running
from tests.talk.app import until

RATE = 24_000
HALF_A_SECOND = bytes(RATE)


async def test_the_voice_leaves_through_a_track_of_our_own():
    browser, connection = RTCPeerConnection(), SmallWebRTCConnection()
    browser.addTransceiver("audio")
    await browser.setLocalDescription(await browser.createOffer())
    offer = browser.localDescription
    await connection.initialize(offer.sdp, offer.type)
    arguments = SmallWebRTCRunnerArguments(webrtc_connection=connection)
    async with aiohttp.ClientSession() as http:
        transport = webrtc.build(load_settings(), http, arguments, (640, 360)).transport
        assert isinstance(transport, SmallWebRTCTransport)
        connected = asyncio.Event()
        transport.add_event_handler("on_client_connected", lambda *_: connected.set())
        async with running(transport.input(), transport.output()):
            answer = connection.get_answer()
            assert answer
            answered = RTCSessionDescription(answer["sdp"], answer["type"])
            await browser.setRemoteDescription(answered)
            await asyncio.wait_for(connected.wait(), 20)
            assert isinstance(transport._client._audio_output_track, VoiceTrack)
        await browser.close()


async def test_the_voice_is_not_written_off_with_a_connection_that_is_lost():
    """The base waits for sound that was given to a track of which nobody asks for it any more."""
    connection = SmallWebRTCConnection()
    async with aiohttp.ClientSession() as http:
        arguments = SmallWebRTCRunnerArguments(webrtc_connection=connection)
        transport = webrtc.build(load_settings(), http, arguments, (640, 360)).transport
        assert isinstance(transport, SmallWebRTCTransport)
        voice = transport._client._audio_output_track = VoiceTrack(RATE)
        await connection._call_event_handler("connected")
        sent = voice.add_audio_bytes(HALF_A_SECOND)
        await asyncio.sleep(0)
        assert not sent.done()
        await connection._call_event_handler("closed")
        assert await until(sent.done, 5)
        await connection.disconnect()
