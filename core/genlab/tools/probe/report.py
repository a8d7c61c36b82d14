"""Output of a probe in the run's folder: values, a plot, and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlab.drawing.contact_sheet import contact_sheet
from genlab.drawing.curves import draw_curves, stack
from genlab.interfaces.listener import Interval, Probed, SkipEffect
from genlab.util.files import atomic_write, write_json, write_text

FIGURES: Mapping[str, str] = {
    "change": "change of predictions (L1)",
    "error": "farther from the target (L1)",
    "high_frequency": "high-frequency energy left",
}


def probe_as_json(probed: Probed) -> dict[str, Any]:
    """The results in plain JSON values."""
    return {
        "step": probed.step,
        "pairs": probed.pairs,
        "skips": [_effect(effect) for effect in probed.effects],
        "gradient_norms": dict(probed.gradient_norms),
        "weight_norms": dict(probed.weight_norms),
    }


def write_probe_report(probed: Probed) -> None:
    """Write to the probe's existing folder: `probe.json`, `skips.svg`, and a contact sheet for every replacement."""
    folder = probed.results
    write_json(folder / "probe.json", probe_as_json(probed))
    names = list(dict.fromkeys(effect.replacement for effect in probed.effects))
    curves = {name: [effect for effect in probed.effects if effect.replacement == name] for name in names}
    drawings = [
        draw_curves(bands, label, "level of the skip")
        for figure, label in FIGURES.items()
        if (bands := {name: band for name, effects in curves.items() if (band := _band(effects, figure))})
    ]
    write_text(folder / "skips.svg", stack(drawings, names))
    for name, effects in curves.items():
        with atomic_write(folder / f"{name}.png") as aside:
            contact_sheet(_columns(probed, effects)).save(aside, format="PNG")


def _effect(effect: SkipEffect) -> dict[str, Any]:
    found = {figure: getattr(effect, figure) for figure in FIGURES}
    figures = {figure: interval and interval._asdict() for figure, interval in found.items()}
    return {"level": effect.level, "replacement": effect.replacement, **figures}


def _band(effects: Sequence[SkipEffect], figure: str) -> dict[int, Interval]:
    """A figure by level; empty where it was not measured."""
    return {effect.level: interval for effect in effects if (interval := getattr(effect, figure))}


def _columns(probed: Probed, effects: Sequence[SkipEffect]) -> dict[str, NDArray[np.uint8]]:
    """Columns: condition, original prediction, predictions with each level replaced, and target."""
    condition, prediction, target = probed.pictures.columns.items()
    changed = ((f"level {effect.level}", effect.pictures) for effect in effects)
    return dict([condition, prediction, *changed, target])
