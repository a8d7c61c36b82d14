"""Interface of methods: networks and losses combined into a training step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from jaxtyping import Float
from torch import Tensor

from genlab.errors import PluginError
from genlab.interfaces.loss import AdversarialLoss, Loss
from genlab.interfaces.network import Network
from genlab.interfaces.predictions import Predictions


class Batch(NamedTuple):
    """Pairs ready for the networks: floats in [-1, 1].

    A label map is seen in its palette's colors; but as a target of a method that predicts classes it has one channel
    a class, 1 where a pixel is of the class and 0 elsewhere.
    """

    condition: Float[Tensor, "n c h w"]
    target: Float[Tensor, "n d h w"]


class WeightedLoss(NamedTuple):
    """A loss of the recipe, and its weight there."""

    loss: Loss | AdversarialLoss
    weight: float


class Term(NamedTuple):
    """One part of a phase's objective: `weight * value` is minimized, `value` is reported."""

    value: Float[Tensor, ""]
    weight: float


Outputs = Mapping[str, Tensor]
Terms = Mapping[str, Term]


@dataclass(frozen=True)
class Phase:
    """One update within a step.

    Args:
        name: for reports, such as `discriminator`.
        updates: the roles of the networks whose parameters the update changes.
        terms: from the batch and what the step's forward pass gave, the terms of the objective by name. The graph of
            the forward pass can be used for the backward pass of one phase only; others detach what they use.

    Raises:
        PluginError: `updates` is not a tuple of roles.
    """

    name: str
    updates: tuple[str, ...]
    terms: Callable[[Batch, Outputs], Terms]

    def __post_init__(self) -> None:
        # A tuple of one without its comma is a string, which Python would iterate letter by letter.
        if isinstance(self.updates, str):
            what = f'the phase "{self.name}" has updates="{self.updates}"; expected a tuple of roles'
            raise PluginError(what, hint=f'Write updates=("{self.updates}",).')


class Method(ABC):
    """A set of networks, the forward pass that they share, and the phases of a step, in order.

    The framework supplies the constructor's `networks` (by role) and `losses` (by the recipe's label); its other
    arguments are settings. The class says in `roles` which of the recipe's tables of networks it uses (`generator`,
    `discriminator`), and in `predictions` what it predicts: losses and metrics must take the same.

    A recipe may have no adversarial loss, and then there is no discriminator: `networks` lacks it, and `phases` leaves
    out what updates it, or the constructor raises a `ValueError` that says why it can't do without. Several images that
    are scored with the same weights are scored faster by the discriminator's `score_each`.

    A constructor of one's own calls `super().__init__(networks, losses)`, which keeps both as attributes.
    """

    roles: ClassVar[tuple[str, ...]] = ("generator",)
    predictions: ClassVar[Predictions] = "images"

    def __init__(self, networks: Mapping[str, Network], losses: Mapping[str, WeightedLoss]) -> None:
        self.networks = networks
        self.losses = losses

    @abstractmethod
    def forward(self, batch: Batch) -> Outputs:
        """Compute what all phases of one step share, once, with gradients."""

    @abstractmethod
    def phases(self) -> Sequence[Phase]:
        """The updates of one step, in order; each sees the networks as the one before left them."""

    @abstractmethod
    def predict(self, condition: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        """Predict from a condition with the trained networks."""

    def state(self) -> Mapping[str, Tensor]:
        """State that the method carries from step to step, by name, such as earlier predictions; empty by default.

        A checkpoint holds it beside the networks' weights and the losses' buffers.
        """
        return {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Restore the `state` of a checkpoint."""
