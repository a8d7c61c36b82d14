"""The discriminator's suite finds what is planted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.core.testing.conftest import Planted, failures, require_found, results, unproven
from tests.core.testing.networks import planted_in
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from genlab import Discriminator, Scored
from genlab.testing import DiscriminatorSuite, ToyDiscriminator


class NoHelp(ToyDiscriminator):
    """Does not say what its setting is for."""

    def __init__(self, condition_channels: int = 3, image_channels: int = 3, *, depth: int = 1) -> None:
        super().__init__(condition_channels, image_channels)


class InAndOut(ToyDiscriminator):
    """Takes its channels by other names."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3) -> None:
        super().__init__(in_channels, out_channels)


class Flat(ToyDiscriminator):
    """Gives one score an image, and not as a map."""

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return super().forward(condition, image).mean(dim=(2, 3))


class TwoClasses(ToyDiscriminator):
    """Tells real and predicted apart as a classifier of two classes would."""

    def __init__(self, condition_channels: int = 3, image_channels: int = 3) -> None:
        super().__init__(condition_channels, image_channels)
        self.layer = nn.Conv2d(condition_channels + image_channels, 2, 3)


class WithFeatures(ToyDiscriminator):
    """Gives its features too."""

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        scores = super().forward(condition, image)
        return [scores, scores]


class NoMaps(ToyDiscriminator):
    """Gives features, and takes scores for one of them."""

    def forward(self, condition: Tensor, image: Tensor) -> Scored:
        return Scored([], [super().forward(condition, image)])


class OneMapOfTwoChannels(ToyDiscriminator):
    """Joins its second map to its first."""

    def forward(self, condition: Tensor, image: Tensor) -> Scored:
        scores = super().forward(condition, image)
        return Scored([scores, torch.cat([scores, scores], dim=1)])


class SecondMapSigmoid(ToyDiscriminator):
    """Gives probabilities as its second map."""

    def forward(self, condition: Tensor, image: Tensor) -> Scored:
        scores = super().forward(condition, image)
        return Scored([scores, scores.sigmoid()])


class SecondMapOfTheCondition(ToyDiscriminator):
    """Scores the condition by its second map."""

    def forward(self, condition: Tensor, image: Tensor) -> Scored:
        scores = super().forward
        return Scored([scores(condition, image), scores(condition, condition)])


class NeedsACondition(ToyDiscriminator):
    """Takes it for granted that there is a condition, and divides by its size."""

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return super().forward(condition / condition.max(), image)


class SilentOnFeatures(ToyDiscriminator):
    """Gives features, and does not state their channels."""

    def forward(self, condition: Tensor, image: Tensor) -> Scored:
        return Scored([super().forward(condition, image)], [image])


class DetachedFeatures(ToyDiscriminator):
    """Takes features for a look at them, and not to learn from."""

    feature_channels = (1,)

    def forward(self, condition: Tensor, image: Tensor) -> Scored:
        scores = super().forward(condition, image)
        return Scored([scores], [scores.detach()])


class FeaturesOfTheFirst(ToyDiscriminator):
    """Scores several images, and gives features of the first alone."""

    feature_channels = (1,)

    def forward(self, condition: Tensor, image: Tensor) -> Scored:
        scores = super().forward(condition, image)
        return Scored([scores], [2 * scores])

    def score_each(self, condition: Tensor, images: Sequence[Tensor]) -> Sequence[Scored]:
        first, *others = super().score_each(condition, images)
        return [first, *(scored._replace(features=first.features) for scored in others)]


class _Square(torch.autograd.Function):
    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.square()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return 2 * ctx.saved_tensors[0].detach() * gradients[0]


class DetachedBackward(ToyDiscriminator):
    """Has a function of its own whose gradient counts as a constant."""

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return _Square.apply(super().forward(condition, image))


class _Halved(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x / 2

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient / 2


class OnceDifferentiable(ToyDiscriminator):
    """Has a function of its own that has one gradient, and no second."""

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return super().forward(condition, _Halved.apply(image))


class ConditionChannelsTwice(ToyDiscriminator):
    """Takes it for granted that the image has as many channels as the condition."""

    def __init__(self, condition_channels: int = 3, image_channels: int = 3) -> None:
        super().__init__(condition_channels, condition_channels)


class Sigmoid(ToyDiscriminator):
    """Gives probabilities."""

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return super().forward(condition, image).sigmoid()


class BlindToTheImage(ToyDiscriminator):
    """Takes the condition twice."""

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return super().forward(condition, condition)


class WithoutGradient(ToyDiscriminator):
    """Takes the image for data, which no gradient is wanted of."""

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return super().forward(condition, image.detach())


class DeviationOfTheBatch(ToyDiscriminator):
    """Shows how images of a batch differ, of which there may be one."""

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return super().forward(condition, image) + image.std(dim=0).mean()


class NormOfOnePixel(ToyDiscriminator):
    """Normalizes, over the batch, what it gathers from a whole image."""

    def __init__(self, condition_channels: int = 3, image_channels: int = 3) -> None:
        super().__init__(condition_channels, image_channels)
        self.gather = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(image_channels, 1, 1), nn.BatchNorm2d(1))

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return super().forward(condition, image) + self.gather(image)


class Mixing(ToyDiscriminator):
    """Normalizes the batches of several images as if they were one."""

    def __init__(self, condition_channels: int = 3, image_channels: int = 3) -> None:
        super().__init__(condition_channels, image_channels)
        self.norm = nn.BatchNorm2d(1)

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return self.norm(super().forward(condition, image))

    def score_each(self, condition: Tensor, images: Sequence[Tensor]) -> Sequence[Tensor]:
        scores = self(condition.repeat(len(images), 1, 1, 1), torch.cat(list(images)))
        return scores.chunk(len(images))


class Forgetful(ToyDiscriminator):
    """Scores the first image alone."""

    def score_each(self, condition: Tensor, images: Sequence[Tensor]) -> Sequence[Tensor]:
        return [self(condition, images[0])]


class Detached(ToyDiscriminator):
    """Scores several images for a look at them, and not to learn from."""

    def score_each(self, condition: Tensor, images: Sequence[Tensor]) -> Sequence[Tensor]:
        return [scores.detach() for scores in super().score_each(condition, images)]


class OfPairs(ToyDiscriminator):
    """Takes it for granted that there are at least two."""

    def score_each(self, condition: Tensor, images: Sequence[Tensor]) -> Sequence[Tensor]:
        if len(images) == 1:
            return [self(condition, image) for image in (*images, *images)]
        return super().score_each(condition, images)


class Reversed(ToyDiscriminator):
    """Scores the last image first."""

    def score_each(self, condition: Tensor, images: Sequence[Tensor]) -> Sequence[Tensor]:
        return super().score_each(condition, images[::-1])


class HalfDetached(ToyDiscriminator):
    """Learns from the first image alone."""

    def score_each(self, condition: Tensor, images: Sequence[Tensor]) -> Sequence[Tensor]:
        first, *others = super().score_each(condition, images)
        return [first, *(scores.detach() + 0 * first for scores in others)]


class Traceless(Mixing):
    """Forgets the statistics of several images."""

    def score_each(self, condition: Tensor, images: Sequence[Tensor]) -> Sequence[Tensor]:
        self.norm.momentum = 0.0
        return [self(condition, image) for image in images]


class Deeper(ToyDiscriminator):
    """States what it saw before a layer was added."""

    def __init__(self, condition_channels: int = 3, image_channels: int = 3) -> None:
        super().__init__(condition_channels, image_channels)
        self.second = nn.Conv2d(1, 1, 3)

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return self.second(F.leaky_relu(super().forward(condition, image), 0.2))


class Oblong(ToyDiscriminator):
    """Sees more to its sides than up and down."""

    def __init__(self, condition_channels: int = 3, image_channels: int = 3) -> None:
        super().__init__(condition_channels, image_channels)
        self.layer = nn.Conv2d(condition_channels + image_channels, 1, (3, 5), padding=(0, 1))


class Whole(ToyDiscriminator):
    """Weighs its scores by the whole image, and says that it is local."""

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return super().forward(condition, image) * image.abs().mean(dim=(1, 2, 3), keepdim=True)


class FieldOfAFloat(ToyDiscriminator):
    """Divides where it should halve whole numbers."""

    def __init__(self, condition_channels: int = 3, image_channels: int = 3) -> None:
        super().__init__(condition_channels, image_channels)
        self.receptive_field = 6 / 2


class LeastTooLow(ToyDiscriminator):
    """States a least size that its convolution cannot take."""

    def __init__(self, condition_channels: int = 3, image_channels: int = 3) -> None:
        super().__init__(condition_channels, image_channels)
        self.min_size = 2


class LeastTooHigh(ToyDiscriminator):
    """States its receptive field as its least size, though it pads."""

    def __init__(self, condition_channels: int = 3, image_channels: int = 3) -> None:
        super().__init__(condition_channels, image_channels)
        self.layer = nn.Conv2d(condition_channels + image_channels, 1, 3, padding=1)


class Silent(Discriminator):
    """Does not state what a score sees."""

    min_size = 3

    def __init__(self, condition_channels: int = 3, image_channels: int = 3) -> None:
        super().__init__()
        self.layer = nn.Conv2d(condition_channels + image_channels, 1, 3)

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        return self.layer(torch.cat([condition, image], dim=1))


class LeastOfNone(ToyDiscriminator):
    """Has no idea of its least size."""

    def __init__(self, condition_channels: int = 3, image_channels: int = 3) -> None:
        super().__init__(condition_channels, image_channels)
        self.min_size = 0


_FEATURES = "test_its_features_are_the_stated_ones"
_PENALTIES = "test_penalties_on_gradients_have_gradients"

PLANTED = [
    *planted_in(ToyDiscriminator),
    Planted(InAndOut, "test_a_recipe_can_name_it", "does not take `condition_channels`, which the framework supplies"),
    Planted(NoHelp, "test_settings_have_help", "the docstring says nothing of `depth` under `Args:`"),
    Planted(Flat, "test_it_gives_scores", "for 1 images of 32 x 32 it gives (1, 1); expected scores (n, 1, i, j)"),
    Planted(TwoClasses, "test_it_gives_scores", "it gives (1, 2, 30, 30)"),
    Planted(WithFeatures, "test_it_gives_scores", "it gives list"),
    Planted(NoMaps, "test_it_gives_scores", "it gives no map"),
    Planted(OneMapOfTwoChannels, "test_it_gives_scores", "it gives (1, 1, 30, 30), (1, 2, 30, 30)"),
    Planted(NeedsACondition, "test_it_gives_scores", "max(): Expected reduction dim"),
    Planted(ConditionChannelsTwice, "test_it_gives_scores", "to have 2 channels, but got 4 channels instead"),
    Planted(Sigmoid, "test_scores_have_no_bounds", "scores are taken before any sigmoid"),
    Planted(SecondMapSigmoid, "test_scores_have_no_bounds", "scores are taken before any sigmoid"),
    Planted(SecondMapOfTheCondition, "test_it_looks_at_the_image", "its scores (number 2) do not depend on the image"),
    Planted(DetachedFeatures, "test_it_looks_at_the_image", "its features do not depend on the image"),
    Planted(SilentOnFeatures, _FEATURES, "its features have [3] channels, and its feature_channels are []"),
    Planted(FeaturesOfTheFirst, "test_it_scores_each_of_several_images", "an image has other scores than alone"),
    Planted(DetachedBackward, _PENALTIES, "a gradient of its own is wrong, or detached"),
    Planted(OnceDifferentiable, _PENALTIES, "has no gradient by its weights"),
    Planted(BlindToTheImage, "test_it_looks_at_the_image", "its scores do not depend on the image"),
    Planted(WithoutGradient, "test_it_looks_at_the_image", "its scores do not depend on the image"),
    Planted(DeviationOfTheBatch, "test_it_trains_on_a_single_image", "its scores for one image are not finite"),
    Planted(NormOfOnePixel, "test_it_trains_on_a_single_image", "Expected more than 1 value per channel"),
    Planted(Mixing, "test_it_scores_each_of_several_images", "in score_each an image has other scores than alone"),
    Planted(Forgetful, "test_it_scores_each_of_several_images", "score_each is given 3 images and gives 1 scores"),
    Planted(Detached, "test_it_scores_each_of_several_images", "the scores of score_each have no gradients"),
    Planted(Reversed, "test_it_scores_each_of_several_images", "are they in order"),
    Planted(OfPairs, "test_it_scores_each_of_several_images", "score_each gives more than one image has scores"),
    Planted(HalfDetached, "test_it_scores_each_of_several_images", "the scores of score_each have other gradients"),
    Planted(Traceless, "test_it_scores_each_of_several_images", "score_each leaves another `norm.running_mean`"),
    Planted(Deeper, "test_its_receptive_field_is_the_stated_one", "a score sees 5 pixels, but it states 3"),
    Planted(Oblong, "test_its_receptive_field_is_the_stated_one", "a score sees 3 x 5 pixels, but it states 3"),
    Planted(Whole, "test_its_receptive_field_is_the_stated_one", "a score sees 38 pixels, but it states 3"),
    Planted(FieldOfAFloat, "test_its_receptive_field_is_the_stated_one", "its receptive_field is 3.0"),
    Planted(Silent, "test_its_receptive_field_is_the_stated_one", "its receptive_field is None"),
    Planted(
        LeastTooLow,
        "test_its_least_size_is_the_stated_one",
        "an image of its least size, 2, gives no score: RuntimeError",
    ),
    Planted(LeastTooHigh, "test_its_least_size_is_the_stated_one", "its least size is 3, and an image of 2 gives"),
    Planted(LeastOfNone, "test_its_least_size_is_the_stated_one", "its min_size is 0"),
]


@pytest.mark.filterwarnings("ignore:std.*degrees of freedom")
@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_mistake_is_found(planted: Planted) -> None:
    require_found(DiscriminatorSuite, planted)


def test_every_test_finds_a_mistake() -> None:
    assert unproven(DiscriminatorSuite, PLANTED) == set()


class WholeAndSaysSo(Whole):
    """Weighs its scores by the whole image."""

    is_local = False


class WholeOfAFloat(FieldOfAFloat):
    """Says that it sees the whole image, and divides where it should halve whole numbers."""

    is_local = False


def test_one_that_sees_the_whole_image_says_so() -> None:
    assert failures(DiscriminatorSuite, WholeAndSaysSo) == {}
    assert list(failures(DiscriminatorSuite, WholeOfAFloat)) == ["test_its_receptive_field_is_the_stated_one"]


class Telescope(ToyDiscriminator):
    """Sees so far that measuring it would take minutes."""

    def __init__(self, condition_channels: int = 3, image_channels: int = 3) -> None:
        super().__init__(condition_channels, image_channels)
        self.receptive_field = 5000


def test_a_field_too_large_to_be_measured_is_told() -> None:
    told = results(DiscriminatorSuite, Telescope)["test_its_receptive_field_is_the_stated_one"]
    assert (told.outcome, told.why) == ("skipped", "a receptive field of 5000 is too large to be measured here")
