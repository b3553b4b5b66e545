"""How a voice of a FULL session speaks, by the provider it is of (liveavatar-protocol 2.2)."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, FiniteFloat

Share = Annotated[float, Field(ge=0, le=1)]


class ElevenLabsVoicing(BaseModel):
    """A voice of ElevenLabs'; `speed` 1 is its own."""

    provider: Literal["elevenLabs"]
    speed: float = Field(1.0, ge=0.8, le=1.2)
    stability: Share = 0.75
    similarity_boost: Share = 0.75
    style: Share = 0.0
    use_speaker_boost: bool = True
    model: Literal["eleven_flash_v2_5", "eleven_multilingual_v2"] = "eleven_flash_v2_5"
    apply_language_text_normalization: bool = False


class FishVoicing(BaseModel):
    """A voice of Fish Audio's."""

    provider: Literal["fish"]
    speed: FiniteFloat = 1.0
    model: Literal["s1", "s2"] | None = None
    latency_mode: Literal["normal", "balanced"] | None = None


class CartesiaVoicing(BaseModel):
    """A voice of Cartesia's."""

    provider: Literal["cartesia"]
    speed: FiniteFloat | str | None = None
    model: str | None = None


Voicing = Annotated[
    ElevenLabsVoicing | FishVoicing | CartesiaVoicing, Field(discriminator="provider")
]
