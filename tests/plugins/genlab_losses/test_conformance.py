"""The losses do all that genlab asks of losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from genlab.testing import AdversarialLossSuite, LossSuite
from genlab_losses.adversarial import Adversarial
from genlab_losses.l1 import L1


class TestL1(LossSuite):
    component = L1


class TestAdversarial(AdversarialLossSuite):
    component = Adversarial


class TestLeastSquares(AdversarialLossSuite):
    component = Adversarial
    settings: ClassVar[Mapping[str, Any]] = {"objective": "lsgan"}


class TestHinge(AdversarialLossSuite):
    component = Adversarial
    settings: ClassVar[Mapping[str, Any]] = {"objective": "hinge"}


class TestWasserstein(AdversarialLossSuite):
    component = Adversarial
    settings: ClassVar[Mapping[str, Any]] = {"objective": "wgan"}
