"""A probe in TensorBoard: effect on predictions over the levels of the skip connections."""

from __future__ import annotations

import shutil

import numpy as np

from genlab import Probed, contact_sheet
from genlab_tensorboard.event_file import EventFile
from genlab_tensorboard.summaries import picture_value, scalar_value


def write_probe(event: Probed) -> None:
    """Write `tensorboard/` beside other results of the probe anew: a run per replacement, whose steps are levels."""
    folder = event.results / "tensorboard"
    shutil.rmtree(folder, ignore_errors=True)
    for replacement in dict.fromkeys(effect.replacement for effect in event.effects):
        effects = [effect for effect in event.effects if effect.replacement == replacement]
        file = EventFile(folder / replacement)
        for effect in effects:
            figures = {
                "change of predictions": effect.change,
                "farther from the target": effect.error,
                "high-frequency energy left": effect.high_frequency,
            }
            means = {name: figure.mean for name, figure in figures.items() if figure}
            values = [scalar_value(f"skips by level/{name}", mean) for name, mean in means.items()]
            file.add(effect.level, values)
        _, prediction, target = event.pictures.columns.items()
        changed = ((f"level {effect.level}", effect.pictures) for effect in effects)
        sheet = contact_sheet(dict([prediction, *changed, target]))
        file.add(0, [picture_value("skips by level", np.asarray(sheet))])
