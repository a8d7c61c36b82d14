"""The prediction of a run as one PyTorch module."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn
from typing_extensions import override

from genlab.errors import RunError
from genlab.interfaces.dataset import SideName
from genlab.interfaces.method import Method
from genlab.runs.run import Run
from genlab.tools.export.image_norm import normalize_each_image
from genlab.tools.random_draws import RandomDraws, has_dropout

_INSTEAD = "--format hub keeps the run's own way of predicting, for genlab.from_pretrained."


class Exportable(nn.Module):
    """Predictions of conditions (n, channels, height, width), each normalized by itself, as a function of them alone.

    Args:
        networks: those that predict, by role.
        predict: the method's prediction, with these networks.
    """

    def __init__(self, networks: Mapping[str, nn.Module], predict: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.networks = nn.ModuleDict(networks)
        self.predict = predict

    @override
    def forward(self, condition: Tensor) -> Tensor:
        return self.predict(condition)


def make_exportable(run: Run, to: SideName | None, image: Tensor) -> Exportable:
    """Copy the networks of a run to a module that predicts as `Run.apply` does with images that need no padding.

    Args:
        run: the run, on the CPU.
        to: the side to predict.
        image: a condition that the networks take, (1, channels, height, width).

    Raises:
        RunError: predictions are drawn, so they are no function of the condition.
    """
    settings = run.recipe.settings.inference
    method = deepcopy(run.method)
    for network in method.networks.values():
        network.eval().requires_grad_(False)
        network.make_plain()
        normalize_each_image(network, batch_norms=settings.normalization == "image")
    predict = method.predict_condition if run.direction(to).is_back else method.predict
    used, drawn = _watched(method, predict, image)
    networks = {role: method.networks[role] for role in used}
    if settings.dropout and any(has_dropout(network) for network in networks.values()):
        what = "this run predicts with dropout on (inference.dropout), which draws numbers that no file can repeat"
        raise RunError(what, where=str(run.path), hint=f"Train with inference.dropout = false. {_INSTEAD}")
    if drawn:
        what = f"{run.recipe.method.component} draws its predictions ({drawn[0]}), which no file can repeat"
        raise RunError(what, where=str(run.path), hint=_INSTEAD)
    return Exportable(networks, predict)


def _watched(method: Method, predict: Callable[[Tensor], Tensor], image: Tensor) -> tuple[Sequence[str], Sequence[str]]:
    """The roles whose networks a prediction calls, and the operators by which it draws random numbers."""
    called: set[nn.Module] = set()
    handles = [
        layer.register_forward_pre_hook(lambda layer, _given: called.add(layer))
        for network in method.networks.values()
        for layer in network.modules()
    ]
    draws = RandomDraws()
    try:
        with torch.no_grad(), draws:
            predict(image)
    finally:
        for handle in handles:
            handle.remove()
    used = [role for role, network in method.networks.items() if not called.isdisjoint(network.modules())]
    return used, draws.operators
