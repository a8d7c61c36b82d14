"""Networks: generators and discriminators.

Between components images are (batch, channels, height, width) floats in [-1, 1].
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override


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


class Network(nn.Module):
    """A module that can initialize its weights and list its levels."""

    def initialize(self, name: str, parameter: Tensor, rng: torch.Generator) -> None:
        """Initialize one parameter in place, drawing only from `rng`.

        The framework calls it once for each parameter when a run starts, without gradients. `rng` is seeded by the
        run's seed, the network's role and `name`, so parameters of the same name and shape start equal in every
        variant of a network. This one keeps what the constructor made, as pretrained weights need.
        """

    def levels(self) -> Sequence[Level]:
        """Stages for summaries and gradient norms; the module's direct children by default."""
        return [Level(name, module) for name, module in self.named_children()]

    def make_plain(self) -> None:
        """Switch to PyTorch's own layers, with the same parameters; does nothing by default.

        `gen bench` compares a recipe with its plain networks. A network that has faster layers of its own, or scores
        several images in one pass, overrides it.
        """


class Generator(Network, ABC):
    """Turns a condition into a prediction of the same height and width.

    The framework supplies the constructor's `in_channels` and `out_channels`; its other arguments are settings.
    `size_multiple` is what the height and width of a condition must be multiples of, in pixels: a class says it, or its
    constructor, such as `self.size_multiple = 2**levels`. Dropout is a module (`nn.Dropout` and its kin), so that a
    recipe can keep it on when it predicts.
    """

    size_multiple: int = 1

    @abstractmethod
    @override
    def forward(self, condition: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        """The prediction, in [-1, 1] as the condition is; or scores of classes, which have no bounds."""

    def skips(self) -> Sequence[Skip]:
        """The skip connections, from the outermost, which `gen probe` replaces one by one; here none."""
        return ()


class Discriminator(Network, ABC):
    """Classifies images as real or predicted.

    The framework supplies the constructor's `condition_channels` and `image_channels`; its other arguments are
    settings. A class says, or its constructor, in `receptive_field` the side of the square that one score sees, and in
    `min_size` the least height and width of an image that gives a score, both in pixels.
    """

    receptive_field: int
    min_size: int

    @abstractmethod
    @override
    def forward(self, condition: Float[Tensor, "n c h w"], image: Float[Tensor, "n d h w"]) -> Float[Tensor, "n 1 i j"]:
        """Scores: before any sigmoid, higher for what is taken as real."""

    def score_each(
        self, condition: Float[Tensor, "n c h w"], images: Sequence[Float[Tensor, "n d h w"]]
    ) -> Sequence[Float[Tensor, "n 1 i j"]]:
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
