"""Faces: one file per avatar part."""
