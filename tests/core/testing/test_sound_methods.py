"""The methods' suite lets sound methods of many kinds through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest
import torch
from tests.core.testing.conftest import failures
from tests.core.testing.test_method_suite import Averaged, Pool
from torch import Tensor

from genlab import (
    GENERATOR,
    Batch,
    Loss,
    Method,
    Outputs,
    Phase,
    Predictions,
    Role,
    StepContext,
    Term,
    Terms,
    generator_terms,
)
from genlab.testing import MethodSuite, ToyMethod


class Supervised(Method):
    """The generator alone, and all losses of the recipe."""

    def forward(self, batch: Batch) -> Outputs:
        return {"prediction": self.predict(batch.condition)}

    def predict(self, condition: Tensor) -> Tensor:
        return self.networks["generator"](condition).tanh()

    def phases(self) -> Sequence[Phase]:
        return [Phase("generator", ("generator",), self.terms)]

    def terms(self, batch: Batch, shared: Outputs) -> Terms:
        compared = {name: loss for name, loss in self.losses.items() if isinstance(loss.loss, Loss)}
        return generator_terms(compared, StepContext(batch, shared["prediction"]))


class OfClasses(Supervised):
    """Learns to read labels."""

    predictions: ClassVar[Predictions] = "classes"


class Reporting(Supervised):
    """Reports a figure that is not minimized."""

    def terms(self, batch: Batch, shared: Outputs) -> Terms:
        largest = (shared["prediction"] - batch.target).abs().max().detach()
        return {**super().terms(batch, shared), "largest": Term(largest, 0.0)}


class Together(ToyMethod):
    """Updates both networks in one phase, each by its own terms, with scores that have no bounds."""

    def phases(self) -> Sequence[Phase]:
        return [Phase("both", ("discriminator", "generator"), self.both_terms)]

    def both_terms(self, batch: Batch, shared: Outputs) -> Terms:
        judge, prediction = self.networks["discriminator"], shared["prediction"]
        margin = judge(batch.condition, prediction.detach()).mean() - judge(batch.condition, batch.target).mean()
        return {"margin": Term(margin, 1.0), "l1": self.painter_terms(batch, shared)["l1"]}


class SavedPool(Pool):
    """The same, and it saves its images."""

    def state(self) -> Mapping[str, Tensor]:
        return {f"image {number}": image for number, image in enumerate(self.images)}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        self.images = [state[f"image {number}"] for number in range(len(state))]


class SavedMean(Averaged):
    """The same, and it saves the mean."""

    def state(self) -> Mapping[str, Tensor]:
        return self.mean.state_dict()

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        self.mean.load_state_dict(dict(state))


class Later(ToyMethod):
    """Begins the game after a while, and does without if there is nobody to play it with."""

    start = 1000

    def __init__(self, networks: Any, losses: Any) -> None:
        Method.__init__(self, networks, losses)
        self.steps = torch.zeros((), dtype=torch.int64)

    def forward(self, batch: Batch) -> Outputs:
        self.steps += 1
        return super().forward(batch)

    def phases(self) -> Sequence[Phase]:
        return super().phases() if "discriminator" in self.networks else super().phases()[1:]

    def critic_terms(self, batch: Batch, shared: Outputs) -> Terms:
        return self.begun(super().critic_terms(batch, shared))

    def painter_terms(self, batch: Batch, shared: Outputs) -> Terms:
        distance = Term((shared["prediction"] - batch.target).abs().mean(), 10.0)
        if "discriminator" not in self.networks:
            return {"l1": distance}
        return {**self.begun(super().painter_terms(batch, shared)), "l1": distance}

    def begun(self, terms: Terms) -> Terms:
        is_begun = bool(self.steps > self.start)
        return {name: term._replace(weight=term.weight * is_begun) for name, term in terms.items()}

    def state(self) -> Mapping[str, Tensor]:
        return {"steps": self.steps}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        self.steps = state["steps"]


class Seldom(ToyMethod):
    """Updates the discriminator at each other step, twice, each time with another batch."""

    def phases(self) -> Sequence[Phase]:
        critic, painter = super().phases()
        return [replace(critic, every=2, repeats=2, fresh=True), painter]


class MeanOfWeights(ToyMethod):
    """Predicts with a running mean of weights, which is a network that is not trained."""

    roles: ClassVar[Mapping[str, Role]] = {
        **ToyMethod.roles,
        "mean": replace(GENERATOR, like="generator", trained=False),
    }

    def forward(self, batch: Batch) -> Outputs:
        return {"prediction": self.networks["generator"](batch.condition).tanh()}

    def predict(self, condition: Tensor) -> Tensor:
        return self.networks["mean"](condition).tanh()

    def updated(self, roles: Sequence[str]) -> None:
        if "generator" in roles:
            mean, trained = (self.networks[name].parameters() for name in ("mean", "generator"))
            for average, weight in zip(mean, trained, strict=True):
                average.lerp_(weight, 0.1)


class NoisyCondition(Supervised):
    """Adds noise of the batch's own."""

    def forward(self, batch: Batch) -> Outputs:
        return {"prediction": self.predict(batch.condition + 0.1 * batch.draws.normal("noise", batch.condition))}


class BothWays(Supervised):
    """Learns the way back too, and from images that are no pairs: that a condition comes back."""

    roles: ClassVar[Mapping[str, Role]] = {
        "generator": GENERATOR,
        "back": Role("generator", reads=("target",), gives="condition", like="generator"),
    }
    needs_pairs = False

    def predict_condition(self, target: Tensor) -> Tensor:
        return self.networks["back"](target).tanh()

    def phases(self) -> Sequence[Phase]:
        return [Phase("generators", ("generator", "back"), self.terms)]

    def terms(self, batch: Batch, shared: Outputs) -> Terms:
        there = shared["prediction"]
        returned = Batch(there, batch.condition, batch.position, batch.draws)
        compared = {name: loss for name, loss in self.losses.items() if isinstance(loss.loss, Loss)}
        return generator_terms(compared, StepContext(returned, self.predict_condition(there)))


class Contrasting(ToyMethod):
    """Keeps what a network makes of its generator's features."""

    roles: ClassVar[Mapping[str, Role]] = {**ToyMethod.roles, "heads": Role("network", reads=("generator",))}

    def phases(self) -> Sequence[Phase]:
        critic, painter = super().phases()
        return [critic, replace(painter, updates=("generator", "heads"))]

    def painter_terms(self, batch: Batch, shared: Outputs) -> Terms:
        heads, features = self.networks["heads"], self.networks["generator"].features
        after, before = (heads(*features(image)) for image in (shared["prediction"], batch.condition))
        return {**super().painter_terms(batch, shared), "kept": Term((after - before).square().mean(), 0.1)}


SOUND = [
    ToyMethod,
    Supervised,
    OfClasses,
    Reporting,
    Together,
    SavedPool,
    SavedMean,
    Later,
    Seldom,
    MeanOfWeights,
    NoisyCondition,
    BothWays,
    Contrasting,
]


@pytest.mark.parametrize("method", SOUND)
def test_a_sound_one_passes(method: type[Method]) -> None:
    assert failures(MethodSuite, method) == {}
