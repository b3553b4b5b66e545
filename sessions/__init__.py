"""What was said and how fast, and what is open and paid for."""
