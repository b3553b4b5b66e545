"""Names that look like settings and are none: a misspelt key would be ignored in silence."""

from dataclasses import dataclass

from .settings import Settings, environment_names, names_in_environment, names_in_file

# Nobody else's variables begin so.
OWN = ("AVATAR_", "PUPPET_", "LIVEAVATAR_")
# Read by others, and near to one of ours.
FOREIGN = {
    "FAL_API_KEY",
    "GOOGLE_GEMINI_BASE_URL",
    "GOOGLE_GENAI_API_KEY",
    "GOOGLE_VERTEX_BASE_URL",
    "OLLAMA_MODELS",
    *(
        f"OTEL_EXPORTER_OTLP_{signal}{what}"
        for signal in ("", "TRACES_", "METRICS_", "LOGS_")
        for what in ("CERTIFICATE", "CLIENT_KEY", "COMPRESSION", "INSECURE", "PROTOCOL", "TIMEOUT")
    ),
    *(
        f"OTEL_EXPORTER_OTLP_{signal}_{what}"
        for signal in ("METRICS", "LOGS")
        for what in ("ENDPOINT", "HEADERS")
    ),
    "PIPER_VOICE_ID",
    "TTY",
    "XAI_API_KEY",
}
# A name is near when this much of it is the same, in percent; of a short one but a letter differs.
NEAR = 81
SHORT = 6


@dataclass(frozen=True)
class Misspelt:
    """A name that sets nothing, where it stands, and the name that was likely meant."""

    name: str
    where: str
    meant: str | None

    @property
    def problem(self) -> str:
        """What is wrong."""
        return f"{self.name} in {self.where} is no setting"

    @property
    def fix(self) -> str:
        """What to do about it."""
        return f"write {self.meant}" if self.meant else "look for its name in .env.example"

    def __str__(self) -> str:
        return f"{self.problem}: {self.fix}."


def misspelt() -> list[Misspelt]:
    """The names in .env and in the environment that look like ours and set nothing."""
    known = [name for field in Settings.model_fields for name in environment_names(field)]
    in_file = [name for name in names_in_file() if name not in known]
    found = {name: _look(name, ".env", known) for name in in_file}
    for name in names_in_environment():
        if name.startswith(OWN) and name not in known:
            found.setdefault(name, _look(name, "the environment", known))
    return [one for one in found.values() if one]


def _look(name: str, where: str, known: list[str]) -> Misspelt | None:
    meant = None if name in FOREIGN else _nearest(name, known)
    return Misspelt(name, where, meant) if meant or name.startswith(OWN) else None


def _nearest(name: str, known: list[str]) -> str | None:
    """The known name that is nearest to one, None when none is near."""
    from rapidfuzz import fuzz, process
    from rapidfuzz.distance import OSA

    if len(name) <= SHORT:
        near = process.extractOne(name, known, scorer=OSA.distance, score_cutoff=1)
    else:
        near = process.extractOne(name, known, scorer=fuzz.ratio, score_cutoff=NEAR)
    return near[0] if near else None
