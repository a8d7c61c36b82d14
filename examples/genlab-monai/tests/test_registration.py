"""What the package registers, and what that costs."""

from __future__ import annotations

import subprocess
import sys

import genlab

import genlab_monai


def test_it_registers_two_generators_and_a_discriminator() -> None:
    registry = genlab.Registry()
    genlab_monai.genlab_register(registry)
    names = [(entry.kind.name, entry.name) for entry in registry.registrations]
    assert names == [("generator", "monai_unet"), ("generator", "monai_segresnet"), ("discriminator", "monai_patch")]


def test_importing_it_imports_neither_torch_nor_monai() -> None:
    code = "import genlab_monai, sys; print([name for name in ('torch', 'monai') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
