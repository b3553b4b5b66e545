"""The rules of a conversation: when somebody has finished, who has the floor, who gives it back.

How long to wait is a table. What is said by itself in one breath ("Yes.", "No, thanks.") is over
soon. What ends in "and" or "the", in a row of digits or in "um" is not over, whatever its melody.
Anything else is over the sooner, the surer the end-of-turn model is. A full stop counts for
nothing: the ears write one after every breath. Who was cut off gets more time: nothing tells as
well that somebody makes long pauses.

Nobody takes the floor without words: a cough, a door, a laugh are no turn.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from .words import Words

# Who goes on within this long after being answered was cut off, and gets the floor back at once.
CUT_OFF_S = 0.7
# Seconds of quiet after which the ears and the end-of-turn model are asked, each time anew: people
# who go on do so after about 0.2, 0.5 or 0.8 s.
LOOKS_S = (0.08, 0.2, 0.5, 0.8)
# Waits get longer by this at each cut-off, at most so much in all and never beyond so many seconds,
# and shorter again at each turn that stands.
LONGER, LONGEST, LONGEST_S, SHORTER = 1.5, 1.5, 1.5, 0.95
# Seconds of voice after which its words are looked at, while it is open whether it is a turn.
LISTEN_S, LISTEN_AGAIN_S = 0.3, 0.15
# A listening noise is shorter than this, or a word or two, however it is written down. Nobody says
# more words a second than this: "mm-hm" may be written as a whole phrase.
LISTENING_NOISE_S = 0.75
LISTENING_NOISE_WORDS = 1
MOST_WORDS_A_SECOND = 6.0
# Unless it is a command, nobody takes the floor with less voice. What goes on may take it earlier.
SHORTEST_TURN_S = 0.55
NO_WORDS = Words("")
# Quiet after which sound that is no turn is over.
NOISE_IS_OVER_S = 0.3
# Sound this much softer than the user is not the user, who does not move away so fast.
SOFTER_DB = 12.0
# While the avatar is heard, only sound this near to the user's level is surely not its own.
NEARLY_AS_LOUD_DB = 6.0
# How loud the avatar speaks while somebody may be interrupting it: -12 dB.
LOWERED = 0.25


@dataclass(frozen=True)
class Patience:
    """Seconds of quiet that end a turn, by what speaks for its end."""

    answer_s: float
    sure_s: float
    likely_s: float
    maybe_s: float
    unsure_s: float
    comma_but_sure_s: float
    comma_s: float
    digits_s: float
    unfinished_s: float


PATIENCE: Mapping[str, Patience] = {
    "quick": Patience(0.20, 0.25, 0.30, 0.50, 0.90, 0.50, 0.80, 0.80, 1.0),
    "balanced": Patience(0.25, 0.33, 0.50, 0.70, 1.00, 0.70, 0.90, 1.00, 1.0),
    "patient": Patience(0.35, 0.60, 0.80, 0.90, 1.20, 0.90, 1.20, 1.20, 1.5),
}
USUAL = "balanced"


def chosen(*wishes: str) -> str:
    """The name of the first patience that somebody wishes for, else of the usual one."""
    return next(filter(None, wishes), USUAL)


def wait_s(words: Words, complete: float, patience: Patience, stretch: float = 1.0) -> float:
    """How long to be quiet before answering.

    Args:
        words: what was said so far.
        complete: how sure the end-of-turn model is that it is complete, from 0 to 1.
        patience: how long this conversation waits.
        stretch: how much longer it does, as `stretched` has it.
    """
    if words.are_an_answer:
        return patience.answer_s
    least_s = _wait_s(words, complete, patience)
    return min(least_s * stretch, max(least_s, LONGEST_S))


def _wait_s(words: Words, complete: float, patience: Patience) -> float:
    if words.trail_off:
        return patience.unfinished_s
    if words.end_in_digits:
        return patience.digits_s
    if words.want_more:
        return patience.comma_but_sure_s if complete > 0.95 else patience.comma_s
    if complete > 0.95:
        return patience.sure_s
    if complete > 0.8:
        return patience.likely_s
    return patience.maybe_s if complete > 0.5 else patience.unsure_s


def stretched(stretch: float, cut_off: bool) -> float:
    """How much longer to wait from now on, after a turn that was cut off, or one that stands."""
    return min(LONGEST, stretch * LONGER) if cut_off else max(1.0, stretch * SHORTER)


def takes_the_floor(
    words: Words, voice_s: float, avatar_speaks: bool, before: Words = NO_WORDS, ended: bool = True
) -> bool:
    """Whether what is heard is a turn, and not a noise or a sign of listening.

    Args:
        words: what was heard so far; the avatar's own words are left out.
        voice_s: seconds of voice so far.
        avatar_speaks: whether the avatar has the floor.
        before: what had been heard a moment ago.
        ended: whether the voice is quiet again; until then the last word may be cut.
    """
    if not words:
        return False
    if not avatar_speaks:
        return True
    if words.only_acknowledge or (not ended and words.may_come_to_acknowledge):
        return False
    if voice_s > LISTENING_NOISE_S or (not ended and words.begin_like(before)):
        return True
    if words.different > MOST_WORDS_A_SECOND * voice_s:
        return False
    if words.hold_a_command:
        return ended or words.hold_a_firm_command
    heard = words.different if ended else words.different_whole
    return heard > LISTENING_NOISE_WORDS and not (ended and voice_s < SHORTEST_TURN_S)
