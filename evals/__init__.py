"""Conversations as YAML, for `avatar eval` and `pipecat eval`."""
