"""Mistakes that an author of any network may make, be it a generator, a discriminator or another.

Each class goes before a toy, so that it changes what the toy does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from tests.core.testing.conftest import Planted
from torch import Tensor, nn

from genlab import Level, Network


class FromEntropy(nn.Module):
    """Draws a weight from the system's entropy."""

    def __init__(self, *channels: int, **named: int) -> None:
        super().__init__(*channels, **named)
        self.gain = nn.Parameter(torch.from_numpy(np.random.default_rng().normal(size=1)).float())

    def forward(self, *images: Tensor) -> Tensor:
        return super().forward(*images) + self.gain * images[-1].mean()


class OtherGenerator(nn.Module):
    """Draws first weights, and not from the generator that it is given."""

    def initialize(self, name: str, parameter: Tensor, rng: torch.Generator) -> None:
        nn.init.normal_(parameter, std=0.02)


class OwnNoise(nn.Module):
    """Adds noise in training that no seed decides."""

    def forward(self, *images: Tensor) -> Tensor:
        made = super().forward(*images)
        return made + np.random.default_rng().normal() if self.training else made


class Reseeding(nn.Module):
    """Wants its dropout to be reproducible."""

    def forward(self, *images: Tensor) -> Tensor:
        torch.manual_seed(0)
        return super().forward(*images)


class Unused(nn.Module):
    """Has a layer left over from an earlier design."""

    def __init__(self, *channels: int, **named: int) -> None:
        super().__init__(*channels, **named)
        self.left_over = nn.Conv2d(3, 3, 3)


class Detached(nn.Module):
    """Lets no gradient through to most of its layers."""

    def __init__(self, *channels: int, **named: int) -> None:
        super().__init__(*channels, **named)
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, *images: Tensor) -> Tensor:
        return self.gain * super().forward(*images).detach()


class BornWhenCalled(nn.Module):
    """Makes a layer when it first sees how large an image is."""

    def forward(self, *images: Tensor) -> Tensor:
        if not hasattr(self, "bias"):
            self.bias = nn.Parameter(torch.zeros(images[0].shape[-1]))
        return super().forward(*images) + self.bias.mean()


class Lazy(nn.Module):
    """Has a layer whose shape is settled when it is first called."""

    def __init__(self, *channels: int, **named: int) -> None:
        super().__init__(*channels, **named)
        self.lazy = nn.LazyConv2d(1, 1)


class GrowingBuffer(nn.Module):
    """Keeps positions for the largest image so far, in a buffer that a checkpoint has."""

    def __init__(self, *channels: int, **named: int) -> None:
        super().__init__(*channels, **named)
        self.register_buffer("positions", torch.zeros(1))

    def forward(self, *images: Tensor) -> Tensor:
        if len(self.positions) < images[0].shape[-1]:
            self.positions = torch.linspace(-1, 1, images[0].shape[-1])
        return super().forward(*images) + self.positions.mean()


class RandomAttribute(nn.Module):
    """Has random frequencies, as Fourier features do, that are no buffer."""

    def __init__(self, *channels: int, **named: int) -> None:
        super().__init__(*channels, **named)
        self.frequencies = torch.randn(4)

    def forward(self, *images: Tensor) -> Tensor:
        return super().forward(*images) + 0.1 * (images[-1].mean() * self.frequencies).sin().mean()


class HiddenMean(nn.Module):
    """Gathers a running mean in training, which evaluation uses, in an attribute that is no buffer."""

    mean = 0.0

    def forward(self, *images: Tensor) -> Tensor:
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * images[-1].mean().item()
        return super().forward(*images) - self.mean


class FadingIn(nn.Module):
    """Counts its calls in training, to fade something in; the count is not saved."""

    calls = 0

    def forward(self, *images: Tensor) -> Tensor:
        self.calls += self.training
        made = super().forward(*images)
        return made * min(self.calls / 100, 1.0) if self.training else made


class AlwaysDropping(nn.Module):
    """Calls a function whose default is to drop."""

    def forward(self, *images: Tensor) -> Tensor:
        return F.dropout(super().forward(*images), 0.5)


class FunctionalDropout(nn.Module):
    """Drops by a function, which no recipe can switch on when it predicts."""

    def forward(self, *images: Tensor) -> Tensor:
        return F.dropout(super().forward(*images), 0.5, self.training)


class _Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        return F.dropout(self.inner(features), 0.5, self.training)


class FunctionalDropoutInABlock(nn.Module):
    """Drops pixels in training, out of reach in a block of its own making."""

    def __init__(self, *channels: int, **named: int) -> None:
        super().__init__(*channels, **named)
        self.block = _Block()

    def forward(self, *images: Tensor) -> Tensor:
        return self.block(super().forward(*images))


class Clipping(nn.Module):
    """Clips its weights when it is called, as a Wasserstein critic would."""

    def forward(self, *images: Tensor) -> Tensor:
        for parameter in self.parameters():
            parameter.data.clamp_(-0.01, 0.01)
        return super().forward(*images)


class FusedInEvaluation(nn.Module):
    """Takes layers together when it is to be evaluated, and does not take them apart again."""

    def train(self, mode: bool = True) -> FusedInEvaluation:
        if not mode:
            for parameter in self.parameters():
                parameter.data.mul_(0.99)
        return super().train(mode)


class InPlace(nn.Module):
    """Moves its input to [0, 1] where it lies."""

    def forward(self, *images: Tensor) -> Tensor:
        images[-1].add_(1).div_(2)
        return super().forward(*images)


class InPlaceActivation(nn.Module):
    """Begins with an activation that saves memory."""

    def __init__(self, *channels: int, **named: int) -> None:
        super().__init__(*channels, **named)
        self.first = nn.LeakyReLU(0.2, inplace=True)

    def forward(self, *images: Tensor) -> Tensor:
        return super().forward(*images[:-1], self.first(images[-1]))


class TakesMemoryForGranted(nn.Module):
    """Reads its input as if rows lay one after the other."""

    def forward(self, *images: Tensor) -> Tensor:
        channels, height, width = images[-1].shape[1:]
        strides = (channels * height * width, height * width, width, 1)
        return super().forward(*images[:-1], images[-1].as_strided(images[-1].shape, strides))


class Viewing(nn.Module):
    """Flattens features by a view, which not every memory format allows."""

    def forward(self, *images: Tensor) -> Tensor:
        mean = images[-1].view(len(images[-1]), -1).mean(dim=1)
        return super().forward(*images) + mean.view(-1, 1, 1, 1)


class IntegralImage(nn.Module):
    """Blurs by sums over rows and columns, the differences of which are nothing in bfloat16."""

    def forward(self, *images: Tensor) -> Tensor:
        made = super().forward(*images) + 1
        sums = F.pad(made.cumsum(dim=-1).cumsum(dim=-2), (1, 0, 1, 0))
        blurred = (sums[..., 3:, 3:] - sums[..., :-3, 3:] - sums[..., 3:, :-3] + sums[..., :-3, :-3]) / 9 - 1
        return F.pad(blurred, (1, 1, 1, 1))


class Pasting(nn.Module):
    """Pastes what it made into an image of another type."""

    def forward(self, *images: Tensor) -> Tensor:
        made = super().forward(*images)
        canvas = made.new_zeros(made.shape, dtype=torch.float32)
        odd = torch.arange(made.shape[-1], device=made.device) % 2 == 1
        canvas[..., odd] = made[..., odd]
        return canvas


class CompiledOtherwise(nn.Module):
    """Leaves out what is said to be slow when compiled."""

    def forward(self, *images: Tensor) -> Tensor:
        made = super().forward(*images)
        return made if torch.compiler.is_compiling() else made - made.mean() + 0.5


class LeftBehind(nn.Module):
    """Blurs with a kernel that is no buffer, and stays on the CPU."""

    def __init__(self, *channels: int, **named: int) -> None:
        super().__init__(*channels, **named)
        self.kernel = torch.full((3, 1, 3, 3), 1 / 9)

    def forward(self, *images: Tensor) -> Tensor:
        return super().forward(*images[:-1], F.conv2d(images[-1], self.kernel, padding=1, groups=3))


class NoiseFromTheCPU(nn.Module):
    """Adds noise in training that is drawn on the CPU, wherever the image is."""

    def forward(self, *images: Tensor) -> Tensor:
        noise = 0.1 * torch.randn(images[-1].shape) if self.training else 0.0
        return super().forward(*images[:-1], images[-1] + noise)


class TwoOfOneName(nn.Module):
    """Calls two levels the same."""

    def levels(self) -> Sequence[Level]:
        return [Level("convolution", module) for module in self.modules() if isinstance(module, nn.Conv2d)] * 2


class SharedActivation(nn.Module):
    """Has one activation for several places, and leaves it to the framework what its levels are."""

    def __init__(self, *channels: int, **named: int) -> None:
        super().__init__(*channels, **named)
        self.activation = nn.LeakyReLU(0.2)

    def forward(self, *images: Tensor) -> Tensor:
        return self.activation(super().forward(*images[:-1], self.activation(images[-1])))


class Listed(nn.Module):
    """Has its layers in a list, which is never called, and leaves it to the framework what its levels are."""

    def __init__(self, *channels: int, **named: int) -> None:
        super().__init__(*channels, **named)
        self.blocks = nn.ModuleList([nn.LeakyReLU(0.2)])

    def forward(self, *images: Tensor) -> Tensor:
        return self.blocks[0](super().forward(*images))


class ForeignLevel(nn.Module):
    """Names a level that is a copy of its layer."""

    def levels(self) -> Sequence[Level]:
        return [Level("convolution", nn.Conv2d(3, 3, 3))]


class PlainTuples(nn.Module):
    """Gives names and modules, and no levels."""

    def levels(self) -> Sequence[Level]:
        return list(self.named_children())


class PlainIsAnother(nn.Module):
    """Leaves something out when it is made plain."""

    plain = False

    def make_plain(self) -> None:
        self.plain = True

    def forward(self, *images: Tensor) -> Tensor:
        made = super().forward(*images)
        return made / 2 if self.plain else made


class PlainIsNew(nn.Module):
    """Has other parameters when it is made plain."""

    def make_plain(self) -> None:
        self.more = nn.Conv2d(3, 3, 1)


class HashOfFirstWeights(nn.Module):
    """Takes weights that are drawn for some that it loads."""

    def fingerprint(self) -> str:
        return str(next(self.parameters()).sum().item())


class FeaturesOfOtherChannels(nn.Module):
    """States the channels of its features in the wrong order."""

    feature_channels = (8, 4)

    def features(self, *images: Tensor) -> Sequence[Tensor]:
        made = images[-1].mean(dim=1, keepdim=True)
        return [made.expand(-1, 4, -1, -1), made.expand(-1, 8, -1, -1)]


class FlatFeatures(nn.Module):
    """Gives the mean of each feature map."""

    feature_channels = (3,)

    def features(self, *images: Tensor) -> Sequence[Tensor]:
        return [images[-1].mean(dim=(2, 3))]


class FrozenFeatures(nn.Module):
    """Takes gradients of its features for a waste."""

    feature_channels = (3,)

    @torch.no_grad()
    def features(self, *images: Tensor) -> Sequence[Tensor]:
        return [2 * images[-1]]


class InfiniteFeatures(nn.Module):
    """Takes logarithms of what may be negative."""

    feature_channels = (3,)

    def features(self, *images: Tensor) -> Sequence[Tensor]:
        return [images[-1].log()]


_FEATURES = "test_its_features_are_the_stated_ones"
_STATE = "what it does is not all in weights and buffers"

_MISTAKES: list[tuple[type[nn.Module], str, str]] = [
    (FromEntropy, "test_the_same_seed_gives_the_same_network", "built twice with one seed, `gain` differs"),
    (OtherGenerator, "test_the_same_seed_gives_the_same_network", "built twice with one seed, `"),
    (OwnNoise, "test_the_same_seed_gives_the_same_network", "give different results"),
    (Reseeding, "test_the_same_seed_gives_the_same_network", "it seeds PyTorch's random numbers"),
    (Unused, "test_gradients_reach_every_parameter", "no gradient reaches `left_over.bias`, `left_over.weight`"),
    (Detached, "test_gradients_reach_every_parameter", "no gradient reaches `"),
    (BornWhenCalled, "test_nothing_is_born_after_construction", "its state has changed by being called: `bias`"),
    (Lazy, "test_nothing_is_born_after_construction", "get their shape when it is first called"),
    (GrowingBuffer, "test_nothing_is_born_after_construction", "its state has changed by being called: `positions`"),
    (RandomAttribute, "test_weights_are_saved_and_loaded", f"gives another result: {_STATE}"),
    (HiddenMean, "test_weights_are_saved_and_loaded", f"gives another result: {_STATE}"),
    (FadingIn, "test_weights_are_saved_and_loaded", "in training, a network with the same weights loaded gives"),
    (HashOfFirstWeights, "test_what_it_loads_has_a_hash", "its fingerprint differs each time"),
    (AlwaysDropping, "test_evaluation_draws_nothing", "in evaluation mode it gives another result each time"),
    (FunctionalDropout, "test_evaluation_draws_nothing", "dropout has to be a module such as nn.Dropout"),
    (FunctionalDropoutInABlock, "test_evaluation_draws_nothing", "dropout has to be a module such as nn.Dropout"),
    (Clipping, "test_weights_stay_as_they_are", "being called changes `"),
    (FusedInEvaluation, "test_weights_stay_as_they_are", "being called changes `"),
    (InPlace, "test_inputs_are_left_alone", "it changes its input in place"),
    (InPlaceActivation, "test_inputs_are_left_alone", "it changes its input in place"),
    (PlainIsAnother, "test_a_plain_one_computes_the_same", "after make_plain it computes something else"),
    (PlainIsNew, "test_a_plain_one_computes_the_same", "after make_plain it has other parameters"),
    (TakesMemoryForGranted, "test_it_works_in_channels_last", "in channels_last it gives another result"),
    (Viewing, "test_it_works_in_channels_last", "view size is not compatible"),
    (IntegralImage, "test_it_works_under_autocast", "in bfloat16 it gives something else: it differs by"),
    (Pasting, "test_it_works_under_autocast", "requires the source and destination dtypes match"),
    (CompiledOtherwise, "test_it_can_be_compiled", "compiled it gives another result"),
    (LeftBehind, "test_it_goes_to_a_device", "it calls `conv2d` with a tensor (3, 1, 3, 3) on the old one"),
    (NoiseFromTheCPU, "test_it_goes_to_a_device", "create it on the device of the input"),
    (TwoOfOneName, "test_levels_are_named", "two of its levels have one name: convolution, convolution"),
    (SharedActivation, "test_levels_are_named", "`activation` is called 2 times, and a level is called once"),
    (Listed, "test_levels_are_named", "`blocks` is called 0 times"),
    (ForeignLevel, "test_levels_are_named", "the module of its level `convolution` is not one of its own"),
    (PlainTuples, "test_levels_are_named", "expected a genlab.Level"),
    (FeaturesOfOtherChannels, _FEATURES, "its features have [4, 8] channels, and its feature_channels are [8, 4]"),
    (FlatFeatures, _FEATURES, "its features are of the shape (2, 3); expected (n, c, h, w)"),
    (FrozenFeatures, _FEATURES, "no gradient of number 1 of its features reaches its input"),
    (InfiniteFeatures, _FEATURES, "number 1 of its features is not finite"),
]


def planted_in(toy: type[Network]) -> list[Planted]:
    """All of these mistakes, made by a toy."""
    return [
        Planted(type(mistake.__name__, (mistake, toy), {"__doc__": mistake.__doc__}), test, says)
        for mistake, test, says in _MISTAKES
    ]
