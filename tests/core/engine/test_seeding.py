import random

import numpy as np
import torch
from tests.core.toys import CPU
from torch import nn

from genlab import Network
from genlab.engine.seeding import derived_seed, initialize, seed_random_numbers, seeded_construction


class Variant(Network):
    """Draws its weights; has as many inner layers as it is told, and a buffer of its own."""

    def __init__(self, inner: int) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.inner = nn.ModuleList(nn.Linear(4, 4) for _ in range(inner))
        self.last = nn.Linear(4, 1)
        self.register_buffer("mean", torch.rand(3))

    def initialize(self, name: str, parameter: torch.Tensor, rng: torch.Generator) -> None:
        parameter.normal_(generator=rng)


def drawn(inner: int = 2, seed: int = 0, role: str = "generator") -> dict[str, torch.Tensor]:
    network = Variant(inner)
    initialize(network, seed, role)
    return dict(network.named_parameters())


def test_seeds_are_these_on_every_machine():
    """Another value would start the runs of a seed from other weights than before."""
    assert derived_seed(0, "generator") == 3409723984644511920
    assert derived_seed(0, "generator", "encoder.0.conv.weight") == 4737376259971503585
    assert derived_seed(2**63 - 1, "discriminator") == 7542129612736752813
    assert derived_seed() == 1665333220245342802


def test_seeds_differ_by_every_part_and_fit_pytorch():
    parts = [(seed, role, name) for seed in range(5) for role in ("generator", "discriminator") for name in "abc"]
    seeds = {derived_seed(*part) for part in [*parts, (0,), ("0",), (0, "generator"), ("generator", 0)]}
    assert len(seeds) == 34
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derived_seed("ab", "c") != derived_seed("a", "bc")


def test_weights_are_drawn_anew_and_alike():
    one, other = drawn(), drawn()
    assert all(torch.equal(one[name], other[name]) for name in one)
    values = torch.cat([parameter.detach().flatten() for parameter in one.values()])
    assert len(values.unique()) == len(values)


def test_seed_and_role_change_all_weights():
    one = drawn()
    for other in (drawn(seed=1), drawn(role="discriminator")):
        assert not any(torch.equal(one[name], other[name]) for name in one)


def test_variants_start_alike_where_they_have_the_same_layers():
    small, large = drawn(inner=1), drawn(inner=3)
    assert set(small) < set(large)
    assert all(torch.equal(small[name], large[name]) for name in small)


def test_neither_training_nor_buffers_notice():
    network = Variant(1)
    torch.manual_seed(5)
    mean, before = network.mean.clone(), torch.get_rng_state()
    initialize(network, 0, "generator")
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(network.mean, mean)
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_a_network_that_draws_nothing_keeps_its_pretrained_weights():
    class Pretrained(Network):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 2)

    network = Pretrained()
    before = network.layer.weight.detach().clone()
    initialize(network, 0, "generator")
    assert torch.equal(network.layer.weight, before)


def draws() -> tuple[float, float, float]:
    return torch.rand(()).item(), random.random(), float(np.random.rand())


def test_one_seed_decides_what_all_generators_draw():
    seed_random_numbers(2**63 - 1, CPU)
    first = draws()
    draws()
    seed_random_numbers(2**63 - 1, CPU)
    assert draws() == first
    seed_random_numbers(1, CPU)
    assert all(one != other for one, other in zip(draws(), first, strict=True))


def test_what_constructors_draw_depends_on_seed_and_role_alone():
    def constructed(seed: int, role: str) -> float:
        with seeded_construction(seed, role):
            return torch.rand(()).item()

    torch.manual_seed(5)
    expected = torch.rand(())
    torch.manual_seed(5)
    first = constructed(0, "generator")
    assert torch.equal(torch.rand(()), expected), "the caller's numbers go on as if nothing had been drawn"
    assert constructed(0, "generator") == first
    assert len({first, constructed(1, "generator"), constructed(0, "l1")}) == 3
