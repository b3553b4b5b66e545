"""Conversations as YAML, for `pipecat eval`."""
