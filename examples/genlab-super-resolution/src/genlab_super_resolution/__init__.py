"""A network that enlarges images, and pairs of a small and a large version to train it on."""

import genlab

genlab_interface = "1.0"
"""The version of genlab's interface that this plugin is made for."""


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.generator("espcn", "genlab_super_resolution.espcn:ESPCN")
    registry.dataset("small_and_large", "genlab_super_resolution.small_and_large:SmallAndLarge")
