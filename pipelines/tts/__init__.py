"""Voices: one file per text-to-speech part."""
