"""What browsers lack or refuse: the conversation goes on, or a sentence says why not."""

from pathlib import Path

import pytest

from tests.browser.conftest import Meet
from tests.talk.app import App

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet"),
    pytest.mark.drawn(2),
]

ANSWER = "[data-role=user] + [data-role=avatar] .words"
# What Firefox 115, Safari 16.4 or Chrome 111 do not have.
OF_2023 = """
for (const [owner, ...names] of [
  [Promise, "withResolvers", "try"],
  [AbortSignal, "any"],
  [Object, "groupBy"],
  [Map, "groupBy"],
  [Array, "fromAsync"],
  [URL, "canParse", "parse"],
  [Set.prototype, "union", "intersection", "difference"],
  [Iterator.prototype, "map", "filter", "some", "toArray"],
  [String.prototype, "isWellFormed"],
  [Element.prototype, "checkVisibility", "moveBefore", "setHTMLUnsafe", "ariaHidden"],
  [HTMLElement.prototype, "showPopover"],
  [HTMLVideoElement.prototype, "requestVideoFrameCallback"],
  [HTMLMediaElement.prototype, "setSinkId"],
  [RTCRtpTransceiver.prototype, "setCodecPreferences"],
  [Navigator.prototype, "userActivation"],
]) for (const name of names) delete owner[name];
const supports = CSS.supports.bind(CSS);
CSS.supports = (...asked) => !`${asked}`.includes("light-dark") && supports(...asked);
"""
TOO_OLD = """
delete Document.prototype.adoptedStyleSheets;
window.CSSStyleSheet = class { constructor() { throw new TypeError("Illegal constructor"); } };
"""
NO_WEBRTC = "delete window.RTCPeerConnection; delete window.webkitRTCPeerConnection;"
OTHER_RATE = """
window.refused = 0;
AudioContext.prototype.createMediaStreamSource = () => {
  refused += 1;
  throw new DOMException("Another sample-rate", "NotSupportedError");
};
"""
ASLEEP = "Object.defineProperty(AudioContext.prototype, 'state', { get: () => 'interrupted' });"
UNHEARD_S = 60
VIDEO = """
const stats = [...(await watched.peers.at(-1).getStats()).values()];
const video = stats.find(({ type, kind }) => type === "inbound-rtp" && kind === "video");
"""
CODEC = f"""(async () => {{
  {VIDEO}
  return [stats.find(({{ id }}) => id === video.codecId).mimeType, video.frameHeight];
}})()"""
H264_FIRST = """
const set = RTCRtpTransceiver.prototype.setCodecPreferences;
RTCRtpTransceiver.prototype.setCodecPreferences = () => {};
const add = RTCPeerConnection.prototype.addTransceiver;
RTCPeerConnection.prototype.addTransceiver = function (...wishes) {
  const transceiver = add.apply(this, wishes);
  if (wishes[0] !== "video") return transceiver;
  const { codecs } = RTCRtpReceiver.getCapabilities("video");
  const ours = ({ mimeType, sdpFmtpLine = "" }) =>
    mimeType === "video/H264" && sdpFmtpLine.includes("42") && sdpFmtpLine.includes("mode=1");
  const first = codecs.filter(ours);
  const others = codecs.filter(({ mimeType }) => mimeType !== "video/H264");
  set.call(transceiver, window.onlyFirst ? first : [...first, ...others]);
  return transceiver;
};
"""
ONLY = "window.onlyFirst = true;"
NO_CHANNEL = "RTCPeerConnection.prototype.createDataChannel = undefined;"
CLOSED_CHANNEL = """
RTCPeerConnection.prototype.createDataChannel = () => ({
  readyState: "connecting",
  close() {},
});
"""
ARABIC = "مرحبا، كيف حالك؟ (AI)"
AUTOSTART = """
addEventListener("DOMContentLoaded", () => {
  document.querySelector("avatar-call").setAttribute("autostart", "");
});
setInterval(() => {
  const told = watched.sent.some((text) => text.includes('"blocked":true'));
  const isSilent = document.querySelector("avatar-call").dataset.state === "listening";
  if (told && isSilent) console.info(inside("notice-words").textContent);
}, 200);
"""
# Four seconds of sound have come.
SOUND = """(async () => {
  const count = async () => {
    const stats = [...(await watched.peers.at(-1).getStats()).values()];
    const sounds = stats.filter(({ type, kind }) => type === "inbound-rtp" && kind === "audio");
    return sounds.reduce((total, { packetsReceived }) => total + packetsReceived, 0);
  };
  while ((await count()) < 200) await new Promise((resolve) => setTimeout(resolve, 50));
})()"""
GREETING = "You can talk to me."
DIRECTIONS = """(() => {
  const item = inside("captions").querySelector("[data-role=user]");
  const { direction } = getComputedStyle(item);
  return [direction, getComputedStyle(item.querySelector(".speaker")).direction];
})()"""


async def test_a_conversation_is_held_without_what_browsers_of_2023_lack(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence, before=OF_2023) as user:
        paper = "getComputedStyle(inside('call')).backgroundColor"
        assert await user.page.evaluate(paper) == "rgb(247, 245, 241)"
        await user.be_greeted()
        await user.type("What can you do?")
        assert await user.read(ANSWER)
        await user.page.click("#speed")
        await user.page.click("#end")
        await user.state("over")
        assert not user.complaints


@pytest.mark.parametrize("path", ["/", "/view"])
async def test_a_browser_that_is_too_old_is_named(brief_app: App, meet: Meet, path: str) -> None:
    async with meet(brief_app.url + path, before=TOO_OLD, ready="[role=alert]") as user:
        said = await user.read("[role=alert]")
        assert said.startswith("Chrome ") and "is too old for this page. Use Chrome" in said


async def test_a_browser_without_webrtc_is_told_before_it_asks_for_the_microphone(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence, before=NO_WEBRTC) as user:
        await user.page.click("#start")
        await user.state("failed")
        assert "no WebRTC in this browser (Chrome " in await user.read("#reason")
        assert await user.watched("watched.microphones") == 0


async def test_a_microphone_that_cannot_be_metered_is_no_trouble(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence, before=OTHER_RATE, turned_clock=True) as user:
        await user.be_greeted()
        await user.page.clock.fast_forward(UNHEARD_S * 1000)
        await user.type("What can you do?")
        assert await user.read(ANSWER)
        assert await user.page.evaluate("refused") == 1
        await user.until("watched.contexts.every(({ state }) => state === 'closed')")
        assert await user.page.is_hidden("#notice-action")
        assert not user.complaints


async def test_a_microphone_that_the_browser_does_not_listen_to_is_not_called_silent(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence, before=ASLEEP, turned_clock=True) as user:
        await user.be_greeted()
        await user.page.clock.fast_forward(UNHEARD_S * 1000)
        await user.type("What can you do?")
        assert await user.read(ANSWER)
        assert await user.watched("watched.contexts.length") == 1
        assert await user.page.is_hidden("#notice-action")


async def test_an_avatar_that_nobody_can_hear_greets_once_the_sound_is_on(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    """The user has agreed on an earlier visit, so this one begins without a click."""
    async with meet(brief_app.url, silence) as user:
        await user.begin()
        consent = await user.page.context.storage_state()
    strict = {"autoplay": "user-gesture-required", "before": AUTOSTART, "storage_state": consent}
    # Playwright touches a page that it looks into, so this one tells by itself.
    async with meet(brief_app.url, silence, ready="", **strict) as user:
        said = await user.page.wait_for_event("console", lambda each: each.type == "info")
        assert "keeps the sound off" in said.text
        await user.page.click("#notice-action")
        # The greeting that nobody heard may have begun, and is cut then.
        greeted = f"[data-role=avatar]:last-child .said:has-text('{GREETING}')"
        await user.page.wait_for_selector(greeted)
        await user.state("listening")
        assert await user.page.evaluate("inside('voice').paused") is False
        assert await user.page.is_hidden("#notice-action")


@pytest.mark.drawn
@pytest.mark.parametrize("script", [NO_CHANNEL, CLOSED_CHANNEL], ids=["none", "never opens"])
async def test_without_a_way_for_messages_the_avatar_is_met_by_voice(
    brief_app: App, meet: Meet, silence: Path, script: str
) -> None:
    async with meet(brief_app.url, silence, before=script) as user:
        await user.page.click("#start:enabled")
        await user.page.wait_for_selector("#stage[data-face=on]")
        await user.state("listening", "speaking")
        assert "no captions and no typing" in await user.read("#notice-words")
        assert await user.page.is_hidden("#composer")
        await user.page.evaluate(SOUND)
        await user.page.click("#end")
        await user.state("over")
        lines = await brief_app.ended_transcript()
        (why,) = [line["text"] for line in lines if line.get("event") == "error"]
        assert "voice and picture only" in why


async def test_who_could_only_type_is_told_that_messages_do_not_travel(
    brief_app: App, meet: Meet
) -> None:
    async with meet(brief_app.url, before=NO_CHANNEL) as user:
        await user.page.click("#start-typing:enabled")
        await user.state("failed")
        assert "no captions and no typing" in await user.read("#reason")


async def test_text_from_right_to_left_keeps_its_direction(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence) as user:
        await user.be_greeted()
        direction = "getComputedStyle(inside('text')).direction"
        await user.page.fill("#text", "Hello")
        assert await user.page.evaluate(direction) == "ltr"
        await user.page.fill("#text", ARABIC)
        assert await user.page.evaluate(direction) == "rtl"
        await user.page.click("#send")
        assert ARABIC in await user.read("[data-role=user] .words")
        assert await user.page.evaluate(DIRECTIONS) == ["rtl", "ltr"]
        text = await user.page.evaluate("document.querySelector('avatar-call').transcript")
        assert f": \u2068{ARABIC}\u2069\n" in text


@pytest.mark.drawn
@pytest.mark.parametrize(
    ("script", "codec"),
    [
        pytest.param(H264_FIRST, "video/VP8", id="H.264 first"),
        pytest.param(ONLY + H264_FIRST, "video/H264", id="H.264 only"),
    ],
)
async def test_the_face_is_seen_as_vp8_where_the_browser_can_and_as_h264_where_not(
    brief_app: App, meet: Meet, silence: Path, script: str, codec: str
) -> None:
    async with meet(brief_app.url, silence, before=script) as user:
        await user.begin()
        assert await user.page.evaluate(CODEC) == [codec, 180]
        await user.type("Thanks for your help.")
        assert await user.read(ANSWER)
        await user.state("listening")
