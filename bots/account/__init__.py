"""`avatar account`: what is stored at LiveAvatar."""
