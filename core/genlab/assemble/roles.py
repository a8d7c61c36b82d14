"""Checks of networks in their roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

from genlab.assemble.recipe import Recipe
from genlab.config.schema import Input
from genlab.config.validate import bare, dotted
from genlab.errors import Fault
from genlab.interfaces.loss import Objective
from genlab.interfaces.network import Discriminator, Generator, Network
from genlab.interfaces.role import Role


def role_faults(name: str, networks: Mapping[str, Network], recipe: Recipe) -> Iterator[Fault]:
    """Faults of a role's network, among those constructed so far, and of the recipe's size for it."""
    network = networks[name]
    yield from _likeness_faults(name, networks, recipe)
    if not network.feature_channels:
        yield from _reader_faults(name, recipe)
    if isinstance(network, Generator):
        yield from _input_faults(network, name, recipe)
        yield from _scale_faults(network, name, recipe)
    component = recipe.networks[name].component
    height, width = _size_of(recipe.roles[name], recipe.settings.input)
    if isinstance(network, Generator) and any(side % network.size_multiple for side in (height, width)):
        yield _multiple_fault(network.size_multiple, str(component), (height, width))
    if isinstance(network, Discriminator) and min(height, width) < network.min_size:
        what = f"{component} needs at least {network.min_size}, got {_size(height, width)}"
        hint = "A discriminator with a smaller receptive field takes smaller images."
        yield Fault(("input", "size"), what, hint)
    if isinstance(network, Discriminator) and not network.feature_channels:
        yield from _feature_faults(str(component), recipe)
    if isinstance(network, Discriminator) and recipe.settings.train.batch_size > 1:
        yield from _norm_faults(network, name, recipe)


def _likeness_faults(name: str, networks: Mapping[str, Network], recipe: Recipe) -> Iterator[Fault]:
    """Faults of a network that is not trained and cannot start with the weights of the one that it is like."""
    config, like = recipe.networks[name], recipe.roles[name].like
    if recipe.roles[name].trained or like is None or like not in networks:
        return
    mine, other = ([weight.shape for weight in networks[one].state_dict().values()] for one in (name, like))
    if mine != other:
        what = f"{config.component} has other weights as {name} than {recipe.networks[like].component} as {like}"
        hint = f"It starts with the weights of {like}: drop the table networks.{name}."
        yield Fault((*config.at, "name"), what, hint)


def _reader_faults(name: str, recipe: Recipe) -> Iterator[Fault]:
    """Faults of a network without features, for the roles that read them."""
    config = recipe.networks[name]
    for reader in [other for other in recipe.networks if name in recipe.roles[other].reads]:
        what = f"{config.component} gives no features, which {recipe.method.component} needs for its {reader}"
        yield Fault((*config.at, "name"), what, f"Choose a {recipe.roles[name].kind} that gives features.")


def _input_faults(network: Generator, name: str, recipe: Recipe) -> Iterator[Fault]:
    """Faults of the further inputs of a generator, which are those that the method gives."""
    config, method = recipe.networks[name], recipe.method.component
    asked = recipe.roles[name].inputs
    if missing := [thing for thing in asked if thing not in network.inputs]:
        what = f"{config.component} takes no {missing[0]}, which {method} gives it as its {name}"
        setting = f"Set {dotted((*config.at, missing[0]))} = true." if missing[0] in config.settings else None
        yield Fault((*config.at, "name"), what, setting or "Choose a generator that takes it.")
    if unasked := [thing for thing in network.inputs if thing not in asked]:
        what = f"{config.component} takes a {unasked[0]}, which {method} does not give its {name}"
        yield Fault((*config.at, unasked[0] if unasked[0] in config.settings else "name"), what)


def _scale_faults(network: Generator, name: str, recipe: Recipe) -> Iterator[Fault]:
    """Faults of a generator's scale, which is that between the side that it gives and the sides that it reads."""
    scale, role = recipe.settings.input.scale, recipe.roles[name]
    factors = {"condition": 1, "target": scale}
    read = {factors[side] for side in role.reads if side in factors}
    given = factors.get(str(role.gives), 1)
    if len(read) > 1 or any(given % factor for factor in read):
        needs = f"{recipe.method.component} needs sides of one size for its {name}"
        hint = "Set input.scale = 1, or choose another method."
        yield Fault(("input", "scale"), f"{needs}, and the target is {scale} times as large", hint)
    elif read and network.scale != given // read.pop():
        config = recipe.networks[name]
        what = f"{config.component} gives images {network.scale} times as large"
        larger = "Choose a generator with a `scale`"
        if "scale" in config.settings:
            larger = f"Set {dotted((*config.at, 'scale'))} = {scale}"
        hint = f"{larger}, or set input.scale = {network.scale}."
        yield Fault(("input", "scale"), f"{what}, and `scale` is {scale}", hint)


def _size_of(role: Role, settings: Input) -> tuple[int, int]:
    """Height and width of what a network reads last: of a discriminator, the image that it scores."""
    height, width = settings.height_width
    factor = settings.scale if role.reads[-1:] == ("target",) else 1
    return factor * height, factor * width


def _feature_faults(discriminator: str, recipe: Recipe) -> Iterator[Fault]:
    """Faults of losses that read features of a discriminator that gives none."""
    for label, config in recipe.losses.items():
        cls = config.component.cls
        if issubclass(cls, Objective) and cls.needs_features:
            what = f"the loss `{label}` compares features of the discriminator, and {discriminator} gives none"
            hint = f"Choose another discriminator, or drop the loss with losses.{bare(label)}.weight = 0."
            yield Fault(("losses", label), what, hint, at_key=True)


def _norm_faults(network: Discriminator, name: str, recipe: Recipe) -> Iterator[Fault]:
    """Faults of losses that need independent scores, for a discriminator with batch norm."""
    if not any(isinstance(module, _BatchNorm) for module in network.modules()):
        return
    config = recipe.networks[name]
    norm = f'Set {dotted((*config.at, "norm"))} = "instance"' if "norm" in config.settings else "Choose another norm"
    for label, loss in recipe.losses.items():
        cls = loss.component.cls
        if issubclass(cls, Objective) and cls.needs_independent_scores:
            what = f"the loss `{label}` needs scores of each image by itself, and {config.component} has batch norm"
            hint = f"{norm}, train.batch_size = 1, or drop the loss with losses.{bare(label)}.weight = 0."
            yield Fault(("losses", label), what, hint, at_key=True)


def _multiple_fault(multiple: int, component: str, size: tuple[int, int]) -> Fault:
    near = sorted({max(multiple, side // multiple * multiple + extra) for side in size for extra in (0, multiple)})
    what = f"{component} takes multiples of {multiple}, got {_size(*size)}"
    hint = f"Nearest: {', '.join(map(str, near))}. A generator with fewer levels takes other sizes."
    return Fault(("input", "size"), what, hint)


def _size(height: int, width: int) -> str:
    return str(height) if height == width else f"{height} x {width}"
