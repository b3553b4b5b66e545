"""Deepgram: streaming speech to text, by Flux for the languages it knows, else by Nova."""

from collections.abc import Mapping

import aiohttp
from pipecat.services.deepgram.flux.stt import DeepgramFluxSTTService
from pipecat.services.stt_service import STTService
from pipecat.transcriptions.language import Language

from pipelines.key import check_key
from pipelines.language import base_language, check_language
from pipelines.persona import Persona
from pipelines.settings import Settings
from pipelines.stt.nova import NovaEars
from pipelines.turns import rules
from pipelines.turns.flux import FluxEars

ENGLISH, MANY, NOVA = "flux-general-en", "flux-general-multi", "nova-3-general"
FLUX = "flux-"
# What the second model knows.
LANGUAGES = ("de", "en", "es", "fr", "hi", "it", "ja", "nl", "pt", "ru")
# Regions and scripts that Nova tells apart. Any other, as in pl-PL, it refuses.
VARIANTS = (
    *("da-DK", "de-CH", "en-AU", "en-GB", "en-IN", "en-NZ", "en-US", "es-419", "fr-CA", "ko-KR"),
    *("nl-BE", "pt-BR", "pt-PT", "sv-SE", "th-TH", "zh-CN", "zh-HK", "zh-Hans", "zh-Hant", "zh-TW"),
)
# Flux's sureness that begins an answer and that ends a turn, and the quiet, in milliseconds, that
# ends it in any case.
PATIENCE: Mapping[str, tuple[float, float, int]] = {
    "quick": (0.3, 0.6, 1000),
    "balanced": (0.4, 0.7, 1200),
    "patient": (0.5, 0.85, 1800),
}


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> STTService:
    """The service, for the persona's language.

    Raises:
        BadSetting: the model that is set does not know the language.
    """
    model = model_for(settings, persona)
    key = settings.deepgram_api_key.get_secret_value()
    if not owns_turns(settings, persona):
        return NovaEars(
            api_key=key,
            base_url=settings.deepgram_base_url,
            settings=NovaEars.Settings(model=model, language=nova_language(persona.language)),
        )
    root = settings.deepgram_base_url.rstrip("/").replace("http", "ws", 1)
    return FluxEars(
        api_key=key,
        url=f"{root}/v2/listen",
        enable_eager_end_of_turn=settings.avatar_speculation,
        settings=flux_settings(settings, persona, model),
    )


def flux_settings(
    settings: Settings, persona: Persona, model: str
) -> DeepgramFluxSTTService.Settings:
    """How Flux is to take turns."""
    patience = rules.chosen(settings.avatar_patience, persona.patience)
    begins, ends, longest_ms = PATIENCE[patience]
    return DeepgramFluxSTTService.Settings(
        model=model,
        eager_eot_threshold=begins if settings.avatar_speculation else None,
        eot_threshold=ends,
        eot_timeout_ms=longest_ms,
        language_hints=[Language(base_language(persona.language))] if model == MANY else None,
    )


def model_for(settings: Settings, persona: Persona) -> str:
    """The model to use: the one set, else Flux where it knows the language, else Nova.

    Raises:
        BadSetting: the model that is set does not know the language.
    """
    language = base_language(persona.language)
    model = settings.deepgram_model
    fix = "leave DEEPGRAM_MODEL out, or choose another"
    if model == ENGLISH:
        check_language(persona, ["en"], f"Deepgram's {ENGLISH}", fix)
    elif model == MANY:
        check_language(persona, LANGUAGES, f"Deepgram's {MANY}", fix)
    elif not model:
        model = ENGLISH if language == "en" else MANY if language in LANGUAGES else NOVA
    return model


def owns_turns(settings: Settings, persona: Persona) -> bool:
    """Whether it says when a turn has ended, as Flux does.

    Raises:
        BadSetting: the model that is set does not know the language.
    """
    return model_for(settings, persona).startswith(FLUX)


def nova_language(language: str) -> str:
    """A language as Nova calls it: its region or script only where that is told apart."""
    known = {variant.lower(): variant for variant in VARIANTS}
    return known.get(language.replace("_", "-").lower(), base_language(language))


def warm_up(settings: Settings, persona: Persona) -> None:
    """See that the model goes with the language.

    Raises:
        BadSetting: the model that is set does not know the language.
    """
    model_for(settings, persona)


async def check(settings: Settings, http: aiohttp.ClientSession) -> None:
    """Ask whether the key is accepted.

    Raises:
        UserError: it is not.
        aiohttp.ClientError, TimeoutError: the vendor cannot be reached.
    """
    url = f"{settings.deepgram_base_url.rstrip('/')}/v1/projects"
    token = settings.deepgram_api_key.get_secret_value()
    await check_key(http, url, {"Authorization": f"Token {token}"}, "DEEPGRAM_API_KEY")
