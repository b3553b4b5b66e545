"""What a page relays of a conversation that LiveAvatar runs, read and bounded.

A page may be anybody's, and says what it likes. It is believed that its user is there, leaves or is
muted, and what the two of them do, for it is its own conversation that it could spoil, and that
has an end all the same (`host.py`). Times are taken to be after those it told before, and neither
before the conversation nor in the future. What it says counts for no bill, which goes by
this server's own clock, and for metrics only where LiveAvatar's transcript has the same answer
(`record.py`).
"""

import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from liveavatar.channel import Command, Event, Known, Tell, Words, command_of, event_of
from pipelines.entry import LONGEST_TEXT
from pipelines.errors import Incompatible
from pipelines.text import clean

# Of one message of the page: what it has seen in a second or two.
MOST_EVENTS = 200
# In characters; an answer may be longer than what is typed.
LONGEST_WORDS = 10 * LONGEST_TEXT
# What a page held back for longer is no longer of use for times.
OLDEST_S = 60.0
FORM = 'Send {"key": "…", "events": [{"age_s": 0.1, "event": {"event_type": "…"}}]}'
Number = Annotated[int, Field(ge=0, le=2**53)]


class Seen(BaseModel):
    """An event or a command, and how many seconds ago the page saw or sent it.

    Attributes:
        number: counted by the page, from 1; what was taken before is not taken again.
    """

    number: Number | None = None
    age_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    event: dict[str, Any]


class Batch(BaseModel):
    """One message of a page: what it has seen since the last one, in order.

    Attributes:
        key: what the page was given by /start.
        heard: the number of the last message that the page has had; None if it counts none.
        muted: whether the user's voice is kept from the avatar.
        active: whether the user has done something without a word.
        leaves: whether the user leaves, and does not come back.
    """

    key: str = Field(repr=False)
    events: list[Seen] = Field(default_factory=list, max_length=MOST_EVENTS)
    heard: Number | None = None
    muted: bool = False
    active: bool = False
    leaves: bool = False


Happening = Known | Command


def read(content: Any) -> Batch:
    """A page's message. Raises: Incompatible, when it has another form."""
    try:
        return Batch.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        problem = f"This is no relay of events ({where}: {first['msg']})"
        raise Incompatible(problem, FORM) from None


def happenings(
    events: Sequence[Seen], clock: Callable[[], float] = time.monotonic
) -> list[tuple[float, Happening]]:
    """What happened, and when by the clock; what is no event that counts is left out."""
    now_s = clock()
    found = ((now_s - min(seen.age_s, OLDEST_S), _happening(seen.event)) for seen in events)
    return [(at_s, happening) for at_s, happening in found if happening]


def _happening(told: dict[str, Any]) -> Happening | None:
    found: Event | Command | None = command_of(told) or event_of(told)
    if isinstance(found, Words | Tell):
        text = clean(found.text[:LONGEST_WORDS]).strip()
        return found.model_copy(update={"text": text})
    return found if isinstance(found, Known) or isinstance(found, Command) else None
