"""Requests that listeners and methods make of a training. Importing this imports no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StopTraining:
    """End the training after this step: it is validated, saved, and finished.

    Args:
        reason: one line for people, such as `no gradient for 100 steps`, which is not empty; it is kept in `run.json`.
    """

    reason: str


@dataclass(frozen=True)
class SaveCheckpoint:
    """Save a checkpoint of this step; it stays as long as the recipe's `checkpoint.keep` says."""


Request = StopTraining | SaveCheckpoint
"""What a listener or a method may ask for."""
