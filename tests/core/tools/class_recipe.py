"""A recipe for a method that predicts classes."""

CLASSES = [
    'input.direction="a_to_b"',
    'method={name="segmentation"}',
    "losses.adversarial=false",
    "losses.l1=false",
    "losses.cross_entropy={}",
    "evaluate.metrics.l1=false",
    "evaluate.metrics.segmentation={}",
]
