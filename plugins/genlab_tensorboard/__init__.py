"""TensorBoard listener: curves and pictures of a run."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.listener("tensorboard", "genlab_tensorboard.listener:TensorBoard")
