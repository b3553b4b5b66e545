"""Is the microphone of whoever is in a LiveKit room turned off?"""

from livekit import rtc

from .occupancy import USERS


def is_off(room: rtc.Room | None, avatar: str = "") -> bool:
    """Whether every microphone of users in the room is muted, and there is one.

    `avatar` is the identity of who is no user, though it seems so.
    """
    if room is None:
        return False
    publications = [
        publication
        for identity, participant in room.remote_participants.items()
        if identity != avatar and participant.kind in USERS
        for publication in participant.track_publications.values()
        if publication.kind == rtc.TrackKind.KIND_AUDIO
    ]
    return bool(publications) and all(publication.muted for publication in publications)
