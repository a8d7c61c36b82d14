"""Networks: generators and discriminators.

Between components images are (batch, channels, height, width) floats in [-1, 1].
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from genlab.errors import TrainingError
from genlab.interfaces.role import FurtherInput


class Level(NamedTuple):
    """A stage of a network, as listed in summaries.

    Args:
        name: such as `encoder 1`; unique in the network.
        module: its module, called once in a forward pass.
        skip: what a skip connection adds to it, such as `+ encoder 7`, or nothing.
    """

    name: str
    module: nn.Module
    skip: str = ""


class Skip(NamedTuple):
    """A skip connection.

    Args:
        level: the level that it is at, counted from the outermost, 1.
        module: a module that passes on what the skip carries and nothing else, called once in a forward pass; an
            `nn.Identity()` serves.
    """

    level: int
    module: nn.Module


class Scored(NamedTuple):
    """Scores of a discriminator with several maps, or with features.

    Args:
        maps: scores, at least one map (n, 1, i, j): before any sigmoid, higher for what is taken as real.
        features: of its layers, in order, of all maps one after the other; (n, c, h, w) each.
    """

    maps: Sequence[Float[Tensor, "n 1 _ _"]]
    features: Sequence[Float[Tensor, "n _ _ _"]] = ()


def as_scored(scores: Float[Tensor, "n 1 i j"] | Scored) -> Scored:
    """Take the scores of a discriminator in either form.

    Raises:
        TrainingError: it gave something else.
    """
    if isinstance(scores, Scored):
        return scores
    if not isinstance(scores, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]
        given = type(scores).__name__
        raise TrainingError(f"expected a discriminator to give a tensor of scores or a genlab.Scored, got a {given}")
    return Scored((scores,))


class Network(nn.Module):
    """A module that can initialize its weights and list its levels.

    It is also the interface of networks that are neither generators nor discriminators, such as encoders, heads and
    teachers. A constructor of such a network may take `in_channels`, and a method then says for its role what that is:
    a tuple of the channels of each thing that it reads, in order; what it reads of another role is each of that one's
    features. How a method calls it, and what it gives, is between the two.

    One that can give features sets `feature_channels`, the channels of each, and overrides `features`.
    """

    feature_channels: Sequence[int] = ()

    def features(self, *images: Float[Tensor, "n _ _ _"]) -> Sequence[Float[Tensor, "n _ _ _"]]:
        """The features of an input, outermost first, as many as `feature_channels`.

        They are computed in float32 and are not compiled, as precision and compilation act on calls of the network.
        """
        raise NotImplementedError

    def initialize(self, name: str, parameter: Tensor, rng: torch.Generator) -> None:
        """Initialize one parameter in place, drawing only from `rng`.

        The framework calls it once for each parameter when a run starts, without gradients. `rng` is seeded by the
        run's seed, the network's role and `name`, so parameters of the same name and shape start equal in every
        variant of a network. This one keeps what the constructor made, as pretrained weights need.
        """

    def levels(self) -> Sequence[Level]:
        """Stages for summaries and gradient norms; the module's direct children by default."""
        return [Level(name, module) for name, module in self.named_children()]

    def fingerprint(self) -> str | None:
        """Hash of what it loads in other ways than by a `Path` among its settings; None by default.

        A run remembers it, and is not resumed with another. What is at a path is hashed without it.
        """
        return None

    def make_plain(self) -> None:
        """Switch to PyTorch's own layers, with the same parameters; does nothing by default.

        `gen bench` compares a recipe with its plain networks. A network that has faster layers of its own, or scores
        several images in one pass, overrides it.
        """


class Generator(Network, ABC):
    """Turns a condition into an image of the same size, or `scale` times as high and wide.

    The framework supplies the constructor's `in_channels` and `out_channels`; its other arguments are settings. The
    last layer has no activation: the method knows whether it gives an image, a velocity or scores of classes, and
    applies a tanh where it has to.

    A class, or its constructor, says in `size_multiple` what the height and width of a condition must be multiples of,
    in pixels, such as `self.size_multiple = 2**levels`; in `scale` how many times larger the output is; and in
    `inputs` which further inputs `forward` takes, by name, and their sizes: a `time` of size 1 is (n,), from 0 to 1; a
    `label` of k classes is (n,), integers; a `latent` of size k is (n, k). Dropout is a module (`nn.Dropout` and its
    kin), so that a recipe can keep it on when it predicts.
    """

    size_multiple: int = 1
    scale: int = 1
    inputs: Mapping[FurtherInput, int] = MappingProxyType({})

    @abstractmethod
    @override
    def forward(self, condition: Float[Tensor, "n c h w"], *args: Any, **inputs: Any) -> Float[Tensor, "n d _ _"]:
        """The output, without bounds; a class takes its further inputs by name: `forward(condition, *, time)`."""

    def skips(self) -> Sequence[Skip]:
        """The skip connections, from the outermost, which `gen probe` replaces one by one; here none."""
        return ()


class Discriminator(Network, ABC):
    """Classifies images as real or predicted.

    The framework supplies the constructor's `condition_channels` and `image_channels`; its other arguments are
    settings. A method that shows no condition says 0 `condition_channels`, and the condition then has none.

    A class says, or its constructor, in `receptive_field` the side of the square that one score sees (of several maps,
    the largest), and in `min_size` the least height and width of an image that gives a score, both in pixels of the
    image, also where a map is made of a smaller version. One whose scores depend on the whole image, such as through
    attention or its own norm, says `is_local = False`; one whose `Scored` has features sets `feature_channels`.
    """

    receptive_field: int
    min_size: int
    is_local: ClassVar[bool] = True

    @abstractmethod
    @override
    def forward(
        self, condition: Float[Tensor, "n c h w"], image: Float[Tensor, "n d h w"]
    ) -> Float[Tensor, "n 1 i j"] | Scored:
        """Scores before any sigmoid, higher for what is taken as real; a `Scored` has several maps, or features."""

    @override
    def features(self, *images: Float[Tensor, "n _ _ _"]) -> Sequence[Float[Tensor, "n _ _ _"]]:
        """The features of an image, given its condition and itself."""
        return as_scored(self(*images)).features

    def score_each(
        self, condition: Float[Tensor, "n c h w"], images: Sequence[Float[Tensor, "n d h w"]]
    ) -> Sequence[Float[Tensor, "n 1 i j"] | Scored]:
        """The scores of several images of one condition, in their order: what `self(condition, image)` gives for each.

        A method asks for it where it scores with the same weights, as in pix2pix a target and a prediction. This one
        makes the calls; one of your own may score all in one pass, which is faster: where no layer looks at the whole
        batch, `self(condition.repeat(len(images), 1, 1, 1), torch.cat(list(images))).chunk(len(images))` does. It calls
        itself and not its layers, as precision and compilation act on that call. A batch norm would have to normalize
        the batch of each image by itself, and update its running statistics in their order. The scores may share memory
        and a graph: they have one backward pass together, and are not changed in place.

        Args:
            condition: a batch.
            images: batches of images that may belong to it, at least one.
        """
        return [self(condition, image) for image in images]
