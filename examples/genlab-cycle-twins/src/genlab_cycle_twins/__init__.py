"""A cycle-consistent method for genlab: its way back has networks of its own."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.method("cycle_twins", "genlab_cycle_twins.method:CycleTwins")
