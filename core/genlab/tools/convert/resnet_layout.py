"""Keys of the reference's residual generator: one sequence of layers, counted with paddings and activations."""

from __future__ import annotations

import re

from genlab.tools.convert.layout import Layout, OtherLayoutError, StoredLayer, Tensors, norm_in_words, norm_of

BLOCK = re.compile(r"model\.(\d+)\.conv_block\.")
_SIZE = 256
_DROPOUT = 0.5


def resnet_layout(tensors: Tensors) -> Layout:
    """The layout of a residual generator's state dict.

    Raises:
        KeyError: a layer that every such network has is missing.
        OtherLayoutError: it is the variant of another project.
    """
    blocks = sorted({int(found[1]) for key in tensors if (found := BLOCK.match(key))})
    _refuse_variants(tensors, blocks)
    has_dropout = f"model.{blocks[0]}.conv_block.6.weight" in tensors and not _is_norm(tensors, blocks[0], 6)
    layers = _layers(blocks, second=6 if has_dropout else 5)
    norm = norm_of(tensors, layers)
    first, last = (tensors[f"{layers[at].conv}.weight"] for at in (0, -1))
    settings = {
        "name": "genlab:resnet",
        "blocks": len(blocks),
        "channels": first.shape[0],
        "norm": norm,
        "padding": "reflect",
        "dropout": _DROPOUT if has_dropout else 0.0,
    }
    name = f"resnet_{len(blocks)}blocks with {norm_in_words(norm)}"
    return Layout(name, settings, _SIZE, (first.shape[1], last.shape[0]), layers)


def _is_norm(tensors: Tensors, block: int, index: int) -> bool:
    return tensors[f"model.{block}.conv_block.{index}.weight"].ndim == 1


def _refuse_variants(tensors: Tensors, blocks: list[int]) -> None:
    if blurred := next((key for key in tensors if key.endswith(".filt")), None):
        raise OtherLayoutError(
            f"it blurs before it changes the size ({blurred}), as in CUT, and genlab:resnet does not"
        )
    if blocks[0] != 10:
        what = f"its residual blocks begin at model.{blocks[0]}, where a network that halves twice has model.10"
        raise OtherLayoutError(f"{what}; genlab:resnet halves twice")
    if f"model.{blocks[0]}.conv_block.0.weight" in tensors:
        raise OtherLayoutError("its residual blocks pad with zeros, and its other layers by reflection")


def _layers(blocks: list[int], second: int) -> list[StoredLayer]:
    """The layers in order; `second` is the place of a block's second convolution, behind dropout if it has that."""
    after = blocks[-1] + 1
    within = (1, second)
    return [
        *(StoredLayer(f"model.{at}", f"model.{at + 1}") for at in (1, 4, 7)),
        *(
            StoredLayer(f"model.{block}.conv_block.{at}", f"model.{block}.conv_block.{at + 1}")
            for block in blocks
            for at in within
        ),
        *(StoredLayer(f"model.{at}", f"model.{at + 1}", transposed=True) for at in (after, after + 3)),
        StoredLayer(f"model.{after + 7}"),
    ]
