"""The networks and the method of pix2pix do all that genlab asks of their kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from genlab.testing import DiscriminatorSuite, GeneratorSuite, MethodSuite
from genlab_pix2pix.method import Pix2Pix
from genlab_pix2pix.multiscale import Multiscale
from genlab_pix2pix.patchgan import PatchGAN
from genlab_pix2pix.unet import UNet


class TestUNet(GeneratorSuite):
    component = UNet
    settings: ClassVar[Mapping[str, Any]] = {"levels": 5, "channels": 4}


class TestUNetWithSomeSkips(GeneratorSuite):
    component = UNet
    settings: ClassVar[Mapping[str, Any]] = {"levels": 4, "channels": 4, "skips": [1, 3], "norm": "instance"}


class TestUNetWithoutNorm(GeneratorSuite):
    component = UNet
    settings: ClassVar[Mapping[str, Any]] = {"levels": 2, "channels": 4, "norm": "none", "dropout_blocks": []}


class TestUNetWithTime(GeneratorSuite):
    component = UNet
    settings: ClassVar[Mapping[str, Any]] = {"levels": 3, "channels": 4, "time": True}


class TestEncoderDecoder(GeneratorSuite):
    component = UNet
    settings: ClassVar[Mapping[str, Any]] = {"levels": 5, "channels": 4, "skips": False}


class TestPatchGAN(DiscriminatorSuite):
    component = PatchGAN
    settings: ClassVar[Mapping[str, Any]] = {"channels": 4}


class TestPixelGAN(DiscriminatorSuite):
    component = PatchGAN
    settings: ClassVar[Mapping[str, Any]] = {"channels": 4, "receptive_field": 1}


class TestSmallPatchGAN(DiscriminatorSuite):
    component = PatchGAN
    settings: ClassVar[Mapping[str, Any]] = {"channels": 4, "receptive_field": 16, "norm": "instance"}


class TestMiddlePatchGAN(DiscriminatorSuite):
    component = PatchGAN
    settings: ClassVar[Mapping[str, Any]] = {"channels": 4, "receptive_field": 34, "norm": "none"}


class TestUnconditionalPatchGAN(DiscriminatorSuite):
    component = PatchGAN
    settings: ClassVar[Mapping[str, Any]] = {"channels": 4, "receptive_field": 34, "conditional": False}


class TestLargePatchGAN(DiscriminatorSuite):
    component = PatchGAN
    settings: ClassVar[Mapping[str, Any]] = {"channels": 1, "receptive_field": 142}


class TestImageGAN(DiscriminatorSuite):
    component = PatchGAN
    settings: ClassVar[Mapping[str, Any]] = {"channels": 1, "receptive_field": 286}


class TestSpectralPatchGAN(DiscriminatorSuite):
    component = PatchGAN
    settings: ClassVar[Mapping[str, Any]] = {"channels": 4, "receptive_field": 16, "spectral_norm": True}


class TestMultiscale(DiscriminatorSuite):
    component = Multiscale
    settings: ClassVar[Mapping[str, Any]] = {"channels": 4, "receptive_field": 1, "scales": 2}


class TestPix2Pix(MethodSuite):
    component = Pix2Pix
