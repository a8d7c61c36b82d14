"""One step of the method is the one that the paper defines, computed here by its equations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
import torch
from torch import Tensor, nn

from genlab import (
    Batch,
    Discriminator,
    Draws,
    Generator,
    Network,
    Position,
    Weight,
    WeightedLoss,
)
from genlab.engine.step import train_step
from genlab_cyclegan.method import CycleGAN
from genlab_losses.adversarial import Adversarial
from genlab_losses.l1 import L1


class Recolor(Generator):
    """One linear map of each pixel's color."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3) -> None:
        super().__init__()
        self.layer = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, condition: Tensor) -> Tensor:
        return self.layer(condition)


class Judge(Discriminator):
    """One score a pixel, by what it is shown: only the image."""

    receptive_field = min_size = 1

    def __init__(self, image_channels: int = 3) -> None:
        super().__init__()
        self.layer = nn.Conv2d(image_channels, 1, 1)

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        assert condition.shape == (len(image), 0, *image.shape[2:])
        return self.layer(image)


LOSSES: Mapping[str, WeightedLoss] = {
    "game": WeightedLoss(Adversarial(objective="lsgan"), Weight(1.0)),
    "cycle": WeightedLoss(L1(), Weight(10.0)),
}


SAME = {"condition": 3, "target": 3}


def networks() -> dict[str, Network]:
    torch.manual_seed(3)
    return {
        "generator": Recolor(),
        "generator_back": Recolor(),
        "discriminator": Judge(),
        "discriminator_back": Judge(),
    }


def batch(step: int = 0) -> Batch:
    rng = torch.Generator().manual_seed(step)
    condition, target = 2 * torch.rand(2, 2, 3, 4, 4, generator=rng) - 1
    return Batch(condition, target, Position(step, 10), Draws(0, (2 * step, 2 * step + 1)))


def optimizers(networks: Mapping[str, Network]) -> dict[str, torch.optim.Optimizer]:
    return {role: torch.optim.SGD(network.parameters(), lr=0.1) for role, network in networks.items()}


def terms(method: CycleGAN, given: Batch) -> dict[str, tuple[float, float]]:
    """Value and weight of all terms, by phase and name."""
    outputs = method.forward(given)
    return {
        f"{phase.name}/{name}": (term.value.item(), term.weight)
        for phase in method.phases()
        for name, term in phase.terms(given, outputs).items()
    }


def test_the_terms_of_a_step_are_the_papers():
    made, given = networks(), batch()
    g, f, d_y, d_x = made.values()
    x, y = given.sides
    none = x[:, :0]
    there, back = g(x).tanh(), f(y).tanh()
    expected = {
        # Equation 1, with squares for logarithms (section 4)
        "generators/forward/game": ((d_y(none, there) - 1).square().mean(), 1.0),
        "generators/back/game": ((d_x(none, back) - 1).square().mean(), 1.0),
        # Equation 2, with the weight of equation 3
        "generators/forward/cycle": ((f(there).tanh() - x).abs().mean(), 10.0),
        "generators/back/cycle": ((g(back).tanh() - y).abs().mean(), 10.0),
        # Section 5.2
        "generators/identity/cycle": ((g(y).tanh() - y).abs().mean(), 5.0),
        "generators/identity_back/cycle": ((f(x).tanh() - x).abs().mean(), 5.0),
        # Section 7.1: the discriminators' objective is halved
        "discriminator/game": ((d_y(none, y) - 1).square().mean() + d_y(none, there).square().mean(), 0.5),
        "discriminator_back/game": ((d_x(none, x) - 1).square().mean() + d_x(none, back).square().mean(), 0.5),
    }
    found = terms(CycleGAN(made, LOSSES, SAME, identity=0.5), given)
    assert found == {name: (pytest.approx(value.item()), weight) for name, (value, weight) in expected.items()}


def test_a_step_updates_both_generators_together_and_then_each_discriminator():
    made, ours = networks(), networks()
    method = CycleGAN(ours, LOSSES, SAME, identity=0.5)
    assert [phase.updates for phase in method.phases()] == [
        ("generator", "generator_back"),
        ("discriminator",),
        ("discriminator_back",),
    ]
    g, f, d_y, d_x = made.values()
    x, y = batch().sides
    none = x[:, :0]
    there, back = g(x).tanh(), f(y).tanh()
    game = (d_y(none, there) - 1).square().mean() + (d_x(none, back) - 1).square().mean()
    cycle = (f(there).tanh() - x).abs().mean() + (g(back).tanh() - y).abs().mean()
    identity = (g(y).tanh() - y).abs().mean() + (f(x).tanh() - x).abs().mean()
    descend(game + 10 * cycle + 5 * identity, g, f)
    there, back = there.detach(), back.detach()
    descend(((d_y(none, y) - 1).square().mean() + d_y(none, there).square().mean()) / 2, d_y)
    descend(((d_x(none, x) - 1).square().mean() + d_x(none, back).square().mean()) / 2, d_x)

    train_step(method, [batch()], optimizers(ours), with_norms=False)
    for role, network in made.items():
        for one, other in zip(network.parameters(), ours[role].parameters(), strict=True):
            torch.testing.assert_close(other, one, msg=role)


def descend(objective: Tensor, *networks: Network) -> None:
    """One step of gradient descent, as the optimizers here take it."""
    weights = [weight for network in networks for weight in network.parameters()]
    gradients = torch.autograd.grad(objective, weights)
    with torch.no_grad():
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.sub_(0.1 * gradient)


def test_each_discriminator_sees_its_pool():
    """Of one image a side: each prediction is shown itself, or is stored and the one before shown."""
    made = networks()
    method = CycleGAN(made, LOSSES, SAME, pool_size=1)
    stored: list[Tensor] | None = None
    exchanges = 0
    for step in range(12):
        given = batch(step)._replace(draws=Draws(0, (step,)))
        given = given._replace(condition=given.condition[:1], target=given.target[:1])
        found, none = terms(method, given), given.condition[:, :0]
        newest = [method.predict(given.condition).detach(), method.predict_condition(given.target).detach()]
        shown = newest
        if stored is None:
            stored = newest
        elif given.draws.uniform("pool", torch.zeros(1)).item() < 0.5:
            shown, stored, exchanges = stored, newest, exchanges + 1
        for role, real, image in zip(("discriminator", "discriminator_back"), given.sides[::-1], shown, strict=True):
            judge = made[role]
            expected = (judge(none, real) - 1).square().mean() + judge(none, image).square().mean()
            assert found[f"{role}/game"][0] == pytest.approx(expected.item()), (step, role)
    assert 2 < exchanges < 9


def test_without_identity_there_are_no_such_terms_and_it_costs_no_pass():
    made, given = networks(), batch()
    passes: list[str] = []
    for role, network in made.items():
        network.register_forward_hook(lambda *_, role=role: passes.append(role))
    found = terms(CycleGAN(made, LOSSES, SAME), given)
    assert not [name for name in found if "identity" in name]
    assert passes.count("generator") == passes.count("generator_back") == 2


def test_a_weight_that_changes_changes_the_identity_terms_too():
    losses = {**LOSSES, "cycle": WeightedLoss(L1(), Weight(10.0, 0.0, 0.5))}
    method = CycleGAN(networks(), losses, SAME, identity=0.5)
    weights = [
        [terms(method, batch(step))[f"generators/{name}/cycle"][1] for name in ("forward", "back", "identity")]
        for step in (0, 2, 5, 9)
    ]
    assert weights == [[0, 0, 0], [4, 4, 2], [10, 10, 5], [10, 10, 5]]


def test_the_game_alone_and_the_cycle_alone_can_be_trained():
    """As in the paper's comparisons of the full objective with its parts (section 5.1.4)."""
    game = CycleGAN(networks(), {"game": LOSSES["game"]}, SAME, identity=0.5)
    assert {name.partition("/")[2] for name in terms(game, batch())} == {"forward/game", "back/game", "game"}
    generators: dict[str, Network] = {
        role: network for role, network in networks().items() if isinstance(network, Generator)
    }
    cycle = CycleGAN(generators, {"cycle": LOSSES["cycle"]}, SAME)
    assert set(terms(cycle, batch())) == {"generators/forward/cycle", "generators/back/cycle"}
    assert cycle.state() == {}


def test_its_state_is_both_pools():
    methods = [CycleGAN(networks(), LOSSES, SAME, pool_size=4) for _ in range(2)]
    assert methods[0].state() == {}
    for step in range(5):
        methods[0].forward(batch(step))
    state = {name: tensor.clone() for name, tensor in methods[0].state().items()}
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == {
        "pool/discriminator": (4, 3, 4, 4),
        "pool/discriminator_back": (4, 3, 4, 4),
    }
    assert not any(tensor.requires_grad for tensor in methods[0].state().values())
    methods[1].load_state(state)
    for step in range(5, 15):
        one, other = (method.forward(batch(step)) for method in methods)
        assert all(one[name].equal(other[name]) for name in one)
    methods[0].load_state({})
    assert methods[0].state() == {}


def test_sides_of_different_channels_have_no_identity():
    made = {
        **networks(),
        "generator": Recolor(1, 3),
        "generator_back": Recolor(3, 1),
        "discriminator_back": Judge(1),
    }
    channels = {"condition": 1, "target": 3}
    method, given = CycleGAN(made, LOSSES, channels), batch()
    given = given._replace(condition=given.condition[:, :1])
    assert method.predict(given.condition).shape == given.target.shape
    assert method.predict_condition(given.target).shape == given.condition.shape
    assert len(terms(method, given)) == 6
    with pytest.raises(ValueError, match="the condition has 1 and the target 3; 0 leaves it out"):
        CycleGAN(made, LOSSES, channels, identity=0.5)


@pytest.mark.parametrize("missing", [("discriminator", "discriminator_back"), ("discriminator_back",)])
def test_says_which_loss_lacks_a_discriminator(missing: Sequence[str]):
    made = {role: network for role, network in networks().items() if role not in missing}
    with pytest.raises(ValueError, match="'game' needs two discriminators"):
        CycleGAN(made, LOSSES, SAME)


def test_says_that_the_generators_have_no_loss():
    with pytest.raises(ValueError, match="at least one loss of the generators"):
        CycleGAN(networks(), {}, SAME)
