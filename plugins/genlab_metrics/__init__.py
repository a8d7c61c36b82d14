"""Metrics that compare a prediction with its target, or all predictions with all targets."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.metric("l1", "genlab_metrics.l1:L1")
    registry.metric("psnr", "genlab_metrics.psnr:PSNR")
    registry.metric("ssim", "genlab_metrics.ssim:SSIM")
    registry.metric("ms_ssim", "genlab_metrics.ms_ssim:MultiScaleSSIM")
    registry.metric("kid", "genlab_metrics.kid:KID")
    registry.metric("fid", "genlab_metrics.fid:FID")
