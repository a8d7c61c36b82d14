"""The suite of objectives finds what is planted, and lets sound ones through."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
from tests.core.testing.conftest import Planted, failures, require_found, unproven
from torch import Tensor

from genlab import Objective, StepContext
from genlab.testing import ObjectiveSuite


class Penalty(Objective):
    """Mean squared gradient of the scores of real images (Mescheder et al. 2018, equation 9)."""

    side = "discriminator"

    def forward(self, step: StepContext) -> Tensor:
        return self.of(step, step.target.detach().requires_grad_())

    def of(self, step: StepContext, image: Tensor) -> Tensor:
        """The penalty where an image is."""
        return torch.stack([self.squared(scores, image) for scores in step.score(image)]).mean()

    def squared(self, scores: Tensor, image: Tensor) -> Tensor:
        """The squared norm of the gradient of a map's mean, averaged over images."""
        total = scores.mean(dim=(1, 2, 3)).sum()
        (gradient,) = torch.autograd.grad(total, image, create_graph=True)
        return gradient.square().sum(dim=(1, 2, 3)).mean()


class Matching(Objective):
    """Mean absolute difference of the discriminator's features."""

    needs_features = True

    def forward(self, step: StepContext) -> Tensor:
        pairs = zip(step.features(step.prediction), step.features(step.target), strict=True)
        return torch.stack([(made - real.detach()).abs().mean() for made, real in pairs]).mean()


class Smoothness(Objective):
    """Mean absolute difference of neighbors in the prediction, which needs no discriminator."""

    needs_discriminator = False

    def forward(self, step: StepContext) -> Tensor:
        return step.prediction.diff(dim=-1).abs().mean()


class NoHelp(Penalty):
    """Does not say what its setting is for."""

    def __init__(self, *, every: int = 1) -> None:
        super().__init__()
        self.every = every


class Untyped(Penalty):
    """Does not say of which type its setting is."""

    def __init__(self, *, gamma=10.0) -> None:
        super().__init__()


class Critic(Penalty):
    """Calls its side as a paper does."""

    side = "critic"


class Never(Penalty):
    """Is computed at no step."""

    every = 0


class AloneAndWithFeatures(Matching):
    """Needs features of nothing."""

    needs_discriminator = False


class Inquisitive(Matching):
    """Does not say that it needs features."""

    needs_features = False


class Silent(Penalty):
    """Does not say that it needs a discriminator."""

    side = "generator"
    needs_discriminator = False


class NumberForAHash(Smoothness):
    """Gives a number for a hash."""

    def fingerprint(self) -> str:
        return 17


class EachImage(Smoothness):
    """Gives a value for each image."""

    def forward(self, step: StepContext) -> Tensor:
        return step.prediction.diff(dim=-1).abs().mean(dim=(1, 2, 3))


class Interpolating(Penalty):
    """Draws between the images from PyTorch's own random numbers."""

    def forward(self, step: StepContext) -> Tensor:
        shares = torch.rand(len(step.target), 1, 1, 1)
        return self.of(step, torch.lerp(step.target, step.prediction, shares).detach().requires_grad_())


class ByGlobalNoise(Interpolating):
    """Draws from random numbers that are seeded, and not by the step."""

    def forward(self, step: StepContext) -> Tensor:
        with torch.random.fork_rng([]):
            return super().forward(step)


class HiddenMean(Smoothness):
    """Gathers a mean in an attribute that is no buffer."""

    mean = 0.0

    def forward(self, step: StepContext) -> Tensor:
        value = super().forward(step)
        self.mean = 0.9 * self.mean + 0.1 * value.item()
        return value - self.mean


class SilentMean(Smoothness):
    """Gathers a mean in a buffer, and does not say so."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))

    def forward(self, step: StepContext) -> Tensor:
        value = super().forward(step)
        before = self.mean.clone()
        self.mean.lerp_(value.detach().float(), 0.1)
        return value - before


class FirstOrder(Penalty):
    """Does not keep the graph of the gradient."""

    def squared(self, scores: Tensor, image: Tensor) -> Tensor:
        (gradient,) = torch.autograd.grad(scores.sum(), image, retain_graph=True)
        return gradient.square().mean()


class DetachedPrediction(Matching):
    """Detaches the wrong side."""

    def forward(self, step: StepContext) -> Tensor:
        pairs = zip(step.features(step.prediction), step.features(step.target), strict=True)
        return torch.stack([(made.detach() - real).abs().mean() for made, real in pairs]).mean()


class Negative(Matching):
    """Has the wrong sign for a value that is counted from another."""

    def forward(self, step: StepContext) -> Tensor:
        value = super().forward(step)
        return 2 * value.detach() - value


class FirstMap(Penalty):
    """Looks at the first map of scores alone."""

    def of(self, step: StepContext, image: Tensor) -> Tensor:
        return self.squared(step.score(image)[0], image)


class OverTheBatch(Penalty):
    """Adds up over the batch."""

    def of(self, step: StepContext, image: Tensor) -> Tensor:
        return len(image) * super().of(step, image)


class RootOfTheBatch(Smoothness):
    """Takes one root for the whole batch."""

    def forward(self, step: StepContext) -> Tensor:
        return (step.prediction.diff(dim=-1).square().mean() + 1e-6).sqrt()


class OnTheImageItself(Penalty):
    """Asks for the gradient by the step's own image."""

    def forward(self, step: StepContext) -> Tensor:
        return self.of(step, step.target.requires_grad_())


class InPlace(Smoothness):
    """Subtracts where the prediction lies."""

    def forward(self, step: StepContext) -> Tensor:
        step.prediction.data.sub_(step.target)
        return super().forward(step)


class GradientsLeft(Penalty):
    """Computes the gradient by a backward pass, which leaves those of the weights."""

    def squared(self, scores: Tensor, image: Tensor) -> Tensor:
        scores.mean(dim=(1, 2, 3)).sum().backward(retain_graph=True)
        return super().squared(scores, image)


class InEvaluation(Penalty):
    """Switches the discriminator to evaluation, and does not switch it back."""

    def forward(self, step: StepContext) -> Tensor:
        step._discriminator.eval()
        return super().forward(step)


class OneType(Matching):
    """Takes it for granted that features are of single precision."""

    def forward(self, step: StepContext) -> Tensor:
        made, real = step.features(step.prediction)[0], step.features(step.target)[0]
        return (torch.lerp(made, torch.zeros(made.shape), 0.5) - real.detach() / 2).abs().mean()


class LeftBehind(Smoothness):
    """Has a constant that is no buffer, and stays on the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.ones(1, 3, 1, 1)

    def forward(self, step: StepContext) -> Tensor:
        return (step.prediction * self.scale).diff(dim=-1).abs().mean()


_DOWN = "test_its_gradient_leads_downwards"
_ALONE = "test_the_step_is_left_alone"
_SAYS = "test_it_says_what_it_is"
_ASKS = "test_it_asks_for_what_it_says"

PLANTED = [
    Planted(Untyped, "test_a_recipe_can_name_it", "its setting `gamma` has no type"),
    Planted(NoHelp, "test_settings_have_help", "the docstring says nothing of `every` under `Args:`"),
    Planted(Critic, _SAYS, 'its side is \'critic\'; expected "generator" or "discriminator"'),
    Planted(Never, _SAYS, "its every is 0; expected a number of steps, at least 1"),
    Planted(AloneAndWithFeatures, _SAYS, "its needs_discriminator is False, and it is nothing"),
    Planted(Inquisitive, _ASKS, "gives no features; set needs_discriminator and needs_features"),
    Planted(Silent, _ASKS, "an objective asks for scores, and there is no discriminator"),
    Planted(NumberForAHash, "test_what_it_loads_has_a_hash", "its fingerprint is 17; expected text or None"),
    Planted(EachImage, "test_it_is_one_finite_number", "it returns (2,); expected a tensor with one value"),
    Planted(Interpolating, "test_it_is_one_finite_number", "it gives another value each time: draw from step.draws"),
    Planted(ByGlobalNoise, "test_it_draws_from_the_step", "use step.draws"),
    Planted(HiddenMean, "test_what_it_carries_is_in_its_buffers", "it remembers more than these"),
    Planted(SilentMean, "test_it_says_whether_it_remembers_images", "its buffer `mean` depends on the images"),
    Planted(FirstOrder, _DOWN, "no gradient comes back from it"),
    Planted(DetachedPrediction, _DOWN, "no gradient reaches the generator's weights"),
    Planted(Negative, _DOWN, "a step against its gradient takes it from"),
    Planted(FirstMap, "test_all_maps_have_a_part", "take the mean over maps"),
    Planted(OverTheBatch, "test_it_is_a_mean", "take the mean over the batch"),
    Planted(RootOfTheBatch, "test_it_says_whether_it_is_a_mean_over_images", "say is_mean = False"),
    Planted(OnTheImageItself, _ALONE, "it sets requires_grad on the step's images"),
    Planted(InPlace, _ALONE, "it changes the images of the step in place"),
    Planted(GradientsLeft, _ALONE, "it leaves gradients in the discriminator's weights"),
    Planted(InEvaluation, _ALONE, "it changes the discriminator"),
    Planted(OneType, "test_it_works_under_autocast", "expected dtype"),
    Planted(LeftBehind, "test_it_goes_to_a_device", "a tensor (1, 3, 1, 1) on the old one"),
]


@pytest.mark.filterwarnings("ignore:Using backward")
@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_mistake_is_found(planted: Planted) -> None:
    require_found(ObjectiveSuite, planted)


def test_every_test_finds_a_mistake() -> None:
    assert unproven(ObjectiveSuite, PLANTED) == set()


# Sound objectives of other kinds


class Centered(Penalty):
    """Wants gradients of norm 1 between the images (Gulrajani et al. 2017, equation 3)."""

    def forward(self, step: StepContext) -> Tensor:
        shares = step.draws.uniform("between", step.target).view(-1, 1, 1, 1)
        return self.of(step, torch.lerp(step.target, step.prediction, shares).detach().requires_grad_())

    def squared(self, scores: Tensor, image: Tensor) -> Tensor:
        (gradient,) = torch.autograd.grad(scores.mean(dim=(1, 2, 3)).sum(), image, create_graph=True)
        return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


class OneRoot(RootOfTheBatch):
    """Says that it is no mean over images."""

    is_mean: ClassVar[bool] = False


class Remembering(SilentMean):
    """Says that it remembers images."""

    remembers_images: ClassVar[bool] = True


class Passing(Objective):
    """Wants the scores of predictions as high as those of targets."""

    def forward(self, step: StepContext) -> Tensor:
        maps = zip(step.score(step.prediction), step.score(step.target), strict=True)
        return torch.stack([(real - made).exp().mean() for made, real in maps]).mean()


@pytest.mark.parametrize("loss", [Penalty, Matching, Smoothness, Centered, OneRoot, Remembering, Passing])
def test_a_sound_one_passes(loss: type[Objective]) -> None:
    assert failures(ObjectiveSuite, loss) == {}
