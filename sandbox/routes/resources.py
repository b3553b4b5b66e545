"""Contexts, voices, avatars, secrets, LLM configurations and the rest (section 5)."""

from base64 import b64encode
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from liveavatar.wire import SAMPLE_RATE, Envelope
from sandbox.bodies import (
    AvatarChange,
    ContextChange,
    Feedback,
    LLMChange,
    NewContext,
    NewLLM,
    NewMemory,
    NewSecret,
    ThirdPartyVoice,
    VoiceChange,
)
from sandbox.brief import PROVIDERS
from sandbox.desk import Desk, desk, need_key
from sandbox.errors import BadRequest, NotFound
from sandbox.keys import secret_of
from sandbox.routes.answers import ERRORS, Page, ok, page_of
from sandbox.shelves import Record, Shelf
from sandbox.variables import required
from sandbox.wav import wav_of

TheDesk = Annotated[Desk, Depends(desk)]
PageNumber = Annotated[int, Query(ge=1, le=10**6)]
PageSize = Annotated[int, Query(ge=1, le=100)]
LANGUAGES = {
    "en": "English",
    "de": "German",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "ja": "Japanese",
    "pt": "Portuguese",
    "zh": "Chinese",
}
PREVIEW_S = 0.5
# Of a voice that is stored.
UNTOLD = ("public", "provider_voice_id", "secret_id", "secret_type")

open_router = APIRouter(responses=ERRORS, tags=["public"])
router = APIRouter(responses=ERRORS, dependencies=[Depends(need_key)], tags=["resources"])


def _given(body: BaseModel) -> Record:
    """The fields a change was asked for."""
    return body.model_dump(exclude_unset=True)


def _but(record: Record, *hidden: str) -> Record:
    return {name: value for name, value in record.items() if name not in hidden}


def _only(records: list[Record], *fields: str) -> list[Record]:
    return [{field: record.get(field) for field in fields} for record in records]


@open_router.get("/v1/avatars/public")
async def public_avatars(
    request: Request, the: TheDesk, page: PageNumber = 1, page_size: PageSize = 20
) -> Envelope[Page]:
    """The avatars everybody can have."""
    return ok(page_of(the.shelves.avatars.all(), page, page_size, request.url))


@open_router.get("/v1/languages")
async def languages() -> Envelope[list[dict[str, str]]]:
    """The languages."""
    return ok([{"language": name, "code": code} for code, name in LANGUAGES.items()])


@router.get("/v1/avatars")
async def avatars(
    request: Request, the: TheDesk, page: PageNumber = 1, page_size: PageSize = 20
) -> Envelope[Page]:
    """The account's avatars: the same ones."""
    return ok(page_of(the.shelves.avatars.all(), page, page_size, request.url))


@router.get("/v1/avatars/{avatar_id}")
async def avatar(avatar_id: str, the: TheDesk) -> Envelope[Record]:
    """One avatar."""
    return ok(the.shelves.avatars.get(avatar_id))


@router.patch("/v1/avatars/{avatar_id}")
async def change_avatar(avatar_id: str, body: AvatarChange, the: TheDesk) -> Envelope[Record]:
    """Rename an avatar, or give it another voice."""
    given = _given(body)
    the.shelves.avatars.get(avatar_id)
    voice_id = given.pop("default_voice_id", None)
    if voice_id:
        voice = _known(the.shelves.voices, voice_id)
        given["default_voice"] = {"id": voice["id"], "name": voice["name"]}
    return ok(the.shelves.avatars.change(avatar_id, given))


@router.delete("/v1/avatars/{avatar_id}")
async def remove_avatar(avatar_id: str, the: TheDesk) -> Envelope[None]:
    """Take an avatar off the list."""
    the.shelves.avatars.remove(avatar_id)
    return ok()


@router.get("/v1/contexts")
async def contexts(
    request: Request, the: TheDesk, page: PageNumber = 1, page_size: PageSize = 20
) -> Envelope[Page]:
    """The contexts, without their texts."""
    listed = _only(the.shelves.contexts.all(), "id", "name", "created_at", "updated_at")
    return ok(page_of(listed, page, page_size, request.url))


@router.post("/v1/contexts")
async def add_context(body: NewContext, the: TheDesk) -> Envelope[Record]:
    """A new context; names are unique."""
    the.shelves.contexts.check_name_is_free(body.name)
    return ok(_with_variables(the.shelves.contexts.add(body.model_dump())))


@router.get("/v1/contexts/{context_id}")
async def context(context_id: str, the: TheDesk) -> Envelope[Record]:
    """One context."""
    return ok(_with_variables(the.shelves.contexts.get(context_id)))


@router.put("/v1/contexts/{context_id}")
@router.patch("/v1/contexts/{context_id}")
async def change_context(context_id: str, body: ContextChange, the: TheDesk) -> Envelope[Record]:
    """Change a context."""
    the.shelves.contexts.get(context_id)
    if body.name:
        the.shelves.contexts.check_name_is_free(body.name, but_for=context_id)
    given = {name: value for name, value in _given(body).items() if value is not None}
    return ok(_with_variables(the.shelves.contexts.change(context_id, given)))


@router.delete("/v1/contexts/{context_id}")
async def remove_context(context_id: str, the: TheDesk) -> Envelope[None]:
    """Forget a context."""
    the.shelves.contexts.remove(context_id)
    return ok()


def _with_variables(record: Record) -> Record:
    names = required(record["prompt"], record["opening_text"])
    return {**record, "required_dynamic_variables": names}


@router.get("/v1/voices")
async def voices(
    request: Request,
    the: TheDesk,
    voice_type: Literal["public", "private"] = "public",
    page: PageNumber = 1,
    page_size: PageSize = 20,
) -> Envelope[Page]:
    """Voices everybody has, or the account's own."""
    wanted = voice_type == "public"
    found = [_but(v, *UNTOLD) for v in the.shelves.voices.all() if v["public"] == wanted]
    return ok(page_of(found, page, page_size, request.url))


@router.post("/v1/voices/third_party")
async def add_voice(body: ThirdPartyVoice, the: TheDesk) -> Envelope[dict[str, str]]:
    """Take over a provider's voice; its id is not checked."""
    secret = secret_of(the.shelves, body.secret_id, *PROVIDERS)
    name = body.name or f"Imported Voice: {body.provider_voice_id}"
    fields = {"name": name, "language": "en", "gender": None, "tags": [], "public": False}
    kept = body.model_dump(include={"provider_voice_id", "secret_id"})
    theirs = {**kept, "secret_type": secret["secret_type"]}
    return ok({"voice_id": the.shelves.voices.add(fields | theirs)["id"]})


@router.get("/v1/voices/{voice_id}")
async def voice(voice_id: str, the: TheDesk) -> Envelope[Record]:
    """One voice."""
    return ok(_but(the.shelves.voices.get(voice_id), *UNTOLD))


@router.get("/v1/voices/{voice_id}/preview")
async def voice_preview(voice_id: str, the: TheDesk) -> Envelope[dict[str, str]]:
    """Half a second of silence: this server has no voice of its own."""
    the.shelves.voices.get(voice_id)
    return ok({"audio_base64": b64encode(wav_of(bytes(int(2 * SAMPLE_RATE * PREVIEW_S)))).decode()})


@router.patch("/v1/voices/{voice_id}")
async def change_voice(voice_id: str, body: VoiceChange, the: TheDesk) -> Envelope[Record]:
    """Rename a voice."""
    return ok(_but(the.shelves.voices.change(voice_id, {"name": body.name}), *UNTOLD))


@router.delete("/v1/voices/{voice_id}")
async def remove_voice(voice_id: str, the: TheDesk) -> Envelope[None]:
    """Forget a voice."""
    the.shelves.voices.remove(voice_id)
    return ok()


@router.get("/v1/secrets")
async def secrets(the: TheDesk) -> Envelope[list[Record]]:
    """The secrets, without their values."""
    fields = ("id", "secret_name", "secret_type", "created_at")
    return ok(_only(the.shelves.secrets.all(), *fields))


@router.post("/v1/secrets")
async def add_secret(body: NewSecret, the: TheDesk) -> Envelope[dict[str, str]]:
    """Keep a secret; its id goes by two names (13.13)."""
    record = the.shelves.secrets.add(body.model_dump())
    id_ = record["id"]
    return ok({"id": id_, "secret_id": id_, "secret_name": body.secret_name})


@router.delete("/v1/secrets/{secret_id}")
async def remove_secret(secret_id: str, the: TheDesk) -> Envelope[None]:
    """Forget a secret."""
    the.shelves.secrets.remove(secret_id)
    return ok()


@router.get("/v1/llm_configurations", include_in_schema=False)
@router.get("/v1/llm-configurations")
async def llms(the: TheDesk) -> Envelope[list[Record]]:
    """The LLM configurations."""
    fields = ("id", "display_name", "model_name", "secret_id")
    return ok(_only(the.shelves.llms.all(), *fields))


@router.post("/v1/llm_configurations", include_in_schema=False)
@router.post("/v1/llm-configurations")
async def add_llm(body: NewLLM, the: TheDesk) -> Envelope[Record]:
    """A new LLM configuration."""
    _known(the.shelves.secrets, body.secret_id)
    fields = {**body.model_dump(), "base_url": _with_version(body.base_url)}
    return ok(
        the.shelves.llms.add({**fields, "display_name": body.display_name or body.model_name})
    )


@router.get("/v1/llm_configurations/{llm_id}", include_in_schema=False)
@router.get("/v1/llm-configurations/{llm_id}")
async def llm(llm_id: str, the: TheDesk) -> Envelope[Record]:
    """One LLM configuration."""
    return ok(the.shelves.llms.get(llm_id))


@router.patch("/v1/llm_configurations/{llm_id}", include_in_schema=False)
@router.patch("/v1/llm-configurations/{llm_id}")
async def change_llm(llm_id: str, body: LLMChange, the: TheDesk) -> Envelope[Record]:
    """Change an LLM configuration."""
    the.shelves.llms.get(llm_id)
    given = {name: value for name, value in _given(body).items() if value is not None}
    if "secret_id" in given:
        _known(the.shelves.secrets, given["secret_id"])
    if "base_url" in given:
        given["base_url"] = _with_version(given["base_url"])
    return ok(the.shelves.llms.change(llm_id, given))


@router.delete("/v1/llm_configurations/{llm_id}", include_in_schema=False)
@router.delete("/v1/llm-configurations/{llm_id}")
async def remove_llm(llm_id: str, the: TheDesk) -> Envelope[None]:
    """Forget an LLM configuration."""
    the.shelves.llms.remove(llm_id)
    return ok()


@router.get("/v1/users/credits")
async def credits(the: TheDesk) -> Envelope[dict[str, str]]:
    """What is left, as text."""
    return ok({"credits_left": f"{the.account.credits:.2f}"})


@router.get("/v1/memory")
async def memories(
    request: Request, the: TheDesk, page: PageNumber = 1, page_size: PageSize = 20
) -> Envelope[Page]:
    """The memories."""
    return ok(page_of(the.shelves.memories.all(), page, page_size, request.url))


@router.post("/v1/memory")
async def add_memory(body: NewMemory, the: TheDesk) -> Envelope[Record]:
    """Remember a session."""
    if body.session_id not in the.account.sessions:
        raise BadRequest("session_id: unknown session")
    return ok(the.shelves.memories.add(body.model_dump()))


@router.get("/v1/memory/{memory_id}")
async def memory(memory_id: str, the: TheDesk) -> Envelope[Record]:
    """One memory."""
    return ok(the.shelves.memories.get(memory_id))


@router.delete("/v1/memory/{memory_id}", status_code=204)
async def remove_memory(memory_id: str, the: TheDesk) -> Response:
    """Forget a memory."""
    the.shelves.memories.remove(memory_id)
    return Response(status_code=204)


@router.post("/v1/feedback/agents")
async def feedback(body: Feedback) -> Envelope[None]:
    """Thank you."""
    return ok()


def _known(shelf: Shelf, id_: str) -> Record:
    """A record that a body names. Raises: BadRequest when there is none."""
    try:
        return shelf.get(id_)
    except NotFound as error:
        raise BadRequest(error.message) from None


def _with_version(base_url: str | None) -> str | None:
    """An OpenAI-compatible address with its /v1 (13.7)."""
    if not base_url:
        return None
    root = base_url.rstrip("/")
    return root if root.endswith("/v1") else f"{root}/v1"
