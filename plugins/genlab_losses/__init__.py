"""Losses that many methods use."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.loss("adversarial", "genlab_losses.adversarial:Adversarial")
    registry.loss("relativistic", "genlab_losses.relativistic:Relativistic")
    registry.loss("relativistic_average", "genlab_losses.relativistic_average:RelativisticAverage")
    registry.loss("gradient_penalty", "genlab_losses.gradient_penalty:GradientPenalty")
    registry.loss("r1", "genlab_losses.zero_centered_penalty:ZeroCenteredPenalty", images="target")
    registry.loss("r2", "genlab_losses.zero_centered_penalty:ZeroCenteredPenalty", images="prediction")
    registry.loss("feature_matching", "genlab_losses.feature_matching:FeatureMatching")
    registry.loss("perceptual", "genlab_losses.perceptual:Perceptual")
    registry.loss("l1", "genlab_losses.l1:L1")
    registry.loss("l2", "genlab_losses.l2:L2")
