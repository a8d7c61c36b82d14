import math

import pytest
import torch
from tests.core.toys import CPU, ToyDiscriminator, networks

from genlab.config.schema import Optimizer, Schedule
from genlab.engine.optimizers import make_optimizers, rate_at, set_rates


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (Schedule(name="constant", start=0.2, end=0.3), {0: 1, 50: 1, 99: 1}),
        (Schedule(name="linear"), {0: 1, 49: 1, 50: 1, 51: 0.98, 75: 0.5, 99: 0.02}),
        (Schedule(name="linear", start=0.0), {0: 1, 25: 0.75, 99: 0.01}),
        (Schedule(name="linear", end=0.1), {50: 1, 75: 0.55, 99: 0.118}),
        (Schedule(name="cosine"), {0: 1, 50: 1, 75: 0.5, 99: (1 + math.cos(0.98 * math.pi)) / 2}),
        (Schedule(name="cosine", start=0.0, end=0.2), {0: 1, 25: 0.2 + 0.4 * (1 + math.sqrt(0.5)), 50: 0.6}),
    ],
)
def test_the_rate_over_a_hundred_steps(schedule, rates):
    found = {step: rate_at(step, 100, 1.0, schedule) for step in rates}
    assert found == pytest.approx(rates)
    assert rate_at(75, 100, 2e-4, schedule) == pytest.approx(2e-4 * rate_at(75, 100, 1.0, schedule))


@pytest.mark.parametrize("end", [0.0, 0.1, 0.3, 1.0])
def test_constant_is_the_rate_itself_to_the_last_bit(end):
    schedule = Schedule(name="constant", start=0.0, end=end)
    assert {rate_at(step, 7, 2e-4, schedule) for step in range(7)} == {2e-4}


@pytest.mark.parametrize("name", ["linear", "cosine"])
@pytest.mark.parametrize("steps", [1, 2, 7, 80_000])
def test_a_decaying_rate_never_rises_and_never_ends_before_the_training(name, steps):
    rates = [rate_at(step, steps, 2e-4, Schedule(name=name, start=0.3)) for step in range(steps)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == 2e-4
    assert rates[-1] > 0


def test_the_rate_reaches_every_network():
    optimizers = make_optimizers(networks(), Optimizer(), CPU)
    set_rates(optimizers, 3e-5)
    assert {role: optimizer.param_groups[0]["lr"] for role, optimizer in optimizers.items()} == {
        "generator": 3e-5,
        "discriminator": 3e-5,
    }


def by_hand(name: str, gradients: list[torch.Tensor], first: torch.Tensor, chosen: Optimizer) -> torch.Tensor:
    """Algorithm 1 of Adam (Kingma and Ba 2015); of AdamW, algorithm 2 of Loshchilov and Hutter 2019."""
    weight, mean, square = first.double(), 0.0, 0.0
    (beta1, beta2), rate, decay = chosen.betas, chosen.learning_rate, chosen.weight_decay
    for step, gradient in enumerate(gradients, start=1):
        slope = gradient + (decay * weight if name == "adam" else 0)
        mean = beta1 * mean + (1 - beta1) * slope
        square = beta2 * square + (1 - beta2) * slope**2
        update = (mean / (1 - beta1**step)) / ((square / (1 - beta2**step)).sqrt() + chosen.epsilon)
        weight = weight - rate * (update + (decay * weight if name == "adamw" else 0))
    return weight


@pytest.mark.parametrize("name", ["adam", "adamw"])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_five_steps_are_those_of_the_paper(name, decay):
    chosen = Optimizer(name=name, learning_rate=0.01, betas=(0.5, 0.99), epsilon=1e-3, weight_decay=decay)
    network = ToyDiscriminator()
    optimizer = make_optimizers({"discriminator": network}, chosen, CPU)["discriminator"]
    weight = network.layer.weight
    first, rng = weight.detach().clone(), torch.Generator().manual_seed(0)
    gradients = [torch.randn(weight.shape, generator=rng) for _ in range(5)]
    for gradient in gradients:
        weight.grad = gradient.clone()
        optimizer.step()
    expected = by_hand(name, [gradient.double() for gradient in gradients], first, chosen)
    torch.testing.assert_close(weight.detach().double(), expected, rtol=1e-5, atol=1e-6)
    assert (weight.detach() - first).abs().min() > 0


def test_the_fused_kernel_does_what_pytorchs_plain_adam_does():
    chosen = Optimizer(learning_rate=2e-4)
    fused, plain = networks()["generator"], networks()["generator"]
    optimizer = make_optimizers({"generator": fused}, chosen, CPU)["generator"]
    assert optimizer.defaults["fused"]
    reference = torch.optim.Adam(plain.parameters(), 2e-4, (0.5, 0.999), foreach=False, fused=False)
    rng = torch.Generator().manual_seed(0)
    for _ in range(5):
        for mine, yours in zip(fused.parameters(), plain.parameters(), strict=True):
            mine.grad = torch.randn(mine.shape, generator=rng)
            yours.grad = mine.grad.clone()
        optimizer.step()
        reference.step()
    for mine, yours in zip(fused.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine, yours, rtol=1e-6, atol=1e-8)
