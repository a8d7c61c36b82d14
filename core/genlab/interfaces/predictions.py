"""Kinds of predictions. Importing this imports no torch."""

from typing import Literal

Predictions = Literal["images", "classes"]
"""Images in [-1, 1], or of each pixel a score for every class: the higher, the likelier."""
