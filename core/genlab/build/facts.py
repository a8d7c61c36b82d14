"""What a person wants to know first about an experiment."""

from __future__ import annotations

from genlab.build.experiment import Built
from genlab.engine.runtime import device_name
from genlab.interfaces.network import Discriminator, Network


def facts(built: Built, recipe_name: str) -> dict[str, str]:
    """Names and values, in the order to show them."""
    recipe, experiment, data = built
    settings = recipe.settings
    height, width = settings.input.height_width
    table = {"recipe": recipe_name, "device": device_name(experiment.device, settings.train.threads)}
    table["data"] = f"{data.training.description}; {len(data.validation)} to validate"
    if data.reason:
        table["because"] = data.reason
    table["input"] = f"{height} x {width}, batch {settings.train.batch_size}, {settings.input.direction}"
    for role, network in experiment.networks.items():
        table[role] = f"{recipe.networks[role].component.name}, {_size(network)}"
    table["training"] = f"{settings.train.steps:,} steps, seed {settings.seed}"
    return table


def _size(network: Network) -> str:
    parameters = f"{count_parameters(network):,} parameters"
    if isinstance(network, Discriminator):
        return f"{parameters}, receptive field {network.receptive_field}"
    return parameters


def count_parameters(network: Network) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
