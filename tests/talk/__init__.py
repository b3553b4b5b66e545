"""Whole conversations with the real command."""
