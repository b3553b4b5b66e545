"""English as it is spoken and misheard: one spelling for words that ask the same."""

import re

EXPANSIONS = tuple(
    (re.compile(pattern), full)
    for pattern, full in (
        (r"\bcan't\b", "cannot"),
        (r"\bwon't\b", "will not"),
        (r"n't\b", " not"),
        (r"'re\b", " are"),
        (r"'m\b", " am"),
        (r"'ll\b", " will"),
        (r"'ve\b", " have"),
        (r"'d\b", " would"),
        (r"\b(what|who|how|where|when|that|it|there|here|why|which|this)'s\b", r"\1 is"),
        (r"\blet's\b", "let us"),
        (r"\b(what|how|who)re\b", r"\1 are"),
        (r"\ba\.? ?i\b\.?", "ai"),
        (r"\b(ap|ak|aq) ?i\b", "api"),
        (r"\bak(e|ey)s?\b", "api key"),
        (r"\bgonna\b", "going to"),
        (r"\bwanna\b", "want to"),
        (r"\bgotta\b", "got to"),
        (r"\ball right\b", "okay"),
    )
)
WITHOUT_APOSTROPHE = tuple(pair for pair in EXPANSIONS if "'" not in pair[0].pattern)
# What a word is replaced by, and the words it replaces.
SAME = {
    "another": "different other new",
    "answer": "respond reply react response",
    "anybody": "anyone someone somebody everybody",
    "app": "program application",
    "can": "could may",
    "can not": "cannot",
    "change": "modify switch alter edit",
    "color": "colour",
    "computer": "pc laptop machine",
    "connect": "hook plug attach",
    "delay": "pause lag",
    "do not": "dont",
    "fast": "quick quickly",
    "favourite": "favorite",
    "graphics card": "gpu",
    "happens": "occurs",
    "i am": "im",
    "licence": "license licensing licensed",
    "lips": "mouth lip",
    "made": "created generated produced built",
    "make": "create generate produce build",
    "microphone": "mic",
    "mind": "brain",
    "mix": "combine",
    "need": "require required",
    "okay": "ok alright",
    "personality": "character",
    "picture": "image photo",
    "real": "proper actual",
    "save": "store storing keep",
    "set up": "setup",
    "smart": "smarter clever cleverer intelligent",
    "stupid": "dumb",
    "sync": "sinking syncing synching sink",
    "talk": "speak",
    "talking": "speaking",
    "use": "using",
    "work": "works",
    "you are": "youre",
}
SPELLINGS: dict[str, str] = {
    spelling: word for word, listed in SAME.items() for spelling in listed.split()
}

# Nothing but noise when there is nothing else.
NOISE = frozenset("uh um hm hmm mm mhm er erm ah oh eh huh ha well so and but the a you".split())
# Asks for nothing, wherever it stands.
FILLERS = frozenset("uh um hm hmm er erm ah eh please just actually maybe then now".split())
# What people say before they ask.
OPENERS = frozenset(
    "hello hi hey there again okay so well and but now right oh thanks yes yeah no".split()
)
ASIDES = (
    "i was wondering", "i would like to know", "i want to know", "can you please",
    "can you explain", "can you tell me", "please tell me", "i have a question",
    "do you know", "would you mind", "let me ask", "i wonder", "by the way", "i mean", "tell me",
)  # fmt: skip
# Words of no special meaning: one that no topic uses does not make a question strange.
COMMON = frozenset(
    "able across actual allow also another any around as at because been being between "
    "both bring by each else even ever every exactly few figure from get give got he her here "
    "his if into kind least less little lot many mean mine much must one other our out over own "
    "possible quite really she should some sort still such than that them there they thing "
    "those tried try us very want way we where which while will with would yet your".split()
)


def words(text: str) -> list[str]:
    """The words of a text: lower case, no punctuation, contractions written out."""
    text = text.lower().replace("’", "'")
    for pattern, full in EXPANSIONS if "'" in text else WITHOUT_APOSTROPHE:
        text = pattern.sub(full, text)
    found: list[str] = re.findall(r"[^\W_]+", text.replace("'", ""))
    return " ".join(SPELLINGS.get(word, word) for word in found).split()


def clauses(text: str) -> list[str]:
    """The pieces of a text between punctuation marks."""
    return [clause for clause in re.split(r"[.?!,;:]+(?=\s|$)", text) if clause.strip()]


def stem(word: str) -> str:
    """A word without its ending; only ever compared with other stems."""
    if len(word) >= 6 and word.endswith("ing"):
        return word[:-3]
    if len(word) >= 5 and word.endswith("ed"):
        return word[:-2]
    if len(word) >= 4 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
