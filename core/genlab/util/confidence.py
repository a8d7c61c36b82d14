"""Confidence of all intervals. Importing this imports no torch."""

LEVEL = 0.95
"""How often an interval is to contain the truth."""
