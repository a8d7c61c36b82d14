"""Networks of MONAI (https://project-monai.github.io) for genlab: two generators and a discriminator."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.generator("monai_unet", "genlab_monai.unet:UNet")
    registry.generator("monai_segresnet", "genlab_monai.segresnet:SegResNet")
    registry.discriminator("monai_patch", "genlab_monai.patch:Patch")
