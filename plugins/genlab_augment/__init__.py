"""Augmentations: random crops, flips, turns, small affine maps, and colors."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.augmentation("jitter", "genlab_augment.jitter:Jitter")
    registry.augmentation("flip", "genlab_augment.flip:Flip")
    registry.augmentation("d4", "genlab_augment.d4:D4")
    registry.augmentation("affine", "genlab_augment.affine:Affine")
    registry.augmentation("color", "genlab_augment.color:ColorJitter")
