"""Labels from photos: a second method, and with it a judge of generated photos."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.method("segmentation", "genlab_segmentation.method:Segmentation")
    registry.loss("cross_entropy", "genlab_segmentation.cross_entropy:CrossEntropy")
    registry.metric("segmentation", "genlab_segmentation.metric:SegmentationScores")
    registry.metric("label_recovery", "genlab_segmentation.label_recovery:LabelRecovery")
