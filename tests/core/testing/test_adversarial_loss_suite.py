"""The suite of adversarial losses finds what is planted, and lets sound ones through."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
import torch.nn.functional as F
from tests.core.testing.conftest import Planted, failures, require_found, unproven
from torch import Tensor

from genlab import AdversarialLoss, Scores
from genlab.testing import AdversarialLossSuite, ToyAdversarialLoss


class NoHelp(ToyAdversarialLoss):
    """Does not say what its setting is for."""

    def __init__(self, *, smoothing: float = 0.1) -> None:
        super().__init__()


class Untyped(ToyAdversarialLoss):
    """Does not say of which type its setting is."""

    def __init__(self, *, smoothing=0.1) -> None:
        super().__init__()


class Maps(ToyAdversarialLoss):
    """Gives a value for each score."""

    def for_generator(self, scores: Scores) -> Tensor:
        return (scores.prediction - 1).square()


class Number(ToyAdversarialLoss):
    """Gives a number, to be logged."""

    def for_generator(self, scores: Scores) -> Tensor:
        return (scores.prediction - 1).square().mean().item()


class NumberForAHash(ToyAdversarialLoss):
    """Gives a number for a hash."""

    def fingerprint(self) -> str:
        return 17


class LogarithmOfSigmoid(ToyAdversarialLoss):
    """Takes the logarithm of a probability, which is 0 for sure scores."""

    def for_generator(self, scores: Scores) -> Tensor:
        return -scores.prediction.sigmoid().log().mean()


class NoisyLabels(ToyAdversarialLoss):
    """Draws what real images are to score."""

    def for_discriminator(self, scores: Scores) -> Tensor:
        labels = 0.8 + 0.4 * torch.rand_like(scores.target)
        return (scores.target - labels).square().mean() + scores.prediction.square().mean()


class HiddenMean(ToyAdversarialLoss):
    """Holds scores near to what they usually are, which it keeps in an attribute that is no buffer."""

    mean = 0.0

    def for_discriminator(self, scores: Scores) -> Tensor:
        self.mean = 0.9 * self.mean + 0.1 * scores.target.mean().item()
        return super().for_discriminator(scores) + 0.01 * (scores.target - self.mean).mean()


class SilentMean(ToyAdversarialLoss):
    """Holds scores near to what they usually are, which it keeps in a buffer, and does not say so."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))

    def for_discriminator(self, scores: Scores) -> Tensor:
        value = super().for_discriminator(scores) + 0.01 * (scores.prediction - self.mean).square().mean()
        self.mean.lerp_(scores.target.detach().float().mean(), 0.01)
        return value


class SilentAverage(ToyAdversarialLoss):
    """Compares with the average over the batch, and does not say so (Jolicoeur-Martineau 2018, section 4.3)."""

    def for_generator(self, scores: Scores) -> Tensor:
        return self.apart(scores.prediction, scores.target)

    def for_discriminator(self, scores: Scores) -> Tensor:
        return self.apart(scores.target, scores.prediction)

    def apart(self, higher: Tensor, lower: Tensor) -> Tensor:
        """Low where the first scores are above the second's average, and these below the first's."""
        return F.softplus(lower.mean() - higher).mean() + F.softplus(lower - higher.mean()).mean()


class AgainstItself(ToyAdversarialLoss):
    """Gives the generator what the discriminator wants of predictions."""

    def for_generator(self, scores: Scores) -> Tensor:
        return scores.prediction.square().mean()


class WrongSign(ToyAdversarialLoss):
    """Lowers the scores of predictions."""

    def for_generator(self, scores: Scores) -> Tensor:
        return scores.prediction.mean()


class DetachedFromTheGenerator(ToyAdversarialLoss):
    """Lets no gradient through to the generator."""

    def for_generator(self, scores: Scores) -> Tensor:
        return super().for_generator(Scores(lambda: scores.target, scores.prediction.detach))


class Swapped(ToyAdversarialLoss):
    """Takes predictions for real, as another library has its arguments the other way round."""

    def for_discriminator(self, scores: Scores) -> Tensor:
        return super().for_discriminator(Scores(lambda: scores.prediction, lambda: scores.target))


class RealAlone(ToyAdversarialLoss):
    """Forgets the predictions."""

    def for_discriminator(self, scores: Scores) -> Tensor:
        return (scores.target - 1).square().mean()


class DetachedPredictions(ToyAdversarialLoss):
    """Detaches scores where a method detaches the prediction."""

    def for_discriminator(self, scores: Scores) -> Tensor:
        return super().for_discriminator(Scores(lambda: scores.target, scores.prediction.detach))


class Sum(ToyAdversarialLoss):
    """Adds all scores up."""

    def for_discriminator(self, scores: Scores) -> Tensor:
        return (scores.target - 1).square().sum() + scores.prediction.square().sum()


class InPlace(ToyAdversarialLoss):
    """Subtracts where the scores lie."""

    def for_generator(self, scores: Scores) -> Tensor:
        return scores.prediction.data.sub_(1).square().mean()


class OneType(ToyAdversarialLoss):
    """Takes it for granted that scores and labels are of one type."""

    def for_generator(self, scores: Scores) -> Tensor:
        labels = torch.ones(scores.prediction.shape, device=scores.prediction.device)
        return torch.lerp(scores.prediction, labels, 2.0).sub(1).square().mean()


class LabelLeftBehind(ToyAdversarialLoss):
    """Has its labels in a tensor that is no buffer, and stays on the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.real = torch.ones(1)

    def for_generator(self, scores: Scores) -> Tensor:
        return F.mse_loss(scores.prediction, self.real.expand_as(scores.prediction))


_GENERATOR = "test_the_generator_wants_its_predictions_taken_as_real"
_DISCRIMINATOR = "test_the_discriminator_wants_both_told_apart"
_NUMBER = "test_both_sides_are_one_finite_number"

PLANTED = [
    Planted(Untyped, "test_a_recipe_can_name_it", "its setting `smoothing` has no type"),
    Planted(NoHelp, "test_settings_have_help", "the docstring says nothing of `smoothing` under `Args:`"),
    Planted(Maps, _NUMBER, "for_generator gives (2, 1, 6, 6), and a loss is a tensor with one value"),
    Planted(Number, _NUMBER, "for_generator gives float, and a loss is a tensor with one value"),
    Planted(LogarithmOfSigmoid, _NUMBER, "for_generator is inf for scores around 1000 and -1000"),
    Planted(NoisyLabels, _NUMBER, "for_discriminator gives another value each time"),
    Planted(HiddenMean, "test_what_it_carries_is_in_its_buffers", "it remembers more than these"),
    Planted(NumberForAHash, "test_what_it_loads_has_a_hash", "its fingerprint is 17; expected text or None"),
    Planted(SilentMean, "test_it_says_whether_it_remembers_images", "its buffer `mean` depends on the images"),
    Planted(SilentAverage, "test_it_says_whether_it_is_a_mean_over_images", "say is_mean = False"),
    Planted(AgainstItself, _GENERATOR, "as for_discriminator wants, for_generator does not want them higher"),
    Planted(WrongSign, _GENERATOR, "higher is better"),
    Planted(DetachedFromTheGenerator, _GENERATOR, "no gradient comes back from for_generator"),
    Planted(Swapped, _DISCRIMINATOR, "swapped ones"),
    Planted(RealAlone, _DISCRIMINATOR, "its gradient does not lower the scores of predictions"),
    Planted(DetachedPredictions, _DISCRIMINATOR, "its gradient does not lower the scores of predictions"),
    Planted(Sum, "test_it_is_a_mean", "for the same scores twelve times over: take the mean"),
    Planted(InPlace, "test_inputs_are_left_alone", "it changes the scores that it is given in place"),
    Planted(OneType, "test_it_works_under_autocast", "expected dtype"),
    Planted(LabelLeftBehind, "test_it_goes_to_a_device", "a tensor (1,) on the old one"),
]


@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_mistake_is_found(planted: Planted) -> None:
    require_found(AdversarialLossSuite, planted)


def test_every_test_finds_a_mistake() -> None:
    assert unproven(AdversarialLossSuite, PLANTED) == set()


# Sound losses of other kinds


class Hinge(ToyAdversarialLoss):
    """Wants scores apart by a margin, and no more (Lim and Ye 2017)."""

    def for_generator(self, scores: Scores) -> Tensor:
        return -scores.prediction.mean()

    def for_discriminator(self, scores: Scores) -> Tensor:
        return (1 - scores.target).relu().mean() + (1 + scores.prediction).relu().mean()


class Wasserstein(Hinge):
    """Wants scores as far apart as can be."""

    def for_discriminator(self, scores: Scores) -> Tensor:
        return scores.prediction.mean() - scores.target.mean()


class Halfway(ToyAdversarialLoss):
    """Wants 1 of real images and -1 of predictions, and of these the generator 0 (Mao et al. 2017, equation 8)."""

    def for_generator(self, scores: Scores) -> Tensor:
        return scores.prediction.square().mean()

    def for_discriminator(self, scores: Scores) -> Tensor:
        return (scores.target - 1).square().mean() + (scores.prediction + 1).square().mean()


class Saturating(ToyAdversarialLoss):
    """The original game, the same for both sides but for the sign (Goodfellow et al. 2014, equation 1)."""

    def for_generator(self, scores: Scores) -> Tensor:
        return F.logsigmoid(-scores.prediction).mean()

    def for_discriminator(self, scores: Scores) -> Tensor:
        return -F.logsigmoid(scores.target).mean() - F.logsigmoid(-scores.prediction).mean()


class OneSided(ToyAdversarialLoss):
    """Wants real images to score 0.9."""

    def for_discriminator(self, scores: Scores) -> Tensor:
        return (scores.target - 0.9).square().mean() + scores.prediction.square().mean()


class RunningMean(SilentMean):
    """Says so (as Tseng et al. 2021 would)."""

    remembers_images: ClassVar[bool] = True


class Pairwise(ToyAdversarialLoss):
    """Compares each prediction with its target (Huang et al. 2024)."""

    def for_generator(self, scores: Scores) -> Tensor:
        return F.softplus(scores.target - scores.prediction).mean()

    def for_discriminator(self, scores: Scores) -> Tensor:
        return F.softplus(scores.prediction - scores.target).mean()


class Average(SilentAverage):
    """Says that it is no mean over images."""

    is_mean: ClassVar[bool] = False


SOUND = [ToyAdversarialLoss, Hinge, Wasserstein, Halfway, Saturating, OneSided, RunningMean, Pairwise, Average]


@pytest.mark.parametrize("loss", SOUND)
def test_a_sound_one_passes(loss: type[AdversarialLoss]) -> None:
    assert failures(AdversarialLossSuite, loss) == {}
