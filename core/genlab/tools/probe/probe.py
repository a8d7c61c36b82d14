"""Probe of a trained run: effect of its skip connections, and gradient norms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import cast

import numpy as np
from torch import nn

from genlab.data.order import evenly_spaced
from genlab.data.view import view_pairs
from genlab.engine.inference import Predictor
from genlab.engine.listener_list import ListenerList
from genlab.engine.seeding import isolated_rng, seed_random_numbers
from genlab.engine.step import measure_norms
from genlab.engine.validation import pair_as_batch
from genlab.errors import ArgumentError, DataError, PluginError, RunError
from genlab.interfaces.batch import Batch
from genlab.interfaces.listener import Pictures, Probed, SkipEffect
from genlab.interfaces.method import Method
from genlab.interfaces.network import Skip
from genlab.runs.checkpoint_choice import CheckpointChoice
from genlab.runs.opening import open_run
from genlab.runs.run import Run
from genlab.tools.probe.report import write_probe_report
from genlab.tools.probe.skips import SkipProbe
from genlab.util.arguments import checked_arguments, renamed_arguments
from genlab.util.files import file_lock, remove_partial, storage_errors

SHOWN = 3


@renamed_arguments(tell="on_progress")
@checked_arguments
def probe(
    run: str | Path,
    *,
    pairs: int = 16,
    checkpoint: CheckpointChoice = "last",
    device: str = "auto",
    trust: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Probed:
    """Effect of each skip connection of a trained generator, and gradient norms of its levels.

    Args:
        run: the run's folder, where the result is written to `probe/`, that of another checkpoint than the last to
            `probe/best/` or `probe/step-N/`.
        pairs: how many validation pairs to use, two at least.
        checkpoint: `last`, `best` (by the recipe's `checkpoint.best`), or a number of steps.
        device: where to predict: auto, cpu, cuda or mps.
        trust: whether to run code that came with a run of somebody else, and to remember it as trusted.
        on_progress: called with (done, total), in skip connections.

    Raises:
        RunError: not a run, its generator has no skip connections, there is no such checkpoint, or it has code that is
            not trusted.
        DataError: its validation pairs are not available.
        DeviceError: the device asked for is not there.
    """
    return probe_skips(open_run(run, checkpoint=checkpoint, device=device, trust=trust), pairs, on_progress)


def probe_skips(run: Run, pairs: int, on_progress: Callable[[int, int], None]) -> Probed:
    """Replace the features of each skip connection of an opened run, one at a time; `probe` describes it."""
    if pairs < 2:
        what = f"expected at least 2, as skips carry another image's features, got {pairs}"
        raise ArgumentError(what, where="pairs")
    run.folder.refuse_links()
    skips = _skips(run)
    results = _results_folder(run)
    with storage_errors(results):
        results.mkdir(parents=True, exist_ok=True)
    with file_lock(run.path / "probe" / ".lock", "another process is probing this run", patience=0.0):
        remove_partial(results, "*")
        return _probe(run, skips, pairs, results, on_progress)


def _results_folder(run: Run) -> Path:
    """The place of a checkpoint's results, so that those of several stand side by side."""
    if run.checkpoint == "last":
        return run.path / "probe"
    return run.path / "probe" / ("best" if run.checkpoint == "best" else f"step-{run.checkpoint}")


def _skips(run: Run) -> Sequence[Skip]:
    """The generator's skip connections, checked against the contract."""
    component = run.recipe.networks[run.generator_role].component
    skips = cast(object, run.generator.skips())  # a plugin's, which may be anything
    if not (isinstance(skips, Sequence) and all(isinstance(skip, Skip) for skip in skips)):
        raise PluginError(f"{component} breaks the contract: its skips() must return a list of genlab.Skip")
    found = cast(Sequence[Skip], skips)
    if not found:
        raise RunError(f"{component} has no skip connections to probe", where=str(run.path))
    for skip in found:
        level, module = cast(object, skip.level), cast(object, skip.module)
        if not (isinstance(level, int) and level >= 1):
            raise PluginError(f"{component} breaks the contract: a skip has the level {level!r}; they count from 1")
        if not isinstance(module, nn.Module):
            what = f"the skip at level {level} has no module but a {type(module).__name__}"
            raise PluginError(f"{component} breaks the contract: {what}")
    levels = [skip.level for skip in found]
    if repeated := [level for level in levels if levels.count(level) > 1]:
        raise PluginError(f"{component} breaks the contract: it has two skips at level {repeated[0]}")
    return sorted(found, key=lambda skip: skip.level)


def _require_one_call(run: Run, predictor: Predictor, batch: Batch) -> None:
    """Check that a prediction is one forward pass of the generator, whose features can then be replaced."""
    calls: list[nn.Module] = []
    hook = run.generator.register_forward_hook(lambda module, _given, _output: calls.append(module))
    try:
        predictor(batch.condition)
    finally:
        hook.remove()
    if len(calls) != 1:
        what = f"{run.recipe.method.component} calls its {run.generator_role} {len(calls)} times for a prediction"
        raise RunError(f"{what}, and a probe replaces features of one call", where=str(run.path))


def _probe(
    run: Run, skips: Sequence[Skip], pairs: int, results: Path, on_progress: Callable[[int, int], None]
) -> Probed:
    prepared = run.validation_pairs()
    indices = evenly_spaced(len(prepared), pairs)
    if len(prepared) < 2:
        what = "expected at least two validation pairs, as skips carry another image's features, got one"
        raise DataError(what, where=prepared.pairs.description, hint="Train with at least two validation pairs.")
    batches = [pair_as_batch(prepared, index, run.device) for index in indices]
    predictor = Predictor(run.method, run.recipe.settings.inference)
    _require_one_call(run, predictor, batches[0])
    condition, target = view_pairs(prepared, run.recipe.settings.evaluate)
    skip_probe = SkipProbe(predictor, batches, target, SHOWN, in_pairs=prepared.pairs.is_paired)
    effects: list[SkipEffect] = []
    for done, skip in enumerate(skips):
        on_progress(done, len(skips))
        effects += skip_probe.effects(skip)
    on_progress(len(skips), len(skips))
    gradients, weights = _norms(run.method, batches)
    pictures = Pictures(
        keys=tuple(prepared[index].key for index in indices[:SHOWN]),
        condition=np.stack([condition.picture(batch.condition[0]) for batch in batches[:SHOWN]]),
        prediction=skip_probe.pictures(skip_probe.undisturbed),
        target=skip_probe.pictures([batch.target for batch in batches]),
        condition_caption=condition.caption,
        target_caption=target.caption,
        is_paired=prepared.pairs.is_paired,
    )
    probed = Probed(run.path, run.step, len(batches), pictures, effects, gradients, weights, results)
    write_probe_report(probed)
    ListenerList(run.listeners()).emit(probed)
    return probed


def _norms(method: Method, batches: Sequence[Batch]) -> tuple[dict[str, float], dict[str, float]]:
    """Mean norms of gradients, and norms of weights, by role and level; measured on a copy, which is modified."""
    copy, device = deepcopy(method), batches[0].condition.device
    for module in (*copy.networks.values(), *(weighted.loss for weighted in copy.losses.values())):
        module.train()
    with isolated_rng(device):
        seed_random_numbers(0, device)
        found = [measure_norms(copy, [batch]) for batch in batches]
    first = found[0]
    gradients = {
        name: sum(step.gradient_norms[name].item() for step in found) / len(found) for name in first.gradient_norms
    }
    return gradients, {name: norm.item() for name, norm in first.weight_norms.items()}
