"""The agent of a FULL session: it hears, thinks and speaks, for the face that is in the room.

This folder is the one place of the sandbox that imports Pipecat; it is loaded with the first
session that needs it.
"""
