"""The losses do all that genlab asks of losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from genlab.testing import AdversarialLossSuite, LossSuite, ObjectiveSuite
from genlab_losses.adversarial import Adversarial
from genlab_losses.feature_matching import FeatureMatching
from genlab_losses.gradient_penalty import GradientPenalty
from genlab_losses.l1 import L1
from genlab_losses.l2 import L2
from genlab_losses.relativistic import Relativistic
from genlab_losses.relativistic_average import RelativisticAverage
from genlab_losses.zero_centered_penalty import ZeroCenteredPenalty


class TestL1(LossSuite):
    component = L1


class TestL2(LossSuite):
    component = L2


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


class TestRelativistic(AdversarialLossSuite):
    component = Relativistic


class TestRelativisticAverage(AdversarialLossSuite):
    component = RelativisticAverage


class TestGradientPenalty(ObjectiveSuite):
    component = GradientPenalty


class TestR1(ObjectiveSuite):
    component = ZeroCenteredPenalty
    settings: ClassVar[Mapping[str, Any]] = {"images": "target", "every": 16}


class TestR2(ObjectiveSuite):
    component = ZeroCenteredPenalty
    settings: ClassVar[Mapping[str, Any]] = {"images": "prediction"}


class TestFeatureMatching(ObjectiveSuite):
    component = FeatureMatching
