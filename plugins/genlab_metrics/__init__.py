"""Metrics that compare a prediction with its target."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.metric("l1", "genlab_metrics.l1:L1")
    registry.metric("psnr", "genlab_metrics.psnr:PSNR")
    registry.metric("ssim", "genlab_metrics.ssim:SSIM")
