"""Pairs of images: from folders, from Hugging Face, and drawn on the spot."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.dataset("side_by_side", "genlab_images.side_by_side:SideBySide")
    registry.dataset("two_folders", "genlab_images.two_folders:TwoFolders")
    registry.dataset("huggingface", "genlab_images.huggingface:HuggingFace")
    registry.dataset("drawn_facades", "genlab_images.drawn_facades:DrawnFacades")
    registry.dataset("labels_from_colors", "genlab_images.labels_from_colors:LabelsFromColors")
    registry.dataset("first_available", "genlab_images.first_available:FirstAvailable")
