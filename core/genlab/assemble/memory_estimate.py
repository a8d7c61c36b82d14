"""Estimate of the memory that a training takes, from steps without values."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.filesize import decimal
from torch import Tensor

from genlab.assemble.dry_training import DryTraining
from genlab.assemble.read import read_recipe
from genlab.assemble.recipe import Recipe
from genlab.assemble.update_rules import build_optimizers
from genlab.config.document import Document
from genlab.config.schema import Settings
from genlab.engine.memory import TRAINED, available_memory
from genlab.engine.optimizers import trained_networks
from genlab.engine.runtime import choose_device, settle_train
from genlab.engine.work import peak_bytes_of
from genlab.errors import DeviceError, GenlabError, TrainingError
from genlab.registry.discovery.trust import trusting
from genlab.util.arguments import checked_arguments
from genlab.util.exceptions import summarize

_META = torch.device("meta")
_CHANNELS = (3, 3)


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes of a training's tensors, besides what Python, PyTorch and the cache of pairs take.

    Args:
        weights: weights and buffers of networks and losses, and the averages of `[ema]`.
        gradients: gradients of the networks that are trained.
        optimizer: state of their optimizers.
        activations: the rest of the most that is there at a time: what the backward passes need, and batches.
        batch_size: pairs per batch, to which activations are about proportional.
        channels_key: the setting of the generator's channels, `generator.channels`; None if it has no such setting.
        available: bytes that are available on the recipe's device; None where that is not known.
    """

    weights: int
    gradients: int
    optimizer: int
    activations: int
    batch_size: int
    channels_key: str | None
    available: int | None

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.gradients + self.optimizer + self.activations

    @property
    def is_enough(self) -> bool:
        """True unless more is needed than is available."""
        return self.available is None or self.total <= self.available

    @property
    def hint(self) -> str | None:
        """The settings to change where there is not enough memory."""
        if self.available is None or self.is_enough:
            return None
        left, image = self.available - (self.total - self.activations), self.activations / self.batch_size
        smaller = f"reduce {self.channels_key}" if self.channels_key else "take smaller networks"
        if left <= 0:
            return f"Weights, gradients and optimizer state alone take more: {smaller}."
        if left < image:
            return f"One pair takes more: reduce input.size, or {smaller}."
        fits = f"Reduce train.batch_size: {int(left / image)} may fit"
        return f"{fits}, and train.accumulate takes several such batches a step."

    def words(self) -> str:
        """One line: the total, its parts, and what is available."""
        parts = ("weights", "gradients", "optimizer", "activations")
        listed = ", ".join(f"{part} {decimal(getattr(self, part))}" for part in parts)
        there = f"; {decimal(self.available)} are available" if self.available is not None else ""
        return f"a training on pairs of three channels takes about {decimal(self.total)} ({listed}){there}"


@checked_arguments
def estimate_memory(
    recipe: str | Path, *, overrides: Iterable[str] = (), plugins: Iterable[str | Path] = (), trust: bool = False
) -> MemoryEstimate:
    """Estimate of the memory that a recipe's training takes: a step without values, for pairs of three channels.

    The data are not read. A process takes more than its tensors, 1.2 to 1.9 times as much on a CPU. In 16 bits on a
    CUDA GPU, activations take half.

    Args:
        recipe: the path of a recipe, or the name of one that ships with genlab.
        overrides: `KEY=VALUE` texts, laid over the recipe.
        plugins: Python files with plugins.
        trust: whether to run code that came with a run of somebody else, such as a judge that the recipe names, and to
            remember it as trusted.

    Raises:
        RecipeError: with all that is wrong.
        PluginError: a plugin's file cannot be loaded.
        TrainingError: a step without values fails, such as of a component that computes with them.
    """
    checked = read_recipe(recipe, overrides=overrides, plugins=plugins)
    with trusting(trust):
        return _estimate_training(checked.recipe, checked.document)


def _estimate_training(recipe: Recipe, document: Document) -> MemoryEstimate:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with _META:
                training = DryTraining(recipe, _CHANNELS, document)
            return _estimate(training, recipe, document)
    except GenlabError:
        raise
    except Exception as error:  # a component's, of every kind; if it is at fault, a training says so
        raise TrainingError(f"a step without values failed: {summarize(error)}") from error


def _estimate(training: DryTraining, recipe: Recipe, document: Document) -> MemoryEstimate:
    settings = recipe.settings
    fullest = training.kinds.total()

    def work() -> None:
        # From the second step on, there are gradients of the step before.
        training.take_step(fullest)
        training.take_step(fullest)

    peak = peak_bytes_of(work, training.tensors())
    networks = trained_networks(training.method).values()
    weights = _bytes(tensor for module in training.modules() for tensor in (*module.parameters(), *module.buffers()))
    gradients = _bytes(weight for network in networks for weight in network.parameters() if weight.requires_grad)
    averaged = (training.method.networks[role] for role in (settings.ema.roles if settings.ema else ()))
    average = _bytes(weight for network in averaged for weight in network.parameters())
    available, share = _machine(settings)
    return MemoryEstimate(
        weights=weights + average,
        gradients=gradients,
        optimizer=_optimizer_bytes(training, recipe, document),
        activations=round(share * max(peak - weights - gradients, 0)),
        batch_size=settings.train.batch_size,
        channels_key=_channels_key(recipe),
        available=available,
    )


def _channels_key(recipe: Recipe) -> str | None:
    generator = recipe.networks.get("generator")
    has_channels = generator and "channels" in generator.component.contract.settings.model_fields
    return "generator.channels" if has_channels else None


def _machine(settings: Settings) -> tuple[int | None, float]:
    """Memory that is available on the recipe's device, and the share of single precision that activations take."""
    try:
        train = settle_train(settings.train)
    except DeviceError:
        return None, 1.0
    device = choose_device(train.device)
    is_half = device.type == "cuda" and train.chosen_precision != "float32"
    return available_memory(device), 0.5 if is_half else 1.0


def _optimizer_bytes(training: DryTraining, recipe: Recipe, document: Document) -> int:
    """Bytes of the optimizers' state after a step; where one needs values for that, as Adam's."""
    total = 0
    networks = training.method.networks
    for role, optimizer in build_optimizers(recipe, networks, document).items():
        weights = [weight for weight in networks[role].parameters() if weight.requires_grad]
        for weight in weights:
            weight.grad = torch.zeros_like(weight)
        is_done = False
        with suppress(Exception):
            optimizer.step()
            is_done = True
        state = _bytes(value for values in optimizer.state.values() for value in values.values())
        total += state if is_done or state else (TRAINED - 2) * _bytes(weights)
    return total


def _bytes(values: Iterable[object]) -> int:
    """Bytes of tensors, each counted once."""
    return sum({id(value): value.nbytes for value in values if isinstance(value, Tensor)}.values())
