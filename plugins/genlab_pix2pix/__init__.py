"""Image-to-image translation with a conditional GAN (Isola et al. 2017): U-Net, PatchGAN and the method."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.generator("unet", "genlab_pix2pix.unet:UNet")
    registry.generator("encoder_decoder", "genlab_pix2pix.unet:UNet", skips=False)
    registry.discriminator("patchgan", "genlab_pix2pix.patchgan:PatchGAN")
    registry.discriminator("multiscale", "genlab_pix2pix.multiscale:Multiscale")
    registry.method("pix2pix", "genlab_pix2pix.method:Pix2Pix")
