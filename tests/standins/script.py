"""What is heard, written beforehand."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """What the user will have said once `voiced_s` seconds above the noise floor have arrived.

    Nova's final result follows on Finalize, on CloseStream, or after `silence_s` seconds of quiet,
    whichever is first. Until then the words arrive one by one as interim results. Flux takes the
    turn for ended after `ends_s` of quiet, and for probably ended after `eager_s`.
    """

    text: str
    voiced_s: float = 0.2
    silence_s: float = 1.0
    eager_s: float = 0.2
    ends_s: float = 0.5
