"""LiveAvatar as we know it."""
