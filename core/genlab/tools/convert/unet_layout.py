"""Keys of the reference's U-Net: each level is a block within the block of the level around it."""

from __future__ import annotations

from collections.abc import Iterable

from genlab.tools.convert.layout import Layout, StoredLayer, Tensors, norm_in_words, norm_of

OUTERMOST = "model.model"
_LEAST_WITHOUT_DROPOUT = 4
"""The outermost levels have no dropout, and neither has the innermost."""


def unet_layout(tensors: Tensors) -> Layout:
    """The layout of a U-Net's state dict.

    Raises:
        KeyError: a layer that every such network has is missing.
    """
    blocks = _blocks(tensors)
    layers = _layers(blocks)
    first, last = (tensors[f"{layers[at].conv}.weight"] for at in (0, -1))
    levels, norm = len(blocks), norm_of(tensors, layers)
    settings = {
        "name": "genlab:unet",
        "levels": levels,
        "channels": first.shape[0],
        "norm": norm,
        # Dropout has no weights: these are the blocks in which the reference has it unless told otherwise.
        "dropout_blocks": list(range(2, levels + 1 - _LEAST_WITHOUT_DROPOUT)),
        "bias": f"{layers[0].conv}.bias" in tensors,
    }
    size = 2**levels
    return Layout(f"unet_{size} with {norm_in_words(norm)}", settings, size, (first.shape[1], last.shape[1]), layers)


def _blocks(tensors: Tensors) -> list[str]:
    """Beginnings of the keys of each level's layers, from the outermost."""
    found = [OUTERMOST]
    while any(key.startswith(f"{_within(found)}.") for key in tensors):
        found.append(_within(found))
    if len(found) == 1:
        raise KeyError(_within(found))
    return found


def _within(blocks: list[str]) -> str:
    """Beginning of the keys of the level within the last one, which comes after an activation, convolution and norm."""
    return f"{blocks[-1]}.{1 if len(blocks) == 1 else 3}.model"


def _layers(blocks: list[str]) -> list[StoredLayer]:
    outermost, *middle, innermost = blocks
    down: Iterable[StoredLayer] = (StoredLayer(f"{block}.1", f"{block}.2") for block in middle)
    up: Iterable[StoredLayer] = (StoredLayer(f"{block}.5", f"{block}.6", transposed=True) for block in reversed(middle))
    return [
        StoredLayer(f"{outermost}.0"),
        *down,
        StoredLayer(f"{innermost}.1"),
        StoredLayer(f"{innermost}.3", f"{innermost}.4", transposed=True),
        *up,
        StoredLayer(f"{outermost}.3", transposed=True),
    ]
