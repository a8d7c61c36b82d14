"""Parts of networks that a training leaves as they are."""

from __future__ import annotations

import copy

import pytest
import torch
from tests.core.engine.test_step import Bench, Together
from tests.core.toys import batch, networks
from tests.optimizers import adam
from torch import nn

from genlab.engine.freezing import freeze, is_frozen
from genlab.engine.optimizers import trained_networks
from genlab.engine.step import measure_norms


class Normalized(nn.Module):
    """Every kind of layer that changes something in a forward pass, or draws."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 4, 3)),
            nn.BatchNorm2d(4),
            nn.InstanceNorm2d(4, track_running_stats=True),
        )
        self.drop = nn.Dropout(0.5)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.drop(self.layers(images))


@pytest.mark.parametrize("by_image", [True, False])
def test_a_forward_pass_changes_no_statistics(by_image: bool) -> None:
    network = Normalized().train()
    network(torch.randn(4, 3, 8, 8))
    before = copy.deepcopy(network.state_dict())
    freeze(network, by_image=by_image)
    image = torch.randn(1, 3, 8, 8)
    first, second = network(image), network(image)
    assert all(tensor.equal(before[name]) for name, tensor in network.state_dict().items())
    assert not first.equal(second)  # by dropout
    assert is_frozen(network)


@pytest.mark.parametrize("by_image", [True, False])
def test_batch_norm_is_that_of_predictions(by_image: bool) -> None:
    norm, image = nn.BatchNorm2d(3), torch.randn(1, 3, 8, 8)
    nn.init.constant_(norm.running_mean, 2.0)  # pyright: ignore
    own = copy.deepcopy(norm).train()
    expected = own(image) if by_image else norm.eval()(image)
    norm.train()
    freeze(norm, by_image=by_image)
    assert norm(image).equal(expected)


def together() -> Bench:
    bench = Bench(made=networks())
    bench.method = Together(bench.networks, {})
    freeze(bench.networks["discriminator"], by_image=False)
    bench.optimizers = adam(trained_networks(bench.method), learning_rate=0.01)
    return bench


def test_a_frozen_network_has_no_optimizer_and_no_gradients() -> None:
    bench = together()
    told: list[tuple[str, ...]] = []
    bench.method.updated = lambda roles: told.append(tuple(roles))
    result = bench.step(with_norms=True)
    assert bench.optimizers.keys() == {"generator"}
    assert bench.changed("generator") and not bench.changed("discriminator")
    assert all(weight.grad is None for weight in bench.networks["discriminator"].parameters())
    assert {name.partition("/")[0] for name in result.gradient_norms} == {"generator"}
    assert told == [("generator",)]
    assert {name.partition("/")[0] for name in measure_norms(bench.method, [batch()]).gradient_norms} == {"generator"}
