"""Words without the signs around them: Markdown, HTML, addresses and pictures within a line."""

import html
import re
import unicodedata

# Signs that are meant as such, and pictures, while the others are taken out: no text has these.
STAR, UNDERSCORE, PICTURE = "\ue000", "\ue001", "\ue002"
LINK = re.compile(
    r"!?\[(?P<label>(?:[^\[\]]|\[[^\[\]]*\])*)\](?:\((?:[^()]|\([^()]*\))*\)|\[[^\[\]]*\])"
)
IN_BRACKETS = re.compile(r"<((?:https?://|www\.)[^<>\s]+|[^<>\s@]+@[^<>\s@]+)>")
BREAK = re.compile(r"<(?:br|/p|/li|/h\d)\b[^<>]*>", re.I)
TAG = re.compile(r"<!--.*?-->|</?[A-Za-z][^<>]*>")
NOTE = re.compile(r"\s?\[\^?\d{1,3}(?:\s*,\s*\d{1,3})*\]")
ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-fA-F]+|[A-Za-z]+\d*);")
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
URL = re.compile(r"(?:\bhttps?://|\bwww\.)(?:[^\s/@]*@)?(?:www\.)?([^\s/?#:]*[^\W_])\S*", re.I)
DOMAIN_AND_PATH = re.compile(r"(?<![\w-])((?:[\w-]+\.)+[a-z]{2,})/\S*")
AFTER_ADDRESS = re.compile(r"[.,;:!?\"'”’»)\]*_]*$")
MEANT = re.compile(r"\\\*|(?<=\d)\*+(?=\d)")
# What is taken out, and by what it is replaced; in this order.
SIGNS = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        (r"\\(?=[\\`_{}\[\]()#+.!|~>$-])", ""),  # an escape
        (r"`+|~~", ""),
        (r"(?<=\S)\*+|\*+(?=\S)", ""),
        (r"(?<![^\W_])_+(?=\S)|(?<=\S)_+(?![^\W_])", ""),
        (r"(?<=[^\W_])_+(?=[^\W_])", " "),
        (r"(?:(?<=\s)|^)[-*_=~#|:]{2,}(?=\s|$)", ""),  # a rule
        (r"(?<!\w)#+\s*(?=[^\W\d_])", ""),
        (r"\s*\]+|\[+", ""),  # two of them enclose phonemes, for some voices
        (r"\s*[|→⇒]+\s*", ", "),
    )
)
BEFORE_END = re.compile(rf"\s*{PICTURE}[{PICTURE}\u200d]*(?=\s*(?:[,.!?;:…]|$))")
WITHIN = re.compile(rf"(?:(?<=\s)|^){PICTURE}[{PICTURE}\u200d]*\s?|{PICTURE}[{PICTURE}\u200d]*")
# The first sign that is a picture; those before it, as © and °, are words.
FIRST_PICTURE = "\u2190"


def plain(text: str) -> str:
    """What of a piece of a line is words; links are their labels, addresses their hosts."""
    text = LINK.sub(r"\g<label>", LINK.sub(r"\g<label>", text))
    text = TAG.sub("", BREAK.sub(" ", IN_BRACKETS.sub(r"\1", text)))
    text = ENTITY.sub(lambda found: html.unescape(found[0]), NOTE.sub("", text))
    text = EMAIL.sub(lambda found: found[0].replace("_", UNDERSCORE), text)
    text = DOMAIN_AND_PATH.sub(_host, URL.sub(_host, text))
    text = MEANT.sub(lambda found: STAR * found[0].count("*"), text)
    for sign, word in SIGNS:
        text = sign.sub(word, text)
    text = _without_pictures(text).replace(STAR, "*").replace(UNDERSCORE, "_")
    return re.sub(r"\s+", " ", text)


def _host(found: re.Match[str]) -> str:
    """An address as one would say it, with the punctuation after it."""
    after = AFTER_ADDRESS.search(found[0])
    return found[1].rstrip(".") + (after[0] if after else "")


def _without_pictures(text: str) -> str:
    marked = "".join(PICTURE if _is_picture(sign) else sign for sign in text)
    return WITHIN.sub("", BEFORE_END.sub("", marked)) if PICTURE in marked else text


def _is_picture(sign: str) -> bool:
    """Whether a character is an emoji or a part of one."""
    if sign < "\u20e3":
        return False
    kind = unicodedata.category(sign)
    return (
        (kind == "So" and sign >= FIRST_PICTURE)
        or sign in "\u20e3\ufe0f"
        or "\U0001f3fb" <= sign <= "\U0001f3ff"
        or "\U000e0020" <= sign <= "\U000e007f"
    )
