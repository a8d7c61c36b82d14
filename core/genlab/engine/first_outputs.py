"""Check of what networks give, once for each, the first time that it is called."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from genlab.errors import TrainingError
from genlab.interfaces.method import Method
from genlab.interfaces.network import Discriminator, Generator as ImageGenerator, Network, Scored
from genlab.interfaces.role import SIDES


@contextmanager
def first_outputs_checked(
    method: Method, channels: tuple[int, int], names: Mapping[str, str]
) -> Generator[None, None, None]:
    """Context in which each network's first output is checked.

    Args:
        method: the method with its networks.
        channels: of condition and target.
        names: a network's component and plugin by role, for errors.

    Raises:
        TrainingError: a network gives something else than its kind should; it names role and plugin.
    """
    sides: dict[str, int] = dict(zip(SIDES, channels, strict=True))
    with ExitStack() as stack:
        for name, network in method.networks.items():
            gives = method.roles[name].gives
            wanted = gives if isinstance(gives, int) else sides.get(gives or "", 0)
            handle = _check_once(network, f"{names.get(name, type(network).__name__)}, the {name},", wanted)
            stack.callback(handle.remove)
        yield


def _check_once(network: Network, name: str, channels: int) -> RemovableHandle:
    def check(module: nn.Module, given: tuple[Any, ...], output: object) -> None:
        handle.remove()
        if given and (expected := _violation(module, given[0], channels, output)):
            raise TrainingError(f"{name} breaks the contract: expected {expected}, got {_described(output)}")

    handle = network.register_forward_hook(check)
    return handle


def _violation(network: nn.Module, image: Tensor, channels: int, output: object) -> str | None:
    """Description of what was expected, if an output is something else."""
    count, (height, width) = image.shape[0], image.shape[-2:]
    if isinstance(network, ImageGenerator):
        shape = (count, channels, height * network.scale, width * network.scale)
        is_right = _shape(output) == shape
        return None if is_right else f"a tensor of floats {shape}"
    if isinstance(network, Discriminator):
        maps = output.maps if isinstance(output, Scored) else [output]
        is_sequence = not isinstance(maps, Tensor) and bool(maps)  # a tensor would be taken apart image by image
        are_right = is_sequence and all(_shape(scores)[:2] == (count, 1) for scores in maps)
        return None if are_right else "scores as a tensor of floats (n, 1, i, j), or a genlab.Scored of such tensors"
    return None


def _shape(output: object) -> tuple[int, ...]:
    """The shape of a tensor of floats with four axes; empty for everything else."""
    if isinstance(output, Tensor) and output.ndim == 4 and output.is_floating_point():
        return tuple(output.shape)
    return ()


def _described(output: object) -> str:
    if isinstance(output, Tensor):
        return f"a tensor of {str(output.dtype).removeprefix('torch.')} {tuple(output.shape)}"
    if isinstance(output, Scored) and isinstance(output.maps, Tensor):
        return f"a genlab.Scored of {_described(output.maps)} instead of a sequence of maps"
    if isinstance(output, Scored):
        return f"a genlab.Scored of {len(output.maps)} maps: {', '.join(map(_described, output.maps)) or 'none'}"
    return f"a {type(output).__name__}"
