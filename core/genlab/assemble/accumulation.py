"""Checks of what a recipe averages over several batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

from genlab.config.schema import Train
from genlab.config.validate import bare
from genlab.errors import Fault
from genlab.interfaces.network import Network
from genlab.registry.components import ComponentConfig


def accumulation_faults(losses: Mapping[str, ComponentConfig], train: Train) -> Iterator[Fault]:
    """Faults of losses whose mean over batches is not their value over all pairs, where gradients are averaged.

    Args:
        losses: those of the recipe, by label.
        train: how many batches an update averages over.
    """
    if train.accumulate == 1:
        return
    for label, config in losses.items():
        cls: Any = config.component.cls
        if not cls.is_mean:
            what = f"the loss `{label}` is not a mean over images, so it cannot be averaged over batches"
            more = f"train.accumulate = 1 and train.batch_size = {train.pairs_per_step}"
            hint = f"Set {more}, or drop the loss with losses.{bare(label)}.weight = 0."
            yield Fault(("losses", label), what, hint, at_key=True)


def accumulation_warnings(
    networks: Mapping[str, Network], train: Train, *, is_masked: bool, shares: int = 1
) -> list[str]:
    """Warnings of what looks across a batch, where gradients are averaged over several batches or shares of them.

    Args:
        networks: by role.
        train: how many batches an update averages over.
        is_masked: whether some pixels of the pairs may not count.
        shares: the number of processes that share each batch.
    """
    if train.accumulate * shares == 1:
        return []
    count = train.batch_size // shares
    what = "batch" if shares == 1 else "process's share"
    pairs = f"{count} pair{'s' if count > 1 else ''}"
    warnings: list[str] = []
    if is_masked:
        warnings.append(
            f"Losses are means over the pixels that count of each {what} of {pairs}: where these have different "
            "numbers of them, an update weighs their pixels differently than one larger batch would."
        )
    across = [role for role, network in networks.items() if any(isinstance(it, _BatchNorm) for it in network.modules())]
    if not across or (train.sync_batch_norm and train.accumulate == 1):
        return warnings
    remedy = (
        "with train.accumulate, instance norm trains"
        if shares == 1
        else "instance norm, or train.sync_batch_norm, trains"
    )
    return [
        *warnings,
        f"Batch norm of the {' and the '.join(across)} has the statistics of each {what} of {pairs}, not of the "
        f"{train.pairs_per_step} of a step: {remedy} as with a larger batch.",
    ]
