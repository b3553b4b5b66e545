"""What a LITE session with a vendor's agent is about: what its request names, looked up."""

from dataclasses import dataclass, field
from typing import Any

from liveavatar.wire import LiteRequest
from sandbox.errors import BadRequest, NotFound
from sandbox.keys import secret_of
from sandbox.shelves import Shelves

# The type of secret that each vendor's agent is asked with.
SECRETS = {
    "ELEVENLABS_AGENT": "ELEVENLABS_API_KEY",
    "OPENAI_REALTIME": "OPENAI_API_KEY",
    "GEMINI_REALTIME": "GEMINI_API_KEY",
}


@dataclass(frozen=True)
class Errand:
    """An agent of ElevenLabs', and what it is told at the start."""

    agent_id: str
    key: str = field(repr=False)
    voice_id: str = ""
    variables: dict[str, Any] = field(default_factory=dict)

    def introduction(self) -> dict[str, Any]:
        """The first message of a conversation."""
        voice = {"conversation_config_override": {"tts": {"voice_id": self.voice_id}}}
        variables = {"dynamic_variables": self.variables}
        return {
            "type": "conversation_initiation_client_data",
            **(voice if self.voice_id else {}),
            **(variables if self.variables else {}),
        }


def errand_of(request: LiteRequest, shelves: Shelves) -> Errand | None:
    """What an agent of ElevenLabs' is to be asked; None for those that nobody here speaks with.

    Raises:
        BadRequest: a secret or a context that is named does not exist, or is of another kind.
    """
    name, config = request.connector, request.connector_config
    if not (name and config):
        return None
    secret = secret_of(shelves, config.secret_id, SECRETS[name])
    context_id = getattr(config, "context_id", None)
    if context_id:
        _check_context(context_id, shelves)
    theirs = request.elevenlabs_agent_config
    if not theirs:
        return None
    return Errand(
        theirs.agent_id,
        secret["secret_value"],
        theirs.voice_id or "",
        theirs.dynamic_variables or {},
    )


def _check_context(id_: str, shelves: Shelves) -> None:
    try:
        shelves.contexts.get(id_)
    except NotFound as error:
        raise BadRequest(error.message) from None
