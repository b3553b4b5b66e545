"""An endpoint of OpenAI's protocol, and which of its models to talk to."""

import json
import re
import urllib.request
from dataclasses import dataclass
from typing import Any

from pipelines.errors import MissingSetting
from pipelines.settings import Settings

# Names of models that do something else than talk.
OTHERS = re.compile(
    r"embed|\bbge-|minilm|paraphrase|\be5-|\bgte-|rerank|colbert|\bclip|whisper|\btts|transcri"
    r"|dall-e|image|diffusion|\bflux|\bsora|moderation|guard|shieldgemma|babbage|davinci",
    re.IGNORECASE,
)
TALKS = "completion"  # what Ollama calls it
NO_ANSWER = "Ollama does not answer"
NO_MODEL = "Ollama has no model that can talk (ollama pull llama3.2)"


@dataclass(frozen=True)
class Found:
    """What an endpoint offers: a model that can talk, or the reason why there is none."""

    model: str = ""
    problem: str = ""


def look(settings: Settings, timeout_s: float = 0.5) -> Found:
    """The model to talk to: the one that is set, else the first that can talk."""
    models = _models(settings, timeout_s)
    if models is None:
        return Found(problem=NO_ANSWER)
    model = settings.ollama_model or _first(settings, models, timeout_s)
    return Found(model) if model else Found(problem=NO_MODEL)


def first_model(settings: Settings, timeout_s: float = 2.0) -> str:
    """The model to ask the endpoint for: the one that is set, else the first that can talk.

    Raises:
        MissingSetting: none is set, and the endpoint has none.
    """
    model = settings.ollama_model or look(settings, timeout_s).model
    if not model:
        raise MissingSetting("LLM=ollama", ["OLLAMA_MODEL"], "LLM=guide")
    return model


def own_api(base_url: str) -> str:
    """Where Ollama's own API is, beside the one that speaks OpenAI's protocol."""
    return base_url.rstrip("/").removesuffix("/v1") + "/api"


def _first(settings: Settings, models: list[str], timeout_s: float) -> str:
    likely = (model for model in models if not OTHERS.search(model))
    return next((model for model in likely if _talks(settings, model, timeout_s)), "")


def _talks(settings: Settings, model: str, timeout_s: float) -> bool:
    """Whether a model can talk, as Ollama says; another endpoint does not say."""
    url = f"{own_api(settings.ollama_base_url)}/show"
    told = _asked(settings, url, timeout_s, {"model": model})
    able = told.get("capabilities") if isinstance(told, dict) else None
    return not able or TALKS in able


def _models(settings: Settings, timeout_s: float) -> list[str] | None:
    told = _asked(settings, f"{settings.ollama_base_url.rstrip('/')}/models", timeout_s)
    if not isinstance(told, dict):
        return None
    listed = told.get("data") or []
    return [str(model.get("id")) for model in listed if isinstance(model, dict)]


def _asked(settings: Settings, url: str, timeout_s: float, body: Any = None) -> Any:
    """The JSON that an address answers with; None if it does not."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    if settings.ollama_api_key:
        request.add_header("Authorization", f"Bearer {settings.ollama_api_key.get_secret_value()}")
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as response:
            return json.load(response)
    except (OSError, ValueError):
        return None
