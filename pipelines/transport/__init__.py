"""Meetings: one file per way the user meets the avatar."""
