"""Pairs of images, images without pairs, and pairs made from single images: folders, lists of files, Hugging Face."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.dataset("side_by_side", "genlab_images.side_by_side:SideBySide")
    registry.dataset("two_folders", "genlab_images.two_folders:TwoFolders")
    registry.dataset("unpaired_folders", "genlab_images.unpaired_folders:UnpairedFolders")
    registry.dataset("one_folder", "genlab_images.one_folder:OneFolder")
    registry.dataset("image_folder", "genlab_images.image_folder:FolderOfImages")
    registry.dataset("file_list", "genlab_images.file_list:FileList")
    registry.dataset("huggingface", "genlab_images.huggingface:HuggingFace")
    registry.dataset("one_side", "genlab_images.one_side:OneSide")
    registry.dataset("gray", "genlab_images.gray:Gray")
    registry.dataset("edges", "genlab_images.edges:Edges")
    registry.dataset("holes", "genlab_images.holes:Holes")
    registry.dataset("low_resolution", "genlab_images.low_resolution:LowResolution")
    registry.dataset("noise", "genlab_images.noise:Noise")
    registry.dataset("labels_from_colors", "genlab_images.labels_from_colors:LabelsFromColors")
    registry.dataset("labels_from_values", "genlab_images.labels_from_values:LabelsFromValues")
    registry.dataset("masks_from_folder", "genlab_images.masks_from_folder:MasksFromFolder")
    registry.dataset("first_available", "genlab_images.first_available:FirstAvailable")
