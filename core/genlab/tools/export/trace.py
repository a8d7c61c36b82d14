"""Traces of the computation of predictions, for batches and sizes other than the traced ones where that is possible."""

from __future__ import annotations

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.export import Dim, ExportedProgram
from torch.fx.experimental import _config

from genlab.tools.export.exportable import Exportable


class Freedom(NamedTuple):
    """Dimensions of an input that may be others than the traced ones.

    Args:
        batch: whether the number of images may.
        size: whether height and width may, in multiples of the networks'.
    """

    batch: bool
    size: bool


FREEDOMS = (Freedom(batch=True, size=True), Freedom(batch=True, size=False), Freedom(batch=False, size=False))
"""From the most useful to the least."""


def trace(exportable: Exportable, image: Tensor, multiple: int, freedom: Freedom) -> ExportedProgram:
    """Trace the computation of predictions.

    Args:
        exportable: what to trace.
        image: a condition that it takes, (1, channels, height, width).
        multiple: of the height and width that it takes.
        freedom: the dimensions that are not fixed.

    Raises:
        Exception: of any kind: the networks cannot be traced with that freedom.
    """
    batch, _, height, width = ((2 if freedom.batch else 1), *image.shape[1:])
    dims: dict[int, Any] = {}
    if freedom.batch:
        dims[0] = Dim("batch")
    if freedom.size:
        # Others than 1 and than each other, so that neither is taken for a rule.
        height, width = height + multiple, width + 2 * multiple
        dims |= {2: _multiples("rows", multiple), 3: _multiples("columns", multiple)}
    example = torch.zeros(batch, image.shape[1], height, width)
    shapes: Any = _config
    # Without this, a trace would have the condition that no map is a single pixel high or wide.
    with torch.no_grad(), without_warnings(), shapes.patch(backed_size_oblivious=True):
        return torch.export.export(exportable, (example,), dynamic_shapes={"condition": dims})


def _multiples(name: str, multiple: int) -> Any:
    return Dim(name) if multiple == 1 else multiple * Dim(name, min=1)


@contextmanager
def without_warnings() -> Generator[None]:
    """Context without the warnings that PyTorch gives of its own code when it traces and converts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
