"""Contrastive unpaired translation for genlab: a method, and the heads that it compares patches by."""

import genlab

genlab_interface = "1.0"


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.method("cut", "genlab_cut.method:CUT")
    registry.network("patch_heads", "genlab_cut.heads:PatchHeads")
