"""A trained run looked into."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy

import numpy as np

from genlab.data.order import spread
from genlab.data.sides import to_picture
from genlab.engine.announcer import Announcer
from genlab.engine.inference import Predictor
from genlab.engine.seeding import random_numbers_apart, seed_random_numbers
from genlab.engine.step import measure_norms
from genlab.engine.validation import single
from genlab.errors import DataError, RunError
from genlab.interfaces.listener import Pictures, Probed, SkipEffect
from genlab.interfaces.method import Batch, Method
from genlab.probing.report import write_report
from genlab.probing.skips import SkipProbe
from genlab.run import Run

SHOWN = 3


def probe(run: Run, pairs: int, tell: Callable[[int, int], None]) -> Probed:
    """Replace what each skip connection carries, one at a time, and measure what becomes of predictions.

    The result is written to `probe/` in the run's folder, and the recipe's listeners hear of it.

    Args:
        run: the run.
        pairs: how many validation pairs to use, two at least; no more than there are.
        tell: hears how many skip connections of how many are done.

    Raises:
        ValueError: `pairs` is below two.
        RunError: the generator has no skip connections, or there is no trained one.
        DataError: the validation pairs cannot be had, or there is but one.
    """
    if pairs < 2:
        raise ValueError(f"pairs is {pairs}, but a skip is to carry another image's features: at least 2 are needed")
    generator = run.generator
    if not (skips := generator.skips()):
        what = f"{run.recipe.networks['generator'].component} has no skip connections to probe"
        raise RunError(what, where=str(run.path))
    prepared = run.validation_pairs()
    indices = spread(len(prepared), pairs)
    if len(prepared) < 2:
        what = "there is one pair, and a skip connection is to be given another image's features"
        raise DataError(what, where=prepared.pairs.description)
    batches = [single(prepared, index, run.device) for index in indices]
    predictor = Predictor(run.method, run.recipe.settings.inference)
    skip_probe = SkipProbe(predictor, batches, prepared.sides.target, SHOWN)
    effects: list[SkipEffect] = []
    for done, skip in enumerate(skips):
        tell(done, len(skips))
        effects += skip_probe.effects(skip)
    tell(len(skips), len(skips))
    gradients, weights = _norms(run.method, batches)
    pictures = Pictures(
        keys=tuple(prepared[index].key for index in indices[:SHOWN]),
        condition=np.stack([to_picture(batch.condition[0], prepared.sides.condition) for batch in batches[:SHOWN]]),
        prediction=skip_probe.pictures(skip_probe.undisturbed),
        target=skip_probe.pictures([batch.target for batch in batches]),
    )
    probed = Probed(run.path, run.manifest.step, len(batches), pictures, effects, gradients, weights)
    write_report(probed)
    Announcer(run.listeners()).tell(probed)
    return probed


def _norms(method: Method, batches: Sequence[Batch]) -> tuple[dict[str, float], dict[str, float]]:
    """The mean norms of gradients, and the norms of weights, by role and level; of a copy, as it is changed by that."""
    copy, device = deepcopy(method), batches[0].condition.device
    for module in (*copy.networks.values(), *(weighted.loss for weighted in copy.losses.values())):
        module.train()
    with random_numbers_apart(device):
        seed_random_numbers(0, device)
        found = [measure_norms(copy, batch) for batch in batches]
    first = found[0]
    gradients = {
        name: sum(step.gradient_norms[name].item() for step in found) / len(found) for name in first.gradient_norms
    }
    return gradients, {name: norm.item() for name, norm in first.weight_norms.items()}
