"""Is a user still in a LiveKit room?"""

from livekit import rtc

# Neither an agent nor what records or streams a room is a user of it.
USERS = (rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD, rtc.ParticipantKind.PARTICIPANT_KIND_SIP)


def is_occupied(room: rtc.Room | None, *others: str) -> bool:
    """Whether a user is in the room; `others` are the identities of who does not count.

    Who has left is not, unless they are there again: their identity is forgotten before it is told.
    """
    present = room.remote_participants.items() if room else ()
    return any(who.kind in USERS for identity, who in present if identity not in others)
