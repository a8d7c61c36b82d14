"""A discriminator of several scales, and the objective that matches its features."""

import genlab

genlab_interface = "1.0"
"""The version of genlab's interface that this plugin is made for."""


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.discriminator("pyramid", "genlab_multiscale.pyramid:Pyramid")
    registry.loss("feature_distance", "genlab_multiscale.feature_distance:FeatureDistance")
