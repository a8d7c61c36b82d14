"""The augmentations do all that genlab asks of augmentations."""

from __future__ import annotations

from typing import Any, ClassVar

from genlab.testing import AugmentationSuite
from genlab_augment.affine import Affine
from genlab_augment.color import ColorJitter
from genlab_augment.d4 import D4
from genlab_augment.flip import Flip
from genlab_augment.jitter import Jitter


class TestJitter(AugmentationSuite):
    component = Jitter


class TestFlip(AugmentationSuite):
    component = Flip


class TestD4(AugmentationSuite):
    component = D4


class TestAffine(AugmentationSuite):
    component = Affine


class TestFarAffine(AugmentationSuite):
    component = Affine
    settings: ClassVar[dict[str, Any]] = {"rotation": 180.0, "scale": 0.5, "shift": 0.3}


class TestColorJitter(AugmentationSuite):
    component = ColorJitter


class TestColorJitterOfTargets(AugmentationSuite):
    component = ColorJitter
    settings: ClassVar[dict[str, Any]] = {"side": "target", "brightness": 0.5, "contrast": 0.9}
