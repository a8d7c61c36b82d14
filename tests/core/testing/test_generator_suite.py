"""The generator's suite finds what is planted, and lets sound generators through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.core.testing.conftest import Planted, failures, require_found, results, unproven
from tests.core.testing.networks import planted_in
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from genlab import Generator, Level, Skip
from genlab.testing import GeneratorSuite, ToyGenerator


class Small(ToyGenerator):
    """The toy without its setting."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3) -> None:
        super().__init__(in_channels, out_channels)


class NoHelp(ToyGenerator):
    """Does not say what its setting is for."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3, *, depth: int = 1) -> None:
        super().__init__(in_channels, out_channels)


class OptionsOfAnyName(ToyGenerator):
    """Takes whatever it is given."""

    def __init__(self, **options: int) -> None:
        super().__init__(**options)


class FloatMultiple(ToyGenerator):
    """Divides where it should halve whole numbers."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3) -> None:
        super().__init__(in_channels, out_channels)
        self.size_multiple = 8 / 2


class Half(ToyGenerator):
    """Halves once more than it says."""

    def forward(self, condition: Tensor) -> Tensor:
        made = F.avg_pool2d(super().forward(condition), 8)
        return F.interpolate(made, scale_factor=8.0)


class RowTooMany(ToyGenerator):
    """Pads too much."""

    def forward(self, condition: Tensor) -> Tensor:
        return F.pad(super().forward(condition), (0, 0, 0, 1))


class WithFeatures(ToyGenerator):
    """Gives its features too."""

    def forward(self, condition: Tensor) -> Tensor:
        return super().forward(condition), self.inner(condition)


class ThreeChannels(ToyGenerator):
    """Takes photos alone, and does not say so."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3) -> None:
        super().__init__(3, out_channels)


class Enlarged(Small):
    """Gives twice the height and width, and does not say so."""

    def forward(self, condition: Tensor) -> Tensor:
        return F.interpolate(super().forward(condition), scale_factor=2.0)


class HalfAsLarge(Small):
    """States what it is larger than its condition as a fraction."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3) -> None:
        super().__init__(in_channels, out_channels)
        self.scale = 0.5


class Tanh(Small):
    """Ends with a tanh, as images are in [-1, 1]."""

    def forward(self, condition: Tensor) -> Tensor:
        return super().forward(condition).tanh()


class Sigmoid(Small):
    """Gives images in [0, 1]."""

    def forward(self, condition: Tensor) -> Tensor:
        return super().forward(condition).sigmoid()


class Positive(Small):
    """Ends with a ReLU."""

    def forward(self, condition: Tensor) -> Tensor:
        return super().forward(condition).relu()


class Correcting(Small):
    """Adds a correction to its condition that is as large as an image at most."""

    def forward(self, condition: Tensor) -> Tensor:
        return condition[:, :1] + super().forward(condition).tanh()


class Timed(ToyGenerator):
    """Sound: takes a time."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3) -> None:
        super().__init__(in_channels, out_channels, inputs=["time"])


class Timeless(Timed):
    """Takes a time, and does nothing with it."""

    def forward(self, condition: Tensor, time: Tensor) -> Tensor:
        return super().forward(condition, time=torch.zeros_like(time))


class OneTime(Timed):
    """Takes the time of the first image for that of all."""

    def forward(self, condition: Tensor, time: Tensor) -> Tensor:
        return super().forward(condition, time=time[:1].expand(len(time)))


class UnknownInput(Timed):
    """Calls the time of a diffusion its step."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3) -> None:
        super().__init__(in_channels, out_channels)
        self.inputs = {"step": 1}


class TimeOfManyNumbers(Timed):
    """States how many features it makes of a time."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3) -> None:
        super().__init__(in_channels, out_channels)
        self.inputs = {"time": 64}


class DividesByDeviation(Small):
    """Normalizes the condition, which may be of one color."""

    def forward(self, condition: Tensor) -> Tensor:
        centered = condition - condition.mean(dim=(1, 2, 3), keepdim=True)
        return super().forward(centered / condition.std(dim=(1, 2, 3), keepdim=True))


class NormOfOnePixel(ToyGenerator):
    """Normalizes, over the batch, what it gathers from a whole image."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3) -> None:
        super().__init__(in_channels, out_channels)
        self.gather = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4))

    def forward(self, condition: Tensor) -> Tensor:
        features = self.norm(self.inner(condition)).relu()
        return self.outer(self.dropout(features + self.gather(features)))


class DeviationOfTheBatch(ToyGenerator):
    """Looks at how images of a batch differ in training, where there may be one."""

    def forward(self, condition: Tensor) -> Tensor:
        spread = condition.std(dim=0).mean() if self.training else 0.0
        return super().forward(condition) * (1 + spread)


class Skipping(ToyGenerator):
    """Sound: has a skip connection around its norm."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3) -> None:
        super().__init__(in_channels, out_channels)
        self.carrier = nn.Identity()

    def skips(self) -> Sequence[Skip]:
        return [Skip(1, self.carrier)]

    def carried(self, features: Tensor) -> Tensor:
        return self.carrier(features)

    def forward(self, condition: Tensor) -> Tensor:
        features = self.inner(condition)
        return self.outer(self.dropout(self.norm(features).relu()) + self.carried(features))


class ChangingSkip(Skipping):
    """Takes the layer that the skip leads through for the skip."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3) -> None:
        super().__init__(in_channels, out_channels)
        self.carrier = nn.ReLU()


class SkipNotCalled(Skipping):
    """Has a module for its skip, and does without."""

    def carried(self, features: Tensor) -> Tensor:
        return features


class SkipCalledTwice(Skipping):
    """Uses one module for what is carried twice."""

    def carried(self, features: Tensor) -> Tensor:
        return self.carrier(self.carrier(features))


class SkipWithoutUse(Skipping):
    """Calls its skip's module, and uses what went in."""

    def carried(self, features: Tensor) -> Tensor:
        self.carrier(features)
        return features


class SkipsInwardsOut(Skipping):
    """Lists its skips from the innermost."""

    def skips(self) -> Sequence[Skip]:
        return [Skip(2, self.carrier), Skip(1, self.carrier)]


class SkipsFromZero(Skipping):
    """Counts its skips as Python does."""

    def skips(self) -> Sequence[Skip]:
        return [Skip(0, self.carrier)]


_SKIPS = "test_skips_pass_on_what_they_carry"

PLANTED = [
    *planted_in(ToyGenerator),
    Planted(OptionsOfAnyName, "test_a_recipe_can_name_it", "does not take `in_channels`, which the framework supplies"),
    Planted(ToyGenerator, "test_a_recipe_can_name_it", "a setting `channel`", {"settings": {"channel": 8}}),
    Planted(NoHelp, "test_settings_have_help", "the docstring says nothing of `depth` under `Args:`"),
    Planted(FloatMultiple, "test_its_sizes_are_numbers", "its size_multiple is 4.0"),
    Planted(HalfAsLarge, "test_its_sizes_are_numbers", "its scale is 0.5"),
    Planted(Half, "test_a_prediction_has_the_stated_size", "it gives (2, 3, 32, 32), and should give"),
    Planted(RowTooMany, "test_a_prediction_has_the_stated_size", "it gives (1, 3, 33, 32), and should"),
    Planted(
        Enlarged, "test_a_prediction_has_the_stated_size", "it gives (1, 3, 64, 64), and should give (1, 3, 32, 32)"
    ),
    Planted(WithFeatures, "test_a_prediction_has_the_stated_size", "it gives tuple, and should give"),
    Planted(ThreeChannels, "test_a_prediction_has_the_stated_size", "expected input[1, 1, 32, 32]"),
    Planted(DividesByDeviation, "test_its_output_is_finite", "a single color is not finite"),
    Planted(Tanh, "test_its_output_has_no_bounds", "its output is between -1 and 1: leave the last activation"),
    Planted(Sigmoid, "test_its_output_has_no_bounds", "its output is between 0 and 1"),
    Planted(Positive, "test_its_output_has_no_bounds", "its output is between 0 and"),
    Planted(Correcting, "test_its_output_has_no_bounds", "its output is between -2 and 2"),
    Planted(Timeless, "test_its_further_inputs_matter", "the time of an image makes no difference to its prediction"),
    Planted(OneTime, "test_its_further_inputs_matter", "the time of an image makes no difference to its prediction"),
    Planted(UnknownInput, "test_its_further_inputs_matter", "its inputs have `step`; expected time, label, latent"),
    Planted(TimeOfManyNumbers, "test_its_further_inputs_matter", "its inputs have time: 64; expected a size"),
    Planted(NormOfOnePixel, "test_it_trains_on_a_single_image", "Expected more than 1 value per channel"),
    Planted(DeviationOfTheBatch, "test_it_trains_on_a_single_image", "for one image is not finite"),
    Planted(ChangingSkip, _SKIPS, "its skip at level 1 gives something else than it gets"),
    Planted(SkipNotCalled, _SKIPS, "its skip at level 1 is not called once"),
    Planted(SkipCalledTwice, _SKIPS, "its skip at level 1 is not called once"),
    Planted(SkipsInwardsOut, _SKIPS, "its skips are at levels [2, 1]"),
    Planted(SkipsFromZero, _SKIPS, "go from the outermost, 1, inwards"),
    Planted(SkipWithoutUse, "test_skips_matter", "nothing uses what the module of its skip at level 1 gives"),
]


@pytest.mark.filterwarnings("ignore:std.*degrees of freedom")
@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_mistake_is_found(planted: Planted) -> None:
    require_found(GeneratorSuite, planted)


def test_every_test_finds_a_mistake() -> None:
    assert unproven(GeneratorSuite, PLANTED) == set()


# Sound generators of other kinds


class Spectral(ToyGenerator):
    """Has spectral norm."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3) -> None:
        super().__init__(in_channels, out_channels)
        self.inner = spectral_norm(self.inner)


class Grouped(ToyGenerator):
    """Normalizes over groups of channels."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3) -> None:
        super().__init__(in_channels, out_channels)
        self.norm = nn.GroupNorm(2, 4)


class Attending(ToyGenerator):
    """Lets every pixel look at every other, with PyTorch's own dropout on what it looks at."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3) -> None:
        super().__init__(in_channels, out_channels)
        self.attention = nn.MultiheadAttention(4, 2, dropout=0.1, batch_first=True)

    def forward(self, condition: Tensor) -> Tensor:
        features = F.avg_pool2d(self.norm(self.inner(condition)).relu(), 4)
        tokens = features.flatten(2).transpose(1, 2)
        seen = self.attention(tokens, tokens, tokens, need_weights=False)[0].transpose(1, 2).reshape(features.shape)
        return self.outer(self.dropout(F.interpolate(seen, scale_factor=4.0)))


class Pretrained(ToyGenerator):
    """Has a part that came trained, and stays as it is."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3) -> None:
        super().__init__(in_channels, out_channels)
        self.inner.requires_grad_(False)


class DropPath(nn.Module):
    """Leaves out a branch for some images of a batch in training."""

    def forward(self, features: Tensor) -> Tensor:
        if not self.training:
            return features
        return features * (torch.rand(len(features), 1, 1, 1, device=features.device) < 0.8)


class Stochastic(ToyGenerator):
    """Leaves out a branch now and then, by a module."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3) -> None:
        super().__init__(in_channels, out_channels)
        self.dropout = DropPath()


class Following(ToyGenerator):
    """Sends a constant to the device of what it is given."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3) -> None:
        super().__init__(in_channels, out_channels)
        self.ramp = torch.linspace(-1, 1, 4)

    def forward(self, condition: Tensor) -> Tensor:
        if self.ramp.device != condition.device:
            self.ramp = self.ramp.to(condition.device)
        return super().forward(condition + 0.1 * self.ramp.mean() * torch.ones_like(condition))


class Conditioned(ToyGenerator):
    """Takes all further inputs that there are: a time, a label of several classes, and a latent vector."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3) -> None:
        super().__init__(in_channels, out_channels, inputs=["time"])
        self.inputs = {"label": 5, "time": 1, "latent": 8}
        self.of_label, self.of_latent = nn.Embedding(5, in_channels), nn.Linear(8, in_channels)

    def forward(self, condition: Tensor, *, time: Tensor, label: Tensor, latent: Tensor) -> Tensor:
        more = self.of_label(label) + self.of_latent(latent)
        return super().forward(condition + more[..., None, None], time=time)

    def levels(self) -> Sequence[Level]:
        return [Level("inner", self.inner), Level("outer", self.outer)]


class Enlarging(Small):
    """Doubles height and width, and says so."""

    scale = 2

    def forward(self, condition: Tensor) -> Tensor:
        return F.interpolate(super().forward(condition), scale_factor=2.0)


class Encoding(Small):
    """Gives features."""

    feature_channels = (4, 4)

    def features(self, *images: Tensor) -> Sequence[Tensor]:
        (condition,) = images
        inner = self.inner(condition)
        return [inner, self.norm(inner).relu()]


SOUND = [
    ToyGenerator,
    Skipping,
    Spectral,
    Grouped,
    Attending,
    Pretrained,
    Stochastic,
    Following,
    Timed,
    Conditioned,
    Enlarging,
    Encoding,
]


@pytest.mark.parametrize("generator", SOUND)
def test_a_sound_one_passes(generator: type[Generator]) -> None:
    assert failures(GeneratorSuite, generator) == {}


class Picky(ToyGenerator):
    """Says that it takes photos alone."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3) -> None:
        if in_channels != 3:
            raise ValueError(f"it was trained on photos, and {in_channels} channels are none")
        super().__init__(in_channels, out_channels)


def test_channels_may_be_refused_and_that_is_told() -> None:
    found = results(GeneratorSuite, Picky)
    refused = found["test_a_prediction_has_the_stated_size"]
    assert (refused.outcome, refused.why) == (
        "skipped",
        "it refuses channels (4, 2): it was trained on photos, and 4 channels are none",
    )
    assert {result.outcome for result in found.values()} == {"passed", "skipped"}
    assert failures(GeneratorSuite, ThreeChannels, channels=[(3, 3), (3, 1)]) == {}


class Choosing(ToyGenerator):
    """Decides by the values of an image what to do."""

    def forward(self, condition: Tensor) -> Tensor:
        made: Any = super().forward(condition)
        return made if condition.mean() > 10 else -made


def test_what_depends_on_values_cannot_be_sent_to_a_device_without_any() -> None:
    told = results(GeneratorSuite, Choosing)["test_it_goes_to_a_device"]
    assert told.outcome == "skipped"
    assert "depends on values" in told.why
