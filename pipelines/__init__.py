"""Settings in, a conversation that is ready to run out."""
