"""The methods' suite finds what is planted, and lets sound methods through."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from tests.core.testing.conftest import Planted, failures, require_found, unproven
from torch import Tensor

from genlab import Batch, Loss, Method, Outputs, Phase, Predictions, Term, Terms
from genlab.testing import MethodSuite, ToyMethod


class NoHelp(ToyMethod):
    """Does not say what its setting is for."""

    def __init__(self, networks: Any, losses: Any, *, warm_up: int = 100) -> None:
        super().__init__(networks, losses)


class WithoutLosses(ToyMethod):
    """Has its losses within."""

    def __init__(self, networks: Any) -> None:
        super().__init__(networks, {})


class NotConstructed(ToyMethod):
    """Has a constructor that does not call the one it overrides."""

    def __init__(self, networks: Any, losses: Any) -> None:
        self.generator = networks["generator"]


class Critic(ToyMethod):
    """Has a name of its own for a network."""

    roles: ClassVar[tuple[str, ...]] = ("generator", "critic")


class OfLabels(ToyMethod):
    """Has a name of its own for what it predicts."""

    predictions: ClassVar[Predictions] = "labels"


class OnePhaseTwice(ToyMethod):
    """Calls two phases the same."""

    def phases(self) -> Sequence[Phase]:
        return [Phase("step", phase.updates, phase.terms) for phase in super().phases()]


class NoPhases(ToyMethod):
    """Has its losses, and no phases yet."""

    def phases(self) -> Sequence[Phase]:
        return []


class UpdatesNothing(ToyMethod):
    """Computes the discriminator's terms, and forgets what they are for."""

    def phases(self) -> Sequence[Phase]:
        critic, painter = super().phases()
        return [Phase("critic", (), critic.terms), painter]


class ForgottenDiscriminator(ToyMethod):
    """Never trains the discriminator."""

    only = ("generator",)


class OneChannel(ToyMethod):
    """Predicts less than it is asked for."""

    def predict(self, condition: Tensor) -> Tensor:
        return super().predict(condition)[:, :1]


class PredictsAnew(ToyMethod):
    """Adds noise that no seed decides."""

    def predict(self, condition: Tensor) -> Tensor:
        return super().predict(condition + 0.1 * np.random.default_rng().normal())


class WrongSign(ToyMethod):
    """Drives predictions away from their targets."""

    def painter_terms(self, batch: Batch, shared: Outputs) -> Terms:
        terms = super().painter_terms(batch, shared)
        return {**terms, "l1": Term(-terms["l1"].value, 10.0)}


class PlainNumbers(ToyMethod):
    """Gives values, and no terms."""

    def critic_terms(self, batch: Batch, shared: Outputs) -> Terms:
        return {name: term.value for name, term in super().critic_terms(batch, shared).items()}


class OneForward(ToyMethod):
    """Asks the discriminator once for both phases, which then go back the same way."""

    def forward(self, batch: Batch) -> Outputs:
        shared = super().forward(batch)
        return {**shared, "scores": self.networks["discriminator"](batch.condition, shared["prediction"])}

    def critic_terms(self, batch: Batch, shared: Outputs) -> Terms:
        return {"predicted": Term(shared["scores"].square().mean(), 1.0)}

    def painter_terms(self, batch: Batch, shared: Outputs) -> Terms:
        return {"game": Term((shared["scores"] - 1).square().mean(), 1.0)}


class DeviationOfTheBatch(ToyMethod):
    """Compares how images of a batch differ, of which there may be one."""

    def painter_terms(self, batch: Batch, shared: Outputs) -> Terms:
        spread = (shared["prediction"].std(dim=0) - batch.target.std(dim=0)).abs().mean()
        return {**super().painter_terms(batch, shared), "spread": Term(spread, 1.0)}


class DetachedGame(ToyMethod):
    """Detaches the prediction in the wrong phase too."""

    def painter_terms(self, batch: Batch, shared: Outputs) -> Terms:
        scores = self.networks["discriminator"](batch.condition, shared["prediction"].detach())
        return {**super().painter_terms(batch, shared), "game": Term((scores - 1).square().mean(), 1.0)}


class WithoutGradients(ToyMethod):
    """Predicts without gradients, and trains with what it predicts."""

    @torch.no_grad()
    def predict(self, condition: Tensor) -> Tensor:
        return super().predict(condition)


class HelpfulCritic(ToyMethod):
    """Teaches the discriminator that predictions are real, and targets not."""

    def critic_terms(self, batch: Batch, shared: Outputs) -> Terms:
        other = {"prediction": batch.target}
        return super().critic_terms(batch._replace(target=shared["prediction"].detach()), other)


class PlaysAgainstItself(ToyMethod):
    """Minimizes for the generator what the discriminator minimizes."""

    def painter_terms(self, batch: Batch, shared: Outputs) -> Terms:
        judge, adversarial = self.networks["discriminator"], self.losses["adversarial"].loss
        supervised, weight = self.losses["supervised"]
        scores = judge(batch.condition, batch.target), judge(batch.condition, shared["prediction"])
        return {
            "game": Term(adversarial.for_discriminator(*scores), 1.0),
            "l1": Term(supervised(batch.condition, batch.target, shared["prediction"]), weight),
        }


class NoisyTargets(ToyMethod):
    """Adds noise to what the discriminator sees, where it lies."""

    def critic_terms(self, batch: Batch, shared: Outputs) -> Terms:
        batch.target.add_(0.1 * torch.randn_like(batch.target))
        return super().critic_terms(batch, shared)


class StaysInEvaluation(ToyMethod):
    """Evaluates in order to predict, and predicts in order to train."""

    def predict(self, condition: Tensor) -> Tensor:
        self.networks["generator"].eval()
        return super().predict(condition)


class Pool(ToyMethod):
    """Shows the discriminator earlier predictions (Shrivastava et al. 2017), and does not save them."""

    size = 50

    def __init__(self, networks: Any, losses: Any) -> None:
        super().__init__(networks, losses)
        self.images: list[Tensor] = []

    def critic_terms(self, batch: Batch, shared: Outputs) -> Terms:
        shown = [self.exchanged(image) for image in shared["prediction"].detach()]
        return super().critic_terms(batch, {"prediction": torch.stack(shown)})

    def exchanged(self, image: Tensor) -> Tensor:
        if len(self.images) < self.size:
            self.images.append(image)
            return image
        if random.random() < 0.5:
            return image
        index = random.randrange(self.size)
        image, self.images[index] = self.images[index], image
        return image


class WarmingUp(ToyMethod):
    """Counts steps in order to begin gently, and does not save the count."""

    steps = 0

    def painter_terms(self, batch: Batch, shared: Outputs) -> Terms:
        self.steps += 1
        terms = super().painter_terms(batch, shared)
        return {**terms, "game": terms["game"]._replace(weight=min(self.steps / 1000, 1.0))}


class OwnRandomNumbers(ToyMethod):
    """Has a generator of random numbers for itself."""

    def __init__(self, networks: Any, losses: Any) -> None:
        super().__init__(networks, losses)
        self.rng = torch.Generator().manual_seed(0)

    def forward(self, batch: Batch) -> Outputs:
        noise = torch.randn(batch.condition.shape, generator=self.rng)
        return {"prediction": self.predict(batch.condition + 0.1 * noise)}


class Averaged(ToyMethod):
    """Predicts with the running mean of the generator's weights, and does not save it."""

    def __init__(self, networks: Any, losses: Any) -> None:
        super().__init__(networks, losses)
        self.mean = deepcopy(networks["generator"]).eval()

    def forward(self, batch: Batch) -> Outputs:
        generator = self.networks["generator"]
        with torch.no_grad():
            for mean, weight in zip(self.mean.parameters(), generator.parameters(), strict=True):
                mean.lerp_(weight, 0.1)
        return {"prediction": generator(batch.condition)}

    def predict(self, condition: Tensor) -> Tensor:
        return self.mean(condition)


class HashedByTime(ToyMethod):
    """Hashes when it was made."""

    def fingerprint(self) -> str:
        return str(time.time_ns())


class Remembering(ToyMethod):
    """Carries something that makes no difference yet, saves it, and does not take it back."""

    def __init__(self, networks: Any, losses: Any) -> None:
        super().__init__(networks, losses)
        self.usual = torch.zeros(())

    def forward(self, batch: Batch) -> Outputs:
        self.usual = self.usual.lerp(batch.target.mean(), 0.1)
        return super().forward(batch)

    def state(self) -> Mapping[str, Tensor]:
        return {"usual": self.usual}


class NeedsTheGame(ToyMethod):
    """Takes the discriminator for granted, and does not say so."""

    def __init__(self, networks: Any, losses: Any) -> None:
        Method.__init__(self, networks, losses)


_USES = "test_it_uses_networks_that_recipes_have"
_LIKE = "test_a_prediction_is_like_its_target"
_LOWERS = "test_training_lowers_the_loss"
_TERMS = "test_every_term_has_a_part_in_its_update"
_GAME = "test_the_game_is_played"
_ALONE = "test_a_step_changes_weights_alone"
_RESUME = "test_a_resume_is_exact"

PLANTED = [
    Planted(WithoutLosses, "test_a_recipe_can_name_it", "does not take `losses`, which the framework supplies"),
    Planted(NoHelp, "test_settings_have_help", "the docstring says nothing of `warm_up` under `Args:`"),
    Planted(Critic, _USES, "it uses a network `critic`; a recipe has generator and discriminator"),
    Planted(OfLabels, _USES, "predictions is 'labels'"),
    Planted(NotConstructed, _USES, "the constructor of NotConstructed does not call that of genlab.Method"),
    Planted(OnePhaseTwice, _USES, "its phases are called step, step"),
    Planted(NoPhases, _USES, "its phases are called nothing at all"),
    Planted(UpdatesNothing, _USES, "its phases update ['generator'], and it has ['discriminator', 'generator']"),
    Planted(ForgottenDiscriminator, _USES, "its phases update ['generator']"),
    Planted(OneChannel, _LIKE, "its prediction is (2, 1, 32, 32), and the target (2, 3, 32, 32)"),
    Planted(PredictsAnew, _LIKE, "with the same random numbers it predicts something else"),
    Planted(WrongSign, _LOWERS, "after 40 steps the loss is"),
    Planted(PlainNumbers, _LOWERS, "the term critic/real: expected a genlab.Term, got a Tensor"),
    Planted(OneForward, _LOWERS, "backward through the graph a second time"),
    Planted(DeviationOfTheBatch, "test_it_trains_on_a_single_image", "at batch 1, weights are not finite"),
    Planted(DetachedGame, _TERMS, "no gradient of the term painter/game reaches the generator: is it detached?"),
    Planted(WithoutGradients, _TERMS, "no gradient of the term painter/"),
    Planted(HelpfulCritic, _GAME, "alone, the discriminator learns to score predictions higher than targets"),
    Planted(PlaysAgainstItself, _GAME, "alone, the generator learns to be scored lower by the discriminator"),
    Planted(NoisyTargets, _ALONE, "it changes the batch in place"),
    Planted(StaysInEvaluation, _ALONE, "after a step the generator is in evaluation mode"),
    Planted(Pool, _RESUME, "resumed after 40 of 44 steps, `"),
    Planted(WarmingUp, _RESUME, "resumed after 40 of 44 steps, `generator."),
    Planted(OwnRandomNumbers, _RESUME, "resumed after 40 of 44 steps, `generator."),
    Planted(Averaged, _RESUME, "resumed after 40 of 44 steps, it predicts something else than without a pause"),
    Planted(HashedByTime, "test_what_it_loads_has_a_hash", "its fingerprint differs each time"),
    Planted(Remembering, _RESUME, "resumed after 40 of 44 steps, `usual` is not as without a pause"),
    Planted(NeedsTheGame, "test_it_does_without_an_adversarial_loss", "KeyError: 'discriminator'"),
]


@pytest.mark.filterwarnings("ignore:std.*degrees of freedom")
@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_mistake_is_found(planted: Planted) -> None:
    require_found(MethodSuite, planted)


def test_every_test_finds_a_mistake() -> None:
    assert unproven(MethodSuite, PLANTED) == set()


# Sound methods of other kinds


class Supervised(Method):
    """The generator alone, and all losses of the recipe."""

    def forward(self, batch: Batch) -> Outputs:
        return {"prediction": self.predict(batch.condition)}

    def predict(self, condition: Tensor) -> Tensor:
        return self.networks["generator"](condition)

    def phases(self) -> Sequence[Phase]:
        return [Phase("generator", ("generator",), self.terms)]

    def terms(self, batch: Batch, shared: Outputs) -> Terms:
        compared = {name: loss for name, loss in self.losses.items() if isinstance(loss.loss, Loss)}
        return {
            name: Term(loss(batch.condition, batch.target, shared["prediction"]), weight)
            for name, (loss, weight) in compared.items()
        }


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

    size = 4

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


SOUND = [ToyMethod, Supervised, OfClasses, Reporting, Together, SavedPool, SavedMean, Later]


@pytest.mark.parametrize("method", SOUND)
def test_a_sound_one_passes(method: type[Method]) -> None:
    assert failures(MethodSuite, method) == {}


def test_a_toy_may_be_trained_longer() -> None:
    def fail(suite: MethodSuite, *_: Any) -> None:
        raise AssertionError(f"it was to take {suite.steps} steps")

    told = failures(MethodSuite, ToyMethod, steps=7, train=fail)
    assert told["test_training_lowers_the_loss"].startswith("AssertionError: it was to take 7 steps")
