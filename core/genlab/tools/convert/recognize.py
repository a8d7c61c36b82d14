"""Recognition of what a state dict is the weights of, by its keys."""

from __future__ import annotations

from pathlib import Path

from genlab.errors import GenlabError
from genlab.tools.convert.layout import Layout, OtherLayoutError, Tensors
from genlab.tools.convert.resnet_layout import BLOCK, resnet_layout
from genlab.tools.convert.unet_layout import OUTERMOST, unet_layout

_KNOWN = (
    "Expected the generator of pytorch-CycleGAN-and-pix2pix, such as latest_net_G.pth: unet_256, unet_128,"
    " resnet_9blocks or resnet_6blocks."
)
_COLORIZATION = (1, 2)


def recognize_layout(tensors: Tensors, path: Path) -> Layout:
    """The layout of a file's state dict.

    Raises:
        GenlabError: it is of another network, or of one that no generator here equals.
    """
    where = str(path)
    if any(key in tensors for key in ("model.0.weight", "net.0.weight")):
        what = "these are the weights of a discriminator, and a run predicts with a generator"
        raise GenlabError(what, where=where, hint="Convert the generator's: latest_net_G.pth, not latest_net_D.pth.")
    try:
        layout = _layout(tensors)
    except KeyError as error:
        raise GenlabError(f"the layer {error.args[0]} is missing", where=where, hint=_KNOWN) from error
    except OtherLayoutError as error:
        raise GenlabError(
            f"it is not a generator as the reference has it: {error}", where=where, hint=_KNOWN
        ) from error
    if layout is None:
        names = ", ".join([*tensors][:3])
        raise GenlabError(f"these weights are of a network that is not known: {names}", where=where, hint=_KNOWN)
    if layout.channels == _COLORIZATION:
        what = "it predicts two channels from one: the colors a and b of Lab from its lightness, which no dataset has"
        raise GenlabError(what, where=where)
    return layout


def _layout(tensors: Tensors) -> Layout | None:
    if any(key.startswith(f"{OUTERMOST}.") for key in tensors):
        return unet_layout(tensors)
    if any(BLOCK.match(key) for key in tensors):
        return resnet_layout(tensors)
    return None
