"""Networks whose features a loss compares: VGG with weights from a file, and a trained run of one's own."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.network("vgg", "genlab_features.vgg:VGG")
    registry.network("trained_run", "genlab_features.trained_run:TrainedRun")
