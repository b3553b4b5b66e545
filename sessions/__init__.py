"""What was said and how fast."""
