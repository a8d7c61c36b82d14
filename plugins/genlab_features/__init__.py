"""Networks whose features losses and metrics compare, from a file or a run of one's own, and LPIPS."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.network("vgg", "genlab_features.vgg:VGG")
    registry.network("inception_fid", "genlab_features.inception_fid:InceptionFID")
    registry.network("trained_run", "genlab_features.trained_run:TrainedRun")
    registry.metric("lpips", "genlab_features.lpips:LPIPS")
