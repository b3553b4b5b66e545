"""Pictures, sound and words on their way out."""
