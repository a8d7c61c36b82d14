"""Choice of tiles for a run, and whether predictions in tiles are those of whole images."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]
from torch.nn.modules.instancenorm import _InstanceNorm  # pyright: ignore[reportPrivateUsage]

from genlab.engine.runtime import memory_errors
from genlab.engine.tiles import Tiles
from genlab.errors import RunError
from genlab.interfaces.dataset import SideName
from genlab.runs.run import Run
from genlab.tools.drawn_predictions import draw_image, is_drawn
from genlab.util.arguments import checked_arguments
from genlab.util.exceptions import summarize

_log = logging.getLogger("genlab")

TOLERANCE = 2 / 255
"""Largest difference from the prediction of a whole image, as a share of the range of values, or of pixels."""

_BLOCK = 32

_FURTHER = (
    "The networks see further than a quarter of the overlap. Try a larger --overlap, with a larger --tile; if that"
    " hardly changes the difference, they see the whole image, and no tiles are enough."
)


@checked_arguments
def choose_tiles(
    run: Run, size: int, overlap: int | None = None, *, to: SideName | None = None, force: bool = False
) -> Tiles:
    """Choose tiles to predict large images in, after a check that this gives what the networks give for whole ones.

    An image of 2 x 2 tiles is drawn, and predicted in tiles and whole. No value may differ by more than 2/255 of the
    range of values; of classes, no more than such a share of pixels. Tiles are refused before that where layers
    normalize by statistics of what they are given, or predictions are drawn.

    Args:
        run: the run.
        size: height and width of a tile in pixels, a multiple of `Run.size_multiple`; of images as the networks see
            them, after any resizing.
        overlap: how many pixels neighbors have in common, rounded up to such a multiple; a quarter of the size by
            default.
        to: the side to predict, `a` or `b`; the target by default.
        force: whether to warn of differences and go on.

    Raises:
        RunError: no such tiles are possible, or predictions in tiles would be others.
    """
    tiles = _valid_tiles(size, overlap, run.size_multiple(to))
    with memory_errors("Choose a smaller --tile."):
        reason = _reason(run, tiles, to)
    if reason and not force:
        hint = f"{reason.hint} To predict in tiles all the same: --force, in Python force=True."
        raise RunError(f"it cannot predict in tiles: {reason.what}", where=str(run.path), hint=hint)
    if reason:
        _log.warning("Predictions in tiles are not those of whole images: %s.", reason.what)
    return tiles


def _valid_tiles(size: int, overlap: int | None, multiple: int) -> Tiles:
    if size < 1 or size % multiple:
        nearest = max(1, round(size / multiple)) * multiple
        what = f"expected a multiple of {multiple} pixels, which the networks need, got {size}"
        raise RunError(what, where="--tile", hint=f"The nearest is {nearest}.")
    if overlap is None:
        return Tiles(size, size // 4 // multiple * multiple)
    rounded = -(-overlap // multiple) * multiple
    if overlap < 0 or rounded >= size:
        most = size - multiple
        what = f"expected from 0 to {most} pixels, the tile of {size} less the networks' multiple of {multiple}"
        raise RunError(f"{what}, got {overlap}", where="--overlap", hint="Choose a larger --tile, or less overlap.")
    return Tiles(size, rounded)


class _Reason(NamedTuple):
    """A reason for which predictions in tiles are not those of whole images, and what would help."""

    what: str
    hint: str


def _reason(run: Run, tiles: Tiles, to: SideName | None) -> _Reason | None:
    if layers := _image_norms(run, to):
        what = f"its networks normalize by statistics of what they are given ({layers[0]}), which differ by tile"
        return _Reason(what, 'Train with batch norm and inference.normalization = "running", or without norm.')
    if is_drawn(run, to):
        what = "its predictions are drawn, and each tile would have the same noise"
        return _Reason(what, "Train with inference.dropout = false, and a method that does not draw.")
    return _measured(run, tiles, to)


def _image_norms(run: Run, to: SideName | None) -> Sequence[str]:
    """Kinds of layers in use that normalize by statistics of what they are given."""
    own = run.recipe.settings.inference.normalization == "image"
    called: dict[str, None] = {}
    handles = [
        layer.register_forward_pre_hook(lambda layer, _given: called.update({type(layer).__name__: None}))
        for network in run.method.networks.values()
        for layer in network.modules()
        if isinstance(layer, nn.GroupNorm)
        or (isinstance(layer, _InstanceNorm) and layer.running_mean is None)
        or (isinstance(layer, _BatchNorm) and (own or layer.running_mean is None))
    ]
    try:
        run.apply(draw_image(run, to), to=to)
    finally:
        for handle in handles:
            handle.remove()
    return [*called]


def _measured(run: Run, tiles: Tiles, to: SideName | None) -> _Reason | None:
    side = 2 * tiles.size - tiles.overlap
    channels = run.manifest.channels[1 if run.direction(to).is_back else 0]
    image = _draw_blocks(channels, side, min(_BLOCK, max(1, tiles.size // 4)))
    try:
        whole, tiled = run.apply(image, to=to), run.apply(image, to=to, tiles=tiles)
    except ValueError as error:
        what = f"its networks do not take {tiles.size} x {tiles.size} pixels: {summarize(error)}"
        return _Reason(what, "Choose a larger --tile.")
    if run.direction(to).predicts_classes:
        difference = (whole.argmax(dim=1) != tiled.argmax(dim=1)).float().mean().item()
        unit = "of pixels have another class than in a whole image"
    else:
        difference = (whole - tiled).abs().max().item() / 2
        unit = "of the range of values is the largest difference from a whole image"
    if difference <= TOLERANCE:
        return None
    what = f"{difference:.1%} {unit}, for tiles of {tiles.size} pixels with an overlap of {tiles.overlap}"
    return _Reason(f"{what}, and {TOLERANCE:.1%} is tolerated", _FURTHER)


def _draw_blocks(channels: int, side: int, block: int) -> Tensor:
    """Draw squares of saturated colors, (1, channels, side, side): harsher on seams than pictures are."""
    count = -(-side // block)
    colors = torch.rand(1, channels, count, count, generator=torch.Generator().manual_seed(0)).round() * 2 - 1
    return F.interpolate(colors, scale_factor=block)[..., :side, :side]
