"""Unpaired image-to-image translation with cycle consistency (Zhu et al. 2017)."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.method("cyclegan", "genlab_cyclegan.method:CycleGAN")
