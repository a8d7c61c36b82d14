"""Optimizers do what papers and PyTorch say, under the names of their settings here."""

import pytest
import torch
from tests.core.toys import ToyDiscriminator, networks

from genlab_optimizers.adafactor import Adafactor
from genlab_optimizers.adam import Adam
from genlab_optimizers.adamw import AdamW
from genlab_optimizers.rmsprop import RMSprop
from genlab_optimizers.sgd import SGD


def by_hand(name: str, gradients: list[torch.Tensor], first: torch.Tensor, **settings) -> torch.Tensor:
    """Algorithm 1 of Adam (Kingma and Ba 2015); of AdamW, algorithm 2 of Loshchilov and Hutter 2019."""
    weight, mean, square = first.double(), 0.0, 0.0
    (beta1, beta2), rate, decay = settings["betas"], settings["learning_rate"], settings["weight_decay"]
    for step, gradient in enumerate(gradients, start=1):
        slope = gradient + (decay * weight if name == "Adam" else 0)
        mean = beta1 * mean + (1 - beta1) * slope
        square = beta2 * square + (1 - beta2) * slope**2
        update = (mean / (1 - beta1**step)) / ((square / (1 - beta2**step)).sqrt() + settings["epsilon"])
        weight = weight - rate * (update + (decay * weight if name == "AdamW" else 0))
    return weight


@pytest.mark.parametrize("algorithm", [Adam, AdamW])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_five_steps_are_those_of_the_paper(algorithm, decay):
    settings = {"learning_rate": 0.01, "betas": (0.5, 0.99), "epsilon": 1e-3, "weight_decay": decay}
    network = ToyDiscriminator()
    optimizer = algorithm(network.parameters(), **settings)
    weight = network.layer.weight
    first, rng = weight.detach().clone(), torch.Generator().manual_seed(0)
    gradients = [torch.randn(weight.shape, generator=rng) for _ in range(5)]
    for gradient in gradients:
        weight.grad = gradient.clone()
        optimizer.step()
    expected = by_hand(algorithm.__name__, [gradient.double() for gradient in gradients], first, **settings)
    torch.testing.assert_close(weight.detach().double(), expected, rtol=1e-5, atol=1e-6)
    assert (weight.detach() - first).abs().min() > 0


MORE = {"learning_rate": 0.01, "weight_decay": 0.1}
SETTINGS = [
    (Adam, {"betas": (0.4, 0.9), "epsilon": 1e-3, "amsgrad": True, **MORE}),
    (AdamW, {"betas": (0.4, 0.9), "epsilon": 1e-3, "amsgrad": True, **MORE}),
    (SGD, {"momentum": 0.5, "dampening": 0.2, **MORE}),
    (SGD, {"momentum": 0.5, "nesterov": True, **MORE}),
    (RMSprop, {"alpha": 0.9, "epsilon": 1e-3, "momentum": 0.5, "centered": True, **MORE}),
    (Adafactor, {"beta2_decay": -0.5, "epsilon": (1e-6, 1e-2), "d": 1.5, **MORE}),
]


@pytest.mark.parametrize(("ours", "settings"), [*SETTINGS, *((ours, {}) for ours in (SGD, RMSprop, Adafactor))])
def test_every_setting_reaches_pytorchs_optimizer(ours, settings):
    """Without any, the defaults are PyTorch's, but for those of Adam."""
    mine, yours = networks()["generator"], networks()["generator"]
    optimizer = ours(mine.parameters(), **settings)
    given = {{"learning_rate": "lr", "epsilon": "eps"}.get(name, name): value for name, value in settings.items()}
    reference = getattr(torch.optim, ours.__name__)(yours.parameters(), **given)
    rng = torch.Generator().manual_seed(0)
    for _ in range(5):
        for one, other in zip(mine.parameters(), yours.parameters(), strict=True):
            one.grad = torch.randn(one.shape, generator=rng)
            other.grad = one.grad.clone()
        optimizer.step()
        reference.step()
    for one, other in zip(mine.parameters(), yours.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("algorithm", [Adam, AdamW])
def test_the_defaults_of_adam_are_those_of_pix2pix_in_the_fused_kernel(algorithm):
    defaults = algorithm(networks()["generator"].parameters()).defaults
    found = [defaults[name] for name in ("lr", "betas", "eps", "weight_decay", "fused")]
    assert found == [2e-4, (0.5, 0.999), 1e-8, 0.0, True]


@pytest.mark.parametrize("settings", [{"nesterov": True}, {"nesterov": True, "momentum": 0.9, "dampening": 0.1}])
def test_nesterov_without_momentum_is_refused_by_the_name_of_the_setting(settings):
    with pytest.raises(ValueError, match="nesterov"):
        SGD(networks()["generator"].parameters(), **settings)
