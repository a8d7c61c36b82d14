"""The optimizer Lion."""

import genlab

genlab_interface = "1.0"
"""The version of genlab's interface that this plugin is made for."""


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.optimizer("lion", "genlab_lion.lion:Lion")
