"""Losses that many methods use."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.loss("adversarial", "genlab_losses.adversarial:Adversarial")
    registry.loss("l1", "genlab_losses.l1:L1")
