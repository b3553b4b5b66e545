"""LiveAvatar in the user's own LiveKit room, which it joins itself (`LIVEAVATAR_ROOM=direct`)."""
