"""Settings that moved to another table of a recipe."""

from __future__ import annotations

from typing import Any

_NOW = "It is an augmentation now"


def moved_setting_hint(keys: tuple[str | int, ...], value: Any) -> str | None:
    """Hint that shows the lines of a recipe that a setting is now; None for one that did not move."""
    match keys, value:
        case ("input", "jitter"), int() | float() if value > 0:
            return f"{_NOW}:\n\n[augment.jitter]\namount = {float(value)}"
        case ("input", "flip"), True:
            return f"{_NOW}:\n\n[augment.flip]"
        case ("input", "jitter" | "flip" as label), _:
            return f"{_NOW}: leave it out, and drop one that is inherited with augment.{label} = false."
        case _:
            return None
