"""Optimizers, and schedules of their learning rate."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.optimizer("adam", "genlab_optimizers.adam:Adam")
    registry.optimizer("adamw", "genlab_optimizers.adamw:AdamW")
    registry.optimizer("sgd", "genlab_optimizers.sgd:SGD")
    registry.optimizer("rmsprop", "genlab_optimizers.rmsprop:RMSprop")
    registry.optimizer("adafactor", "genlab_optimizers.adafactor:Adafactor")
    registry.schedule("constant", "genlab_optimizers.constant:Constant")
    registry.schedule("linear", "genlab_optimizers.linear:Linear")
    registry.schedule("cosine", "genlab_optimizers.cosine:Cosine")
    registry.schedule("step", "genlab_optimizers.steps:Steps")
