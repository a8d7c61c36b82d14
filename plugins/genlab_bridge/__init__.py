"""Bridges from condition to target: a method that samples one of several valid answers."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.method("bridge", "genlab_bridge.method:Bridge")
