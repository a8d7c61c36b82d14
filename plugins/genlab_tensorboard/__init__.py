"""A run's curves and pictures in TensorBoard."""

import genlab


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.listener("tensorboard", "genlab_tensorboard.listener:TensorBoard")
