"""Description of exported networks: what they take and give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import genlab
from genlab.data.sides import value_range
from genlab.interfaces.dataset import SideName
from genlab.runs.manifest import SideRecord
from genlab.runs.run import Run

LIBRARY = "genlab"


def describe_export(run: Run, to: SideName | None) -> Mapping[str, Any]:
    """Describe what a run's networks take and give, in plain JSON values.

    `size_multiple` is what heights and widths must be multiples of, in pixels; `scale` how many times as large
    predictions are. `range` has the values of an image's file that are -1 and 1 to the networks.
    """
    direction = run.direction(to)
    of_condition, of_target = run.manifest.channels
    given, predicted = (of_target, of_condition) if direction.is_back else (of_condition, of_target)
    return {
        "library_name": LIBRARY,
        "library_version": genlab.__version__,
        "title": run.manifest.title,
        "run": run.manifest.id,
        "step": run.step,
        "generator": run.recipe.networks[run.generator_role].component.name,
        "method": run.recipe.method.component.name,
        "size_multiple": run.size_multiple(to),
        "trained_size": list(direction.trained),
        "scale": str(direction.factor),
        "input": {**_side(direction.source, one_hot=direction.is_back and run.classes is not None), "channels": given},
        "output": {**_side(direction.result, one_hot=direction.predicts_classes), "channels": predicted},
    }


def _side(record: SideRecord, *, one_hot: bool) -> dict[str, Any]:
    """The values of a side's files, and what they are to networks."""
    if one_hot:
        classes = record.classes or ()
        return {"values": "classes", "colors": [list(color) for color in classes]}
    low, high = value_range(record.dtype, record.range, record.name) if record.classes is None else (0.0, 255.0)
    dtype = record.dtype if record.classes is None else "uint8"
    return {"values": "image", "dtype": dtype, "range": [low, high]}
