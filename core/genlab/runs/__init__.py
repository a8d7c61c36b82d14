"""Runs: the folder, its manifest and provenance, training in it, and reading it back."""
