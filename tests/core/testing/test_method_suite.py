"""The methods' suite finds what is planted, and lets sound methods through."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from tests.core.testing.conftest import Planted, failures, require_found, unproven
from torch import Tensor

from genlab import (
    GENERATOR,
    Batch,
    Method,
    Outputs,
    Phase,
    Position,
    Predictions,
    Role,
    StepContext,
    Term,
    Terms,
    generator_terms,
)
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


class OfLabels(ToyMethod):
    """Has a name of its own for what it predicts."""

    predictions: ClassVar[Predictions] = "labels"


class ComparesAll(ToyMethod):
    """Says that it follows masks, and compares all pixels."""

    follows_masks: ClassVar[bool] = True


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


class TrainsItsTeacher(ToyMethod):
    """Updates a network that it says is not trained."""

    roles: ClassVar[Mapping[str, Role]] = {**ToyMethod.roles, "teacher": replace(GENERATOR, trained=False)}

    def phases(self) -> Sequence[Phase]:
        critic, painter = super().phases()
        return [critic, Phase("painter", ("generator", "teacher"), painter.terms)]


class LaterPhases(ToyMethod):
    """Leaves a phase out of later steps, and has no `every`."""

    step = 0

    def begin(self, position: Position) -> None:
        self.step = position.step

    def phases(self) -> Sequence[Phase]:
        return super().phases()[1 if self.step else 0 :]


class OneChannel(ToyMethod):
    """Predicts less than it is asked for."""

    def predict(self, condition: Tensor) -> Tensor:
        return super().predict(condition)[:, :1]


class WithoutBounds(ToyMethod):
    """Takes what the generator gives for an image."""

    def predict(self, condition: Tensor) -> Tensor:
        return 10 * self.networks["generator"](condition)


class OneChannelBack(ToyMethod):
    """Predicts less than it is asked for on the way back."""

    def predict_condition(self, target: Tensor) -> Tensor:
        return target[:, :1]


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
        judge, prediction = self.networks["discriminator"], shared["prediction"]
        real, predicted = judge(batch.condition, batch.target), judge(batch.condition, prediction)
        game = (real - 1).square().mean() + predicted.square().mean()
        supervised = {"supervised": self.losses["supervised"]}
        return {"game": Term(game, 1.0), **generator_terms(supervised, StepContext(batch, prediction))}


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

    remembers_images = True
    size = 50

    def __init__(self, networks: Any, losses: Any) -> None:
        super().__init__(networks, losses)
        self.images: list[Tensor] = []

    def critic_terms(self, batch: Batch, shared: Outputs) -> Terms:
        images = shared["prediction"].detach()
        places = (batch.draws.uniform("pool", images) * 2 * self.size).long().tolist()
        shown = [self.exchanged(image, place) for image, place in zip(images, places, strict=True)]
        return super().critic_terms(batch, {"prediction": torch.stack(shown)})

    def exchanged(self, image: Tensor, place: int) -> Tensor:
        if len(self.images) < self.size:
            self.images.append(image)
        elif place < self.size:
            image, self.images[place] = self.images[place], image
        return image


class WarmingUp(ToyMethod):
    """Counts steps in order to begin gently, and does not save the count."""

    steps = 0

    def painter_terms(self, batch: Batch, shared: Outputs) -> Terms:
        self.steps += 1
        terms = super().painter_terms(batch, shared)
        return {**terms, "game": terms["game"]._replace(weight=min(self.steps / 1000, 1.0))}


class WeightAtFirst(ToyMethod):
    """Takes the weights of losses when it is constructed."""

    def __init__(self, networks: Any, losses: Any) -> None:
        super().__init__(networks, losses)
        self.weight = losses["supervised"].weight.at(Position())

    def painter_terms(self, batch: Batch, shared: Outputs) -> Terms:
        terms = super().painter_terms(batch, shared)
        return {**terms, "l1": terms["l1"]._replace(weight=self.weight)}


class NoiseOfTheProcess(ToyMethod):
    """Adds noise that the process draws, which would be the same on each device."""

    def forward(self, batch: Batch) -> Outputs:
        return {"prediction": self.predict(batch.condition + 0.1 * torch.randn_like(batch.condition))}


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


class SilentPool(Pool):
    """Saves its images, and does not say that there are any."""

    remembers_images = False

    def state(self) -> Mapping[str, Tensor]:
        return {f"image {number}": image for number, image in enumerate(self.images)}


class AsksByWord(ToyMethod):
    """Says what it wants in words of its own."""

    def request(self) -> Any:
        return "stop"


class NeedsTheGame(ToyMethod):
    """Takes the discriminator for granted, and does not say so."""

    def __init__(self, networks: Any, losses: Any) -> None:
        Method.__init__(self, networks, losses)


_UPDATES = "test_its_phases_update_its_networks"
_LIKE = "test_a_prediction_is_like_its_target"
_BACK = "test_the_way_back_is_like_its_condition"
_WEIGHT = "test_a_weight_may_change"
_DRAWS = "test_it_draws_by_sample"
_MASKS = "test_it_follows_masks_if_it_says_so"
_LOWERS = "test_training_lowers_the_loss"
_TERMS = "test_every_term_has_a_part_in_its_update"
_GAME = "test_the_game_is_played"
_ALONE = "test_a_step_changes_weights_alone"
_RESUME = "test_a_resume_is_exact"

PLANTED = [
    Planted(WithoutLosses, "test_a_recipe_can_name_it", "does not take `losses`, which the framework supplies"),
    Planted(NoHelp, "test_settings_have_help", "the docstring says nothing of `warm_up` under `Args:`"),
    Planted(OfLabels, _UPDATES, "predictions is 'labels'"),
    Planted(NotConstructed, _UPDATES, "the constructor of NotConstructed does not call that of genlab.Method"),
    Planted(OnePhaseTwice, _UPDATES, "its phases are called step, step"),
    Planted(NoPhases, _UPDATES, "its phases are called nothing at all"),
    Planted(UpdatesNothing, _UPDATES, 'the phase "critic" updates no network'),
    Planted(ForgottenDiscriminator, _UPDATES, "its phases update ['generator']"),
    Planted(TrainsItsTeacher, _UPDATES, "'teacher'], and the trained ones are ['discriminator', 'generator']"),
    Planted(LaterPhases, _UPDATES, "its phases are others later on"),
    Planted(OneChannel, _LIKE, "its prediction is (2, 1, 32, 32), and the target (2, 3, 32, 32)"),
    Planted(WithoutBounds, _LIKE, "and images are in [-1, 1]: end with a tanh, or clamp"),
    Planted(OneChannelBack, _BACK, "predict_condition gives (2, 1, 32, 32), and the condition is (2, 3, 32, 32)"),
    Planted(WeightAtFirst, _WEIGHT, "that changes from 10 to 20 counts as 10 at the end"),
    Planted(NoiseOfTheProcess, _DRAWS, "the term critic/predicted depends on random numbers that are not those of"),
    Planted(PredictsAnew, _LIKE, "with the same random numbers it predicts something else"),
    Planted(WrongSign, _LOWERS, "after 40 steps the loss is"),
    Planted(PlainNumbers, _LOWERS, "the term critic/real: expected a genlab.Term, got a Tensor"),
    Planted(OneForward, _LOWERS, "backward through the graph a second time"),
    Planted(DeviationOfTheBatch, "test_it_trains_on_a_single_image", "at batch 1, weights are not finite"),
    Planted(DetachedGame, _TERMS, "no gradient of the term painter/game reaches the generator: is it detached?"),
    Planted(WithoutGradients, _TERMS, "no gradient of the term painter/"),
    Planted(HelpfulCritic, _GAME, "alone, the discriminator learns to score predictions higher than targets"),
    Planted(PlaysAgainstItself, _GAME, "alone, the generator learns to be scored lower by the discriminator"),
    Planted(AsksByWord, "test_it_asks_for_what_there_is", "its request() gave 'stop'; expected None, genlab.StopTr"),
    Planted(NoisyTargets, _ALONE, "it changes the batch in place"),
    Planted(StaysInEvaluation, _ALONE, "after a step the generator is in evaluation mode"),
    Planted(Pool, _RESUME, "resumed after 40 of 44 steps, `"),
    Planted(WarmingUp, _RESUME, "resumed after 40 of 44 steps, `generator."),
    Planted(OwnRandomNumbers, _RESUME, "resumed after 40 of 44 steps, `generator."),
    Planted(Averaged, _RESUME, "resumed after 40 of 44 steps, it predicts something else than without a pause"),
    Planted(HashedByTime, "test_what_it_loads_has_a_hash", "its fingerprint differs each time"),
    Planted(Remembering, _RESUME, "resumed after 40 of 44 steps, `usual` is not as without a pause"),
    Planted(ComparesAll, _MASKS, "where no pixel counts, the term critic/predicted depends on what the generator"),
    Planted(SilentPool, "test_it_says_whether_it_remembers_images", "say remembers_images = True in the class"),
    Planted(NeedsTheGame, "test_it_does_without_an_adversarial_loss", "KeyError: 'discriminator'"),
]


@pytest.mark.filterwarnings("ignore:std.*degrees of freedom")
@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_mistake_is_found(planted: Planted) -> None:
    require_found(MethodSuite, planted)


def test_every_test_finds_a_mistake() -> None:
    assert unproven(MethodSuite, PLANTED) == set()


def test_a_toy_may_be_trained_longer() -> None:
    def fail(suite: MethodSuite, *_: Any) -> None:
        raise AssertionError(f"it was to take {suite.steps} steps")

    told = failures(MethodSuite, ToyMethod, steps=7, train=fail)
    assert told["test_training_lowers_the_loss"].startswith("AssertionError: it was to take 7 steps")
