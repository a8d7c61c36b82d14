"""Pairs of images, and images without pairs, from folders, lists of files and Hugging Face."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.dataset("side_by_side", "genlab_images.side_by_side:SideBySide")
    registry.dataset("two_folders", "genlab_images.two_folders:TwoFolders")
    registry.dataset("unpaired_folders", "genlab_images.unpaired_folders:UnpairedFolders")
    registry.dataset("one_folder", "genlab_images.one_folder:OneFolder")
    registry.dataset("file_list", "genlab_images.file_list:FileList")
    registry.dataset("huggingface", "genlab_images.huggingface:HuggingFace")
    registry.dataset("one_side", "genlab_images.one_side:OneSide")
    registry.dataset("labels_from_colors", "genlab_images.labels_from_colors:LabelsFromColors")
    registry.dataset("labels_from_values", "genlab_images.labels_from_values:LabelsFromValues")
    registry.dataset("masks_from_folder", "genlab_images.masks_from_folder:MasksFromFolder")
    registry.dataset("first_available", "genlab_images.first_available:FirstAvailable")
