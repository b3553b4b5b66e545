"""What all minds have in common: how they are asked, and what of their answers is said."""
