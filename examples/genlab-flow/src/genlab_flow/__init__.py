"""Conditional flow matching for genlab."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.method("flow", "genlab_flow.method:Flow")
