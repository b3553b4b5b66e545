"""What goes on when a part dies."""
