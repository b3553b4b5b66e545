"""What the words alone say: an answer, a command, a sign of listening, or half a sentence."""

import re
from functools import cached_property


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# After one of these a sentence goes on; after one of the second, unless it is a question.
LINKS = _words(
    """a an the my your his her its our their every and or but nor because so if when while although
    unless until since as than of at by into from during i'm i'd i'll i've very really whose"""
)
OPEN_ENDS = _words(
    """this that these those some any to in on for with without about onto over under between before
    through after is are was were be been am do does did has have had will would can could should
    shall may might must not i we we're they he she it's there's what's which who whom how like
    well maybe also just most another call called named number"""
)
SPOKEN_PAUSES = _words("um uh er erm hmm mm ah eh")
DIGITS = _words(
    """zero oh one two three four five six seven eight nine ten double triple hundred thousand"""
)
BEGINNINGS = _words("if when because after before while although unless since")
ANSWERS = _words(
    """yes yeah yep yup no nope sure okay ok right alright thanks hello hi hey goodbye bye please
    exactly correct great cool fine maybe never always stop wait what why when where who how
    tomorrow today tonight yesterday"""
)
SHORT_ANSWERS = frozenset(
    (
        "thank you", "no thanks", "no thank you", "yes please", "of course", "all right", "go on",
        "not really", "i see", "good bye", "good morning", "good evening", "i do", "i don't know",
        "why not", "me too", "how so", "what else", "that's it", "that's all", "so do i",
    )
)  # fmt: skip
ACKNOWLEDGMENTS = _words(
    """mm-hm mhm mm-hmm mmhmm mm mmm hmm hm uh-huh uh huh yeah yes yep right okay ok sure aha ah oh
    cool nice great good really wow alright exactly i see got it all true indeed fine"""
)
COMMANDS = _words(
    """stop wait no hold hey hello what why who when where how sorry but actually enough quiet pause
    please excuse shut listen next again repeat louder slower help goodbye bye hush silence"""
)
# These may be the beginning of something else, or a noise, until the voice is quiet again.
UNSURE_COMMANDS = _words("but who please sorry actually next listen excuse")

# Ears write "o. k.", "to-morrow" and "good-bye".
LETTERS = re.compile(r"\bo\. ?k\b\.?")
OLD_HYPHEN = re.compile(r"\b(to|good)-(?=day|night|morrow|bye)")


def split(text: str) -> list[str]:
    """The words of a text in small letters, without punctuation."""
    plain = OLD_HYPHEN.sub(r"\1", LETTERS.sub("okay", text.lower())).replace("’", "'")
    return re.findall(r"\d+|[a-z]+(?:['-][a-z]+)*", plain)


class Words:
    """What was said, as far as it tells whether more is to come. False without a word."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.all = split(text)

    def __bool__(self) -> bool:
        return bool(self.all)

    @cached_property
    def different(self) -> int:
        """How many different words: cut within a word, ears may write it several times."""
        return len(set(self.all))

    @cached_property
    def different_whole(self) -> int:
        """The same without the last, which may be cut."""
        return len(set(self.all[:-1]))

    @property
    def are_an_answer(self) -> bool:
        """A short answer or call that stands by itself."""
        if " ".join(self.all) in SHORT_ANSWERS:
            return True
        return 0 < len(self.all) <= 2 and all(word in ANSWERS for word in self.all)

    @property
    def trail_off(self) -> bool:
        """They end in a function word or a spoken pause."""
        last = self.all[-1] if self.all else ""
        asked = self.text.endswith("?")
        return last in LINKS | SPOKEN_PAUSES or (last in OPEN_ENDS and not asked)

    @property
    def end_in_digits(self) -> bool:
        """A number is being dictated: the last word is a digit, and so is another near it."""
        near = [word in DIGITS or word.isdigit() for word in self.all[-3:]]
        return bool(near) and near[-1] and sum(near) >= min(2, len(self.all))

    @property
    def want_more(self) -> bool:
        """A comma at the end, a clause that needs another, or nothing understood yet."""
        if not self.all or self.text.endswith((",", "-", "...")):
            return True
        return self.all[0] in BEGINNINGS and len(self.all) > 1 and not self.text.endswith("?")

    @property
    def hold_a_command(self) -> bool:
        """A word that asks the speaker to stop."""
        return bool(COMMANDS & set(self.all))

    @property
    def hold_a_firm_command(self) -> bool:
        """One that needs not be heard to its end."""
        return bool((COMMANDS - UNSURE_COMMANDS) & set(self.all))

    def begin_like(self, before: "Words") -> bool:
        """Whether the first two are still the same, which is not made out of a noise."""
        return before.different > 1 and self.all[:2] == before.all[:2]

    @property
    def may_come_to_acknowledge(self) -> bool:
        """Signs of listening, the last of which may be cut."""
        *whole, last = self.all
        cut = any(word.startswith(last) for word in ACKNOWLEDGMENTS)
        return cut and set(whole) <= ACKNOWLEDGMENTS

    @property
    def only_acknowledge(self) -> bool:
        """Nothing but signs of listening."""
        return set(self.all) <= ACKNOWLEDGMENTS
