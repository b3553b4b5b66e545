"""Minds: one file per language-model part."""
