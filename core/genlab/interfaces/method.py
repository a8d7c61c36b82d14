"""Interface of methods: networks and losses combined into a training step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from genlab.errors import PluginError
from genlab.interfaces.batch import Batch
from genlab.interfaces.loss import AnyLoss
from genlab.interfaces.network import Network
from genlab.interfaces.position import Position
from genlab.interfaces.predictions import Predictions
from genlab.interfaces.request import Request
from genlab.interfaces.role import GENERATOR, Role, require_roles
from genlab.interfaces.step_context import StepContext
from genlab.interfaces.weight import Weight


class WeightedLoss(NamedTuple):
    """A loss of the recipe, and its weight there, which may change over the training: `weight.at(batch.position)`."""

    loss: AnyLoss
    weight: Weight


class Term(NamedTuple):
    """One part of a phase's objective: `weight * value` is minimized, `value` is reported."""

    value: Float[Tensor, ""]
    weight: float


Outputs = Mapping[str, Tensor]
Terms = Mapping[str, Term]


@dataclass(frozen=True)
class Phase:
    """One update within a step, or several.

    Args:
        name: for reports, such as `discriminator`.
        updates: the roles of the networks whose parameters the update changes.
        terms: from the batch and what the step's forward pass gave, the terms of the objective by name. Terms of losses
            have the labels that a recipe gives them, so a method's own terms need names that no label is likely to
            have. The graph of the forward pass can be used for the backward pass of one phase only; others detach what
            they use.
        every: it takes part in each so many steps, the last of them.
        repeats: how many updates it makes in a step; for each after the first, `forward` is computed anew.
        fresh: whether each update after the first has another batch.

    Raises:
        PluginError: `updates` is not a tuple of roles, or a number is below 1.
    """

    name: str
    updates: tuple[str, ...]
    terms: Callable[[Batch, Outputs], Terms]
    every: int = 1
    repeats: int = 1
    fresh: bool = False

    def __post_init__(self) -> None:
        # A tuple of one without its comma is a string, which Python would iterate letter by letter.
        if isinstance(self.updates, str):
            what = f'the phase "{self.name}" has updates="{self.updates}"; expected a tuple of roles'
            raise PluginError(what, hint=f'Write updates=("{self.updates}",).')
        for name in ("every", "repeats"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise PluginError(f'the phase "{self.name}" has {name}={value!r}; expected an integer of at least 1')
        if not self.updates:
            raise PluginError(f'the phase "{self.name}" updates no network')


def _enlarged(image: Tensor, like: Tensor) -> Tensor:
    """An image at the height and width of another one."""
    size = like.shape[-2:]
    return image if image.shape[-2:] == size else interpolate(image, size, mode="nearest")


class Method(ABC):
    """A set of networks, the forward pass that they share, and the phases of a step, in order.

    The framework supplies the constructor's `networks` (by role) and `losses` (by the recipe's label); its other
    arguments are settings. The class says in `roles` which networks it has, in `predictions` what it predicts (losses
    and metrics must take the same), and in `needs_pairs` whether a batch's condition and target belong together.
    One that says `follows_masks = True` leaves out the pixels that a batch's mask leaves out: it compares predictions
    by a `StepContext` of the batch alone, which sees to it. Data with masks or ignored labels are refused without it.
    A class whose state depends on the images seen, such as a pool of earlier predictions, says
    `remembers_images = True`: a training on several devices has to know.

    A recipe may have no loss that needs a discriminator, and then there is none: `networks` lacks all roles of that
    kind, and `phases` leaves out what updates them, or the constructor raises a `ValueError` that says why it can't do
    without.

    Generators give values without bounds. What predicts images in [-1, 1] applies a tanh, or clamps what it samples.

    A constructor of one's own calls `super().__init__(networks, losses)`, which keeps both as attributes. It may take
    `channels`, those of each side by name, as a sampler needs that starts with noise in the target's shape: a mapping
    with the keys `condition` and `target`.
    """

    roles: ClassVar[Mapping[str, Role]] = {"generator": GENERATOR}
    predictions: ClassVar[Predictions] = "images"
    needs_pairs: ClassVar[bool] = True
    follows_masks: ClassVar[bool] = False
    remembers_images: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        require_roles(cls.roles, cls.__name__)

    def __init__(self, networks: Mapping[str, Network], losses: Mapping[str, WeightedLoss]) -> None:
        self.networks = networks
        self.losses = losses

    def begin(self, position: Position) -> None:
        """Take note of the position before a step, for `updated`; does nothing by default.

        It is called before every step, also the first after a resume, so the position is no part of `state`.
        """

    def step(self, batch: Batch, prediction: Tensor, role: str = "discriminator") -> StepContext:
        """A step as objectives see it, with a discriminator that is shown what its role reads, at the image's size.

        Args:
            batch: condition and target.
            prediction: of the side that the discriminator scores.
            role: the discriminator's; if it scores conditions, the step is that of the way back.
        """
        *shown, scored = self.roles[role].reads
        sides: dict[str | int, Tensor] = {"condition": batch.condition, "target": batch.target}
        given = batch.reversed() if scored == "condition" else batch
        images = [_enlarged(sides[side], prediction) for side in shown]
        condition = images[0] if len(images) == 1 else torch.cat([prediction[:, :0], *images], dim=1)
        return StepContext(given, prediction, self.networks.get(role), condition)

    @abstractmethod
    def forward(self, batch: Batch) -> Outputs:
        """Compute what all phases of one step share, once, with gradients.

        A step may average over several batches (`train.accumulate`). They are all computed before the first phase, and
        one again where gradients are taken through it, with the same random numbers; changes of buffers and `state`
        happen once. So what `terms` need is in the outputs.
        """

    @abstractmethod
    def phases(self) -> Sequence[Phase]:
        """The updates of a step, in order; each sees the networks as the one before left them.

        They are the same at every step: `every` says what takes part in some steps only.
        """

    def updated(self, roles: Sequence[str]) -> None:
        """Follow an update of these roles, without gradients, as an average of weights does; nothing by default.

        An average has buffers too, such as those of batch norm.
        """

    def request(self) -> Request | None:
        """Ask for something after a step: `StopTraining(reason)` or `SaveCheckpoint()`; None by default.

        What it depends on from step to step belongs in `state`. Reading a tensor here synchronizes a GPU at every step.
        """
        return None

    @abstractmethod
    def predict(self, condition: Float[Tensor, "n c j k"]) -> Float[Tensor, "n d h w"]:
        """Predict from a condition with the trained networks: images in [-1, 1], or scores of classes.

        What is drawn here by PyTorch's own generator, such as `torch.randn_like`, is a function of `inference.seed`.
        """

    def predict_condition(self, target: Float[Tensor, "n d h w"]) -> Float[Tensor, "n c j k"]:
        """Predict the way back, where a method can: for the option `--to` of `gen predict`."""
        raise NotImplementedError

    def state(self) -> Mapping[str, Tensor]:
        """State that the method carries from step to step, by name, such as earlier predictions; empty by default.

        A checkpoint holds it beside the networks' weights and the losses' buffers.
        """
        return {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Restore the `state` of a checkpoint."""

    def fingerprint(self) -> str | None:
        """Hash of what it loads in other ways than by a `Path` among its settings; None by default.

        A run remembers it, and is not resumed with another. What is at a path is hashed without it.
        """
        return None
