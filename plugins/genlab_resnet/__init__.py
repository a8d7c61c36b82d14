"""The residual generator of Johnson et al. 2016, as CycleGAN uses it and for super-resolution."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.generator("resnet", "genlab_resnet.resnet:ResNet")
