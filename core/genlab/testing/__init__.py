"""Conformance tests for authors of plugins: suites to subclass, and toy components to train with.

    from genlab.testing import GeneratorSuite
    from genlab_mine.net import Mine

    class TestMine(GeneratorSuite):
        component = Mine

pytest finds the tests of the suite there. `gen plugins check` runs the same, without pytest.
"""

from genlab.testing.adversarial_loss import AdversarialLossSuite as AdversarialLossSuite
from genlab.testing.augmentation import AugmentationSuite as AugmentationSuite
from genlab.testing.dataset import DatasetSuite as DatasetSuite
from genlab.testing.discriminator import DiscriminatorSuite as DiscriminatorSuite
from genlab.testing.generator import GeneratorSuite as GeneratorSuite
from genlab.testing.listener import ListenerSuite as ListenerSuite
from genlab.testing.loss import LossSuite as LossSuite
from genlab.testing.method import MethodSuite as MethodSuite
from genlab.testing.metric import MetricSuite as MetricSuite
from genlab.testing.network import NetworkSuite as NetworkSuite
from genlab.testing.objective import ObjectiveSuite as ObjectiveSuite
from genlab.testing.optimizer import OptimizerSuite as OptimizerSuite
from genlab.testing.schedule import ScheduleSuite as ScheduleSuite
from genlab.testing.suite import Suite as Suite
from genlab.testing.toys import (
    MemoryPairs as MemoryPairs,
    Recorder as Recorder,
    ToyAdversarialLoss as ToyAdversarialLoss,
    ToyDiscriminator as ToyDiscriminator,
    ToyGenerator as ToyGenerator,
    ToyLoss as ToyLoss,
    ToyMethod as ToyMethod,
    ToyMetric as ToyMetric,
    ToyNetwork as ToyNetwork,
)

__all__ = [
    "AdversarialLossSuite",
    "AugmentationSuite",
    "DatasetSuite",
    "DiscriminatorSuite",
    "GeneratorSuite",
    "ListenerSuite",
    "LossSuite",
    "MemoryPairs",
    "MethodSuite",
    "MetricSuite",
    "NetworkSuite",
    "ObjectiveSuite",
    "OptimizerSuite",
    "Recorder",
    "ScheduleSuite",
    "Suite",
    "ToyAdversarialLoss",
    "ToyDiscriminator",
    "ToyGenerator",
    "ToyLoss",
    "ToyMethod",
    "ToyMetric",
    "ToyNetwork",
]
