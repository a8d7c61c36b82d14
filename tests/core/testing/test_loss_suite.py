"""The suite of losses finds what is planted, and lets sound losses through."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
import torch.nn.functional as F
from tests.core.testing.conftest import Planted, failures, require_found, unproven
from torch import Tensor, nn

from genlab import Loss, Predictions
from genlab.testing import LossSuite, ToyLoss


class NoHelp(ToyLoss):
    """Does not say what its setting is for."""

    def __init__(self, *, epsilon: float = 1e-3) -> None:
        super().__init__()


class Weighted(ToyLoss):
    """Takes its weight itself."""

    def __init__(self, *, weight: float = 100.0) -> None:
        super().__init__()


class HashInBytes(ToyLoss):
    """Gives bytes for a hash."""

    def fingerprint(self) -> str:
        return b"weights"


class EachImage(ToyLoss):
    """Gives a value for each image."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return (prediction - target).abs().mean(dim=(1, 2, 3))


class Number(ToyLoss):
    """Gives a number, to be logged."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return (prediction - target).abs().mean().item()


class RandomPixels(ToyLoss):
    """Compares pixels that it picks."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return (prediction - target)[..., torch.rand(target.shape[-2:]) < 0.5].abs().mean()


class DeviationOfTheBatch(ToyLoss):
    """Compares how images of a batch differ, of which there may be one."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return (prediction.std(dim=0) - target.std(dim=0)).abs().mean()


class HiddenScale(ToyLoss):
    """Divides by what it usually is, which it keeps in an attribute that is no buffer."""

    scale = 1.0

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        value = (prediction - target).abs().mean()
        self.scale = 0.9 * self.scale + 0.1 * value.item()
        return value / self.scale


class RootMeanSquare(ToyLoss):
    """Takes the root of the mean over the whole batch."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return ((prediction - target).square().mean() + 1e-6).sqrt()


class SilentScale(ToyLoss):
    """Divides by what it usually is, which it keeps in a buffer, and does not say so."""

    is_mean: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones(()))

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        value = (prediction - target).abs().mean()
        self.scale.lerp_(value.detach().float(), 0.01)
        return value / self.scale


class SaysItIsPixelwise(RootMeanSquare):
    """Takes the root of a mean over all pixels, of which those that agree are some."""

    is_mean: ClassVar[bool] = False
    is_pixelwise: ClassVar[bool] = True


class Detached(ToyLoss):
    """Lets no gradient through."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return super().forward(condition, target, prediction.detach())


class PartlyDetached(ToyLoss):
    """Has a parameter of its own, and lets no gradient through to the prediction."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return self.scale * super().forward(condition, target, prediction.detach())


class Rounding(ToyLoss):
    """Compares what would be seen in 8 bits."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return super().forward(condition, target, (prediction * 127.5).round() / 127.5)


class WrongWayBack(torch.autograd.Function):
    """The square, with a derivative of the wrong sign."""

    @staticmethod
    def forward(context: Any, value: Tensor) -> Tensor:
        context.save_for_backward(value)
        return value.square()

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        (value,) = context.saved_tensors
        return -2 * value * gradient


class OwnGradient(ToyLoss):
    """Has a gradient written by hand, with a mistake."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return WrongWayBack.apply(prediction - target).mean()


class Flipped(ToyLoss):
    """Has the wrong sign."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return -super().forward(condition, target, prediction)


class SimilarityItself(ToyLoss):
    """Is high where it should be low."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return F.cosine_similarity(prediction.flatten(1), target.flatten(1)).mean()


class ToTheCondition(ToyLoss):
    """Compares with the condition."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return (prediction - condition).abs().mean()


class Smoothness(ToyLoss):
    """Looks at the prediction alone."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return prediction.diff(dim=-1).abs().mean() + prediction.diff(dim=-2).abs().mean()


class Root(ToyLoss):
    """Takes a root, which has no gradient at zero."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return (prediction - target).square().mean().sqrt()


class Logarithm(ToyLoss):
    """Is in decibels, of which there are none for no difference."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return 10 * (prediction - target).square().mean().log10()


class Sum(ToyLoss):
    """Adds all up."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return (prediction - target).abs().sum()


class SumOverPixels(ToyLoss):
    """Takes the mean over the batch alone."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return (prediction - target).abs().sum() / len(target)


class NegativeSum(Flipped):
    """Adds up something that is negative."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return -(prediction * target).sum() / len(target)


class InPlace(ToyLoss):
    """Subtracts where it lies."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return prediction.data.sub_(target).abs().mean()


class OneType(ToyLoss):
    """Takes it for granted that prediction and target are of one type."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return (torch.lerp(prediction, target, 0.5) - target).abs().mean()


class LeftBehind(ToyLoss):
    """Looks at edges with a kernel that is no buffer, and stays on the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = torch.tensor([[-1.0, 0.0, 1.0]] * 3).expand(3, 1, 3, 3)

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return F.conv2d(prediction - target, self.kernel, groups=3).abs().mean()


# Of scores of classes


class Entropy(Loss):
    """Cross-entropy."""

    predictions: ClassVar[Predictions] = "classes"

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return F.cross_entropy(prediction, target)


class LikelihoodItself(Entropy):
    """Is high where it should be low."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return (prediction.log_softmax(dim=1) * target).sum(dim=1).mean()


class Hits(Entropy):
    """Counts pixels of a wrong class."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return (prediction.argmax(dim=1) != target.argmax(dim=1)).float().mean() + 0 * prediction.sum()


_LEAST = "test_it_is_least_at_the_target"

PLANTED = [
    Planted(Weighted, "test_a_recipe_can_name_it", "its setting `weight` collides with the framework's reserved key"),
    Planted(NoHelp, "test_settings_have_help", "the docstring says nothing of `epsilon` under `Args:`"),
    Planted(HashInBytes, "test_what_it_loads_has_a_hash", "its fingerprint is b'weights'; expected text or None"),
    Planted(EachImage, "test_it_is_one_finite_number", "it returns (2,); expected a tensor with one value"),
    Planted(Number, "test_it_is_one_finite_number", "it returns float; expected a tensor with one value"),
    Planted(RandomPixels, "test_it_is_one_finite_number", "it gives another value each time"),
    Planted(DeviationOfTheBatch, "test_it_is_one_finite_number", "it is nan at batch 1"),
    Planted(HiddenScale, "test_what_it_carries_is_in_its_buffers", "it remembers more than these"),
    Planted(SilentScale, "test_it_says_whether_it_remembers_images", "its buffer `scale` depends on the images"),
    Planted(RootMeanSquare, "test_it_says_whether_it_is_a_mean_over_images", "say is_mean = False"),
    Planted(SaysItIsPixelwise, "test_it_leaves_out_pixels_if_it_is_pixelwise", "say is_pixelwise = False"),
    Planted(Detached, "test_its_gradient_leads_downwards", "no gradient comes back from it"),
    Planted(PartlyDetached, "test_its_gradient_leads_downwards", "its gradient by the prediction is 0"),
    Planted(Rounding, "test_its_gradient_leads_downwards", "its gradient by the prediction is 0"),
    Planted(OwnGradient, "test_its_gradient_leads_downwards", "a step against its gradient takes it from"),
    Planted(Hits, "test_its_gradient_leads_downwards", "its gradient by the prediction is 0"),
    Planted(Flipped, _LEAST, "at the target it is -0, and 1% of the way to noise -0.00"),
    Planted(SimilarityItself, _LEAST, "at the target it is 1, and 1% of the way to noise 0.99"),
    Planted(ToTheCondition, _LEAST, "at the target it is 0.4"),
    Planted(Smoothness, _LEAST, "at the target it is 0.09"),
    Planted(Root, _LEAST, "at the target its gradient is not finite"),
    Planted(Logarithm, _LEAST, "at the target it is -inf"),
    Planted(LikelihoodItself, _LEAST, "100% of the way to other classes -40"),
    Planted(Sum, "test_it_is_a_mean", "take the mean over the batch"),
    Planted(SumOverPixels, "test_it_is_a_mean", "take the mean over pixels"),
    Planted(NegativeSum, "test_it_is_a_mean", "take the mean over pixels"),
    Planted(InPlace, "test_inputs_are_left_alone", "it modifies its inputs in place"),
    Planted(OneType, "test_it_works_under_autocast", "expected dtype"),
    Planted(LeftBehind, "test_it_goes_to_a_device", "it calls `conv2d` with a tensor (3, 1, 3, 3) on the old one"),
]


@pytest.mark.filterwarnings("ignore:std.*degrees of freedom")
@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_mistake_is_found(planted: Planted) -> None:
    require_found(LossSuite, planted)


def test_every_test_finds_a_mistake() -> None:
    assert unproven(LossSuite, PLANTED) == set()


# Sound losses of other kinds


class Smooth(ToyLoss):
    """A root, with something that keeps it from zero."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return ((prediction - target).square() + 1e-6).sqrt().mean()


class Likeness(ToyLoss):
    """Below zero, the more so the more alike both are."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return -F.cosine_similarity(prediction.flatten(1), target.flatten(1)).mean()


class Perceptual(ToyLoss):
    """Compares what a frozen network sees in images of three channels, its weights drawn when it is made."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3))
        self.network.requires_grad_(False)
        self.register_buffer("mean", torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1))

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return F.l1_loss(self.network(prediction - self.mean), self.network(target - self.mean))


class RunningScale(SilentScale):
    """Says so."""

    remembers_images: ClassVar[bool] = True


class WithACounter(ToyLoss):
    """Counts its calls, which are the same on all devices."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        self.calls += 1
        return super().forward(condition, target, prediction)


class WholeBatch(RootMeanSquare):
    """Says that it is no mean over images."""

    is_mean: ClassVar[bool] = False


class Penalty(Smoothness):
    """Says that it does not draw a prediction to its target."""

    least_at_target: ClassVar[bool] = False


class Smoothed(Entropy):
    """Cross-entropy that does not want scores to be sure."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return F.cross_entropy(prediction, target, label_smoothing=0.1)


class Dice(Entropy):
    """The overlap of each class."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        found = prediction.softmax(dim=1)
        both, either = (found * target).sum(dim=(2, 3)), (found + target).sum(dim=(2, 3))
        return 1 - ((2 * both + 1) / (either + 1)).mean()


SOUND = [
    ToyLoss,
    Smooth,
    Likeness,
    Perceptual,
    RunningScale,
    WithACounter,
    WholeBatch,
    Penalty,
    Entropy,
    Smoothed,
    Dice,
]


@pytest.mark.parametrize("loss", SOUND)
def test_a_sound_one_passes(loss: type[Loss]) -> None:
    assert failures(LossSuite, loss) == {}


class Large(ToyLoss):
    """Looks at windows that a small image does not have."""

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return F.avg_pool2d((prediction - target).abs(), 40, stride=4).mean()


def test_images_may_be_larger() -> None:
    assert failures(LossSuite, Large)
    assert failures(LossSuite, Large, size=48) == {}
