"""Whether LiveAvatar joins a LiveKit room itself: what addresses tell, and what is said of it."""

import pytest

from pipelines.direct.choice import is_direct, told
from pipelines.errors import Incompatible
from pipelines.parts import choose
from pipelines.settings import load_settings

CLOUD, SANDBOX = "https://api.liveavatar.com", "http://127.0.0.1:7870"
REFUSAL = (
    "LIVEAVATAR_ROOM=direct lets LiveAvatar at api.liveavatar.com join LIVEKIT_URL={}, an address"
    " that only this {} can reach: set LIVEKIT_URL to one that it reaches, as wss://name, or"
    " LIVEAVATAR_ROOM=relay."
)


def settings(livekit: str, liveavatar: str = CLOUD, form: str = "auto"):
    return load_settings(
        livekit_url=livekit,
        livekit_api_key="key",
        livekit_api_secret="secret",
        liveavatar_api_key="key",
        liveavatar_base_url=liveavatar,
        liveavatar_room=form,
        avatar="heygen",
        transport="livekit",
    )


@pytest.mark.parametrize(
    ("livekit", "liveavatar", "direct"),
    [
        ("wss://mine.livekit.cloud", CLOUD, True),
        ("wss://203.0.114.9", CLOUD, True),
        ("ws://localhost:7880", CLOUD, False),
        ("ws://[::1]:7880", CLOUD, False),
        ("ws://192.168.1.4:7880", CLOUD, False),
        ("ws://livekit:7880", CLOUD, False),
        ("ws://rooms.local:7880", CLOUD, False),
        ("ws://localhost:7880", SANDBOX, True),
        ("ws://localhost:7880", "http://192.168.1.4:7870", False),
        ("ws://192.168.1.9:7880", "http://192.168.1.4:7870", True),
        ("wss://mine.livekit.cloud", SANDBOX, True),
    ],
)
def test_by_default_it_joins_a_room_that_is_known_as_widely_as_it_is(livekit, liveavatar, direct):
    assert is_direct(settings(livekit, liveavatar)) == direct
    assert not is_direct(settings(livekit, liveavatar, "relay"))
    assert is_direct(settings(livekit, liveavatar, "direct"))


@pytest.mark.parametrize(
    ("url", "who"), [("ws://localhost:7880", "machine"), ("ws://u:p@10.0.0.3:7880", "network")]
)
def test_a_room_that_it_cannot_reach_is_refused_with_the_settings_and_the_fix(url, who):
    with pytest.raises(Incompatible) as refusal:
        choose(settings(url, form="direct"))
    assert str(refusal.value) == REFUSAL.format(url.replace("u:p@", ""), who)


def test_the_line_up_says_how_it_comes():
    near = settings("ws://localhost:7880")
    assert told(near) == (
        "relayed into the room, for only this machine can reach LIVEKIT_URL=ws://localhost:7880"
    )
    assert "relayed into the room, for" in choose(near)["avatar"].why
    assert "it joins the room itself" in choose(settings("wss://mine.livekit.cloud"))["avatar"].why
    assert "as you asked" in told(settings("wss://mine.livekit.cloud", form="relay"))
