"""`avatar join`: the page of a room, unseen by who is in it."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import aiohttp
import jwt
import pytest
from livekit import rtc

from sandbox import LiveKit
from tests.doorkeeper import env_of
from tests.sandbox.caller import Viewer
from tests.talk.app import AVATAR, environment

PATIENCE_S = 30
TOKEN = "eyJhbGciOiJub25lIn0.e30.c2ln"

pytestmark = pytest.mark.drawn(2)


@asynccontextmanager
async def joining(*words: str, env: dict[str, str], given: str = "") -> AsyncIterator[str]:
    """The command; yields the link it prints, and ends it by Ctrl-C."""
    process = await asyncio.create_subprocess_exec(
        AVATAR, "join", "--no-open", *words, env=environment(env),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin and process.stdout
    try:
        process.stdin.write(given.encode())
        process.stdin.close()
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
        yield line.decode().split()[1]
    finally:
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


def invitation(link: str) -> tuple[str, str]:
    """Address and token in the fragment of a link; there is no query."""
    parts = urlsplit(link)
    assert (parts.hostname, parts.path, parts.query) == ("127.0.0.1", "/view", "")
    fields = {name: values[0] for name, values in parse_qs(parts.fragment).items()}
    return fields["url"], fields["token"]


async def test_a_viewer_sees_the_room_and_cannot_be_seen_nor_speak(livekit: LiveKit) -> None:
    host = await Viewer.joining(livekit.url, livekit.token("stage", "host", 60))
    async with joining("stage", env=env_of(livekit)) as link:
        url, token = invitation(link)
        assert url == livekit.url
        viewer = await Viewer.joining(url, token)
        assert set(viewer.room.remote_participants) == {"host"}
        track = rtc.LocalAudioTrack.create_audio_track("voice", rtc.AudioSource(48_000, 1))
        with pytest.raises(rtc.participant.PublishTrackError):
            await viewer.room.local_participant.publish_track(track)
        assert not host.room.remote_participants
        await viewer.aclose()
    await host.aclose()


def test_the_token_lets_one_look_and_nothing_else() -> None:
    token = LiveKit("ws://rooms.invalid", "key", "s" * 32).viewer_token("stage")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["video"] == {
        "roomJoin": True,
        "room": "stage",
        "canPublish": False,
        "canSubscribe": True,
        "canPublishData": False,
        "hidden": True,
    }
    assert claims["exp"] - claims["nbf"] <= 3700


async def test_the_page_is_served_with_its_files_and_headers(livekit: LiveKit) -> None:
    async with joining("stage", env=env_of(livekit)) as link, aiohttp.ClientSession() as http:
        root = link.split("/view")[0]
        async with http.get(f"{root}/web/call/livekit.js") as answer:
            assert answer.status == 200
        async with http.get(f"{root}/web/pages/index.html") as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "connect-src 'self' ws: wss:" in policy
            assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("env", "given"),
    [
        pytest.param({"LIVEKIT_TOKEN": TOKEN}, "", id="in a setting"),
        pytest.param({}, f"{TOKEN}\n", id="on standard input"),
    ],
)
async def test_a_room_one_has_only_a_token_for_can_be_shown(env, given) -> None:
    async with joining("--url", "wss://rooms.example", env=env, given=given) as link:
        assert invitation(link) == ("wss://rooms.example", TOKEN)


@pytest.mark.parametrize(
    ("words", "env", "said"),
    [
        pytest.param(["stage"], {}, "needs LIVEKIT_URL", id="no server"),
        pytest.param(
            ["stage", "--url", "wss://rooms.example"], {}, "needs LIVEKIT_API_KEY and", id="no key"
        ),
        pytest.param(["--url", "wss://rooms.example"], {}, "name of a room, or --url", id="none"),
        pytest.param([], {"LIVEKIT_URL": "wss://rooms.example"}, "name of a room", id="no room"),
        pytest.param(["--url", "rooms.example", "x"], {}, "wss://name", id="no address"),
        pytest.param(["x", "--port", "70000"], {}, "from 0 to 65535", id="no port"),
    ],
)
async def test_what_is_missing_is_one_sentence(words, env, said) -> None:
    process = await asyncio.create_subprocess_exec(
        AVATAR, "join", "--no-open", *words, env=environment(env),
        stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 2
    assert said in err.decode() and "Traceback" not in err.decode()


async def test_a_port_that_is_taken_is_said_so() -> None:
    env = {"LIVEKIT_TOKEN": TOKEN}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = await asyncio.create_subprocess_exec(
            AVATAR, "join", "--no-open", "--url", "wss://rooms.example", "--port", port,
            env=environment(env), stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 2
    assert "choose another --port" in err.decode() and "Traceback" not in err.decode()
