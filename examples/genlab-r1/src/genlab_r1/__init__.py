"""A lazy R1 penalty."""

import genlab

genlab_interface = "1.0"
"""The version of genlab's interface that this plugin is made for."""


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.loss("lazy_r1", "genlab_r1.penalty:R1")
