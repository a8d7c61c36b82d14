"""The losses do all that genlab asks of losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from genlab import Network
from genlab.testing import AdversarialLossSuite, LossSuite, ObjectiveSuite
from genlab_losses.adversarial import Adversarial
from genlab_losses.feature_matching import FeatureMatching
from genlab_losses.gradient_penalty import GradientPenalty
from genlab_losses.l1 import L1
from genlab_losses.l2 import L2
from genlab_losses.perceptual import Perceptual
from genlab_losses.relativistic import Relativistic
from genlab_losses.relativistic_average import RelativisticAverage
from genlab_losses.zero_centered_penalty import ZeroCenteredPenalty


class TestL1(LossSuite):
    component = L1


class TestL2(LossSuite):
    component = L2


class Edges(Network):
    """The outputs of a convolution, and of one of these."""

    feature_channels = (4, 4)

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)])

    def features(self, *images: Tensor) -> Sequence[Tensor]:
        first = self.layers[0](images[0]).tanh()
        return [first, self.layers[1](first)]


class TestPerceptual(LossSuite):
    component = Perceptual

    def build(self, **supplied: Any) -> Perceptual:
        return Perceptual(network=Edges(), **supplied)


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
