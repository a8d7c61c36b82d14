"""Atomic files, file locks, and exceptions as text. Importing this imports no torch."""
