r"""Facades drawn on the spot: pairs of a photo and its label map.

    dice -> plan -> Building -> labels      the twelve classes
                           \--> photo       colors and depth on a canvas, then material, light and camera

Lengths are in units of the picture's side, so the same building can be drawn at any size.
"""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.dataset("drawn_facades", "genlab_facades.drawn_facades:DrawnFacades")
