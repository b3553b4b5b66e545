"""RTVI between page and Pipecat: the messages of the page's own tests are Pipecat's.

What Pipecat sends stands in `conversation/received.json` as its own models write it, and what the
page sends in `conversation/sent.json`. The tests in `conversation/rtvi.test.js` read both.
"""

import json
from pathlib import Path
from typing import Any

from pipecat.processors.frameworks.rtvi import models as rtvi
from pydantic import BaseModel

FOLDER = Path(__file__).parent / "conversation"
NOW = "2026-01-01T00:00:00.000Z"


def output(text: str, **data: Any) -> rtvi.BotOutputMessage:
    data = {"text": text, "output_type": "sentence", **data}
    return rtvi.BotOutputMessage(data=rtvi.BotOutputMessageData(**data))


def spoken(status: str, said: str, coming: str) -> rtvi.BotOutputMessage:
    """What is sent of the segment "Hi you." in a state of being spoken."""
    progress = rtvi.SpokenProgressData(accumulated_text=said, remaining_text=coming)
    told = {"segment_id": 7, "will_be_spoken": True, "spoken_progress": progress}
    return output("Hi you.", spoken_status=status, **told)


def user_input(text: str, **data: Any) -> rtvi.UserInputMessage:
    data = {"input_type": "transcription", "timestamp": NOW, **data}
    return rtvi.UserInputMessage(data=rtvi.UserInputMessageData(text=text, **data))


def transcription(text: str, final: bool) -> rtvi.UserTranscriptionMessage:
    data = rtvi.UserTranscriptionMessageData(text=text, user_id="u", timestamp=NOW, final=final)
    return rtvi.UserTranscriptionMessage(data=data)


def error(text: str, fatal: bool) -> rtvi.Error:
    return rtvi.Error(data=rtvi.ErrorData(error=text, fatal=fatal))


def server(**data: Any) -> rtvi.ServerMessage:
    return rtvi.ServerMessage(data=data)


RECEIVED: dict[str, BaseModel] = {
    "ready": rtvi.BotReady(id="1", data=rtvi.BotReadyData(version=rtvi.PROTOCOL_VERSION)),
    "userStarted": rtvi.UserStartedSpeakingMessage(),
    "userStopped": rtvi.UserStoppedSpeakingMessage(),
    "llmStarted": rtvi.BotLLMStartedMessage(),
    "llmStopped": rtvi.BotLLMStoppedMessage(),
    "botStarted": rtvi.BotStartedSpeakingMessage(),
    "botStopped": rtvi.BotStoppedSpeakingMessage(),
    "interrupted": rtvi.BotInterruptedMessage(),
    "guess": user_input("Who", final=False),
    "words": user_input("Who are you?", final=True),
    "typed": user_input("Hi", final=True, input_type="chat", msg_id="m1"),
    "guessBefore22": transcription("Who", final=False),
    "wordsBefore22": transcription("Who are you?", final=True),
    "announced": spoken("new", "", "Hi you."),
    "begun": spoken("in-progress", "Hi", "you."),
    "completed": spoken("completed", "Hi you.", ""),
    "unspoken": output("x = 1", segment_id=8, will_be_spoken=False, spoken_status="new"),
    "comingInVersion1": output("Hello.", spoken=False),
    "spokenInVersion1": output("Hello.", spoken=True),
    "voiceText": rtvi.BotTTSTextMessage(data=rtvi.TextMessageData(text="Hello.")),
    "error": error("No voice", fatal=False),
    "fatal": error("No voice", fatal=True),
    "refusal": rtvi.ErrorResponse(id="m1", data=rtvi.ErrorResponseData(error="Not now")),
    "voiceStarted": rtvi.BotTTSStartedMessage(),
    "userMuted": rtvi.UserMuteStartedMessage(),
    "weather": server(type="weather", text="Rain"),
    "notice": server(type="notice", text="Mind the gap."),
    "unheard": server(type="unheard", text="Paris it is."),
    "faceLost": server(type="face-lost", text="The picture is gone."),
    "said": server(type="said", who="user", text="Hi.", at_s=1.5, now_s=9.0),
    "update": server(type="over", reason="update"),
    "spend": server(type="spend", dollars=0.0123, used={"stt_minutes": 0.4}),
    "faceReplaced": server(type="face-lost", text="Another stands in.", picture=True),
    "faceBack": server(type="face-back"),
    "over": server(type="over", reason="silence"),
    "failed": server(type="failed", text="The voice is out."),
    "response": rtvi.ServerResponse(id="1", data=rtvi.RawServerResponseData(t="x")),
    "log": rtvi.SystemLogMessage(data=rtvi.TextMessageData(text="log")),
}


def test_what_the_page_is_tested_with_is_what_pipecat_sends() -> None:
    written = {name: message.model_dump(exclude_none=True) for name, message in RECEIVED.items()}
    assert json.loads((FOLDER / "received.json").read_text()) == written


def test_what_the_page_sends_is_what_pipecat_reads() -> None:
    sent = json.loads((FOLDER / "sent.json").read_text())
    read = {name: rtvi.Message.model_validate({"id": "1", **each}) for name, each in sent.items()}
    assert {message.label for message in read.values()} == {rtvi.MESSAGE_LABEL}
    hello = read.pop("hello")
    assert hello.type == "client-ready"
    assert rtvi.ClientReadyData.model_validate(hello.data).version == rtvi.PROTOCOL_VERSION
    said = read.pop("say")
    assert said.type == "send-text"
    assert rtvi.SendTextData.model_validate(said.data).content == "Hello"
    assert {message.type for message in read.values()} == {"client-message"}
    asked = {
        name: rtvi.RawClientMessageData.model_validate(each.data) for name, each in read.items()
    }
    assert {name: (data.t, data.d) for name, data in asked.items()} == {
        "interrupt": ("interrupt", None),
        "typing": ("typing", None),
        "returns": ("returns", None),
        "back": ("back", None),
        "leave": ("leave", None),
        "muted": ("microphone", {"muted": True}),
        "open": ("microphone", {"muted": False}),
        "blocked": ("sound", {"blocked": True}),
        "small": ("view", {"width": 640, "height": 360}),
        "hidden": ("view", {"width": 0, "height": 0}),
    }
