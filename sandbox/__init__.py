"""A LiveAvatar you can run on a laptop."""
