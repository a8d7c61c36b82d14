"""Summary of an experiment, shown when it starts."""

from __future__ import annotations

import math

from torch import nn

from genlab.assemble.accumulation import accumulation_warnings
from genlab.assemble.experiment import Built
from genlab.assemble.recipe import Recipe
from genlab.config.document import ASSIGNMENT, Document
from genlab.engine.runtime import device_name
from genlab.images.folder import describe_left_out
from genlab.inspection.inspector import find_suspicions
from genlab.interfaces.network import Discriminator, Network


def facts(built: Built, recipe_name: str, document: Document) -> dict[str, str]:
    """Names and values, in the order to show them; what is suspicious about the training pairs comes last."""
    recipe, experiment, data = built.recipe, built.experiment, built.data
    settings = recipe.settings
    height, width = settings.input.height_width
    table = {"recipe": recipe_name}
    if assignments := dict.fromkeys(source.name for source in document.origins.values() if source.is_assignment):
        table["set"] = ", ".join(name.removeprefix(ASSIGNMENT) for name in assignments)
    table |= {"device": device_name(experiment.device, settings.train.threads)}
    unpaired = ", drawn without pairs" if data.training.is_paired and not experiment.method.needs_pairs else ""
    table["data"] = f"{data.training.description}{unpaired}; {len(data.validation)} to validate"
    if data.reason:
        table["because"] = data.reason
    if data.left_out:
        table["left out"] = describe_left_out(data.left_out)
    larger = f" to {height * scale} x {width * scale}" if (scale := settings.input.scale) > 1 else ""
    times = f" x {settings.train.accumulate} a step" if settings.train.accumulate > 1 else ""
    batch = f"batch {settings.train.batch_size}{times}"
    resized = {"stretch": "", "crop": ", cropped", "pad": ", padded", "none": ", crops of stored images"}
    how = resized[settings.input.resize]
    table["input"] = f"{height} x {width}{larger}{how}, {batch}, {settings.input.direction}"
    if recipe.augmentations:
        table["augment"] = ", ".join(recipe.augmentations)
    for role, network in experiment.networks.items():
        table[role] = f"{recipe.networks[role].component.name}, {_size(network)}"
        if recipe.roles[role].trained and (frozen := count_frozen(network)):
            table[role] += f", {frozen:,} of them frozen"
        if role in built.starts:
            table[f"{role} from"] = built.starts[role].summary()
    for label, metric in experiment.metrics.items():
        if description := metric.description():
            table[label] = description
    epochs = experiment.batches_before(settings.train.steps) * settings.train.batch_size / len(data.training)
    length = f"{settings.train.steps:,} steps ({epochs:,.{0 if epochs >= 10 else 1}f} epochs)"
    table["training"] = f"{length}, seed {settings.seed}"
    table["optimizer"] = _updates(recipe)
    if settings.checkpoint.best:
        table["best"] = settings.checkpoint.best
        if patience := settings.train.patience:
            table["best"] += f"; ends early after {patience} validation{'s' * (patience > 1)} without a better one"
    if ema := settings.ema:
        table["average"] = f"weights of the {' and the '.join(ema.roles)}, over {ema.horizon:,} pairs"
    size = experiment.processes.size
    if size > 1:
        table["processes"] = f"{size}, each with {settings.train.batch_size // size} pairs of a batch"
    warnings = accumulation_warnings(
        experiment.networks, settings.train, is_masked=experiment.training.is_masked, shares=size
    )
    warnings += [str(suspicion) for suspicion in find_suspicions(experiment.reads(0)[0], settings.input)]
    if data.training.is_derived and settings.input.direction == "b_to_a":
        warnings.append(
            f"Side a is computed from side b ({data.training.description}), and input.direction is b_to_a, so the "
            'networks learn that computation; set input.direction = "a_to_b" to learn the way back.'
        )
    if data.fingerprints["train"] == data.fingerprints["validation"]:
        warnings.append("The validation pairs are the training pairs, so scores do not measure generalization.")
    for number, warning in enumerate(warnings, 1):
        table["warning" if len(warnings) == 1 else f"warning {number}"] = warning
    return table


def _updates(recipe: Recipe) -> str:
    """Optimizers and schedules of the networks, once if they are the same."""
    by_role = {role: _update(recipe, role) for role in recipe.optimizers}
    if len(set(by_role.values())) == 1:
        return next(iter(by_role.values()))
    return "; ".join(f"{role}: {words}" for role, words in by_role.items())


def _update(recipe: Recipe, role: str) -> str:
    optimizer, schedule = recipe.optimizers[role], recipe.schedules[role]
    rate = optimizer.config.settings.get("learning_rate")
    words = [optimizer.config.component.name if rate is None else f"{optimizer.config.component.name} {rate:g}"]
    if optimizer.keys.clip < math.inf:
        words.append(f"gradients clipped to {optimizer.keys.clip:g}")
    words.append(f"{schedule.config.component.name} rate")
    if schedule.keys.warmup:
        words.append(f"warm-up over {schedule.keys.warmup:.3g} of the steps")
    return ", ".join(words)


def _size(network: Network) -> str:
    parameters = f"{count_parameters(network):,} parameters"
    if isinstance(network, Discriminator):
        return f"{parameters}, receptive field {network.receptive_field}"
    return parameters


def count_parameters(network: nn.Module) -> int:
    """Number of parameters of a network, or of a part of one."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_frozen(network: nn.Module) -> int:
    """Number of parameters of a network, or of a part of one, that are not trained."""
    return sum(parameter.numel() for parameter in network.parameters() if not parameter.requires_grad)
