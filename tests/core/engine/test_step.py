import copy

import pytest
import torch
from tests.core.toys import ToyDiscriminator, ToyMethod, batch, networks
from tests.optimizers import adam
from torch import nn

from genlab import Batch, Network, Phase, PluginError, TrainingError
from genlab.engine.step import StepResult, train_step


class Bench:
    """A method, its optimizers, and copies of its networks from before any step."""

    def __init__(self, *only: str, made: dict[str, Network] | None = None) -> None:
        self.networks = made or networks()
        self.before = copy.deepcopy(self.networks)
        self.method = ToyMethod(self.networks, {})
        self.method.only = only or tuple(ToyMethod.roles)
        self.optimizers = adam(self.networks, learning_rate=0.01)

    def step(self, pairs: Batch | None = None, with_norms: bool = False) -> StepResult:
        torch.manual_seed(0)
        return train_step(self.method, [pairs or batch()], self.optimizers, with_norms)

    def changed(self, role: str) -> bool:
        before, after = self.before[role], self.networks[role]
        return any(not torch.equal(x, y) for x, y in zip(before.parameters(), after.parameters(), strict=True))


def gradients(objective: torch.Tensor, network: nn.Module) -> dict[str, torch.Tensor]:
    names = [name for name, _ in network.named_parameters()]
    return dict(zip(names, torch.autograd.grad(objective, list(network.parameters())), strict=True))


def norm(*tensors: torch.Tensor) -> float:
    return float(torch.cat([tensor.flatten().double() for tensor in tensors]).square().sum().sqrt())


@pytest.mark.parametrize(("phase", "other"), [("generator", "discriminator"), ("discriminator", "generator")])
def test_a_phase_changes_its_own_network_alone(phase, other):
    bench = Bench(phase)
    bench.step()
    assert bench.changed(phase)
    assert not bench.changed(other)
    assert all(parameter.grad is None for parameter in bench.networks[other].parameters())
    assert not bench.optimizers[other].state_dict()["state"]


class Blind(ToyDiscriminator):
    """Scores for a look at them, and not to learn from."""

    def forward(self, condition, image):
        return super().forward(condition, image).detach()


def test_a_phase_that_teaches_nothing_is_named():
    bench = Bench(made={**networks(), "discriminator": Blind(3, 3)})
    with pytest.raises(TrainingError, match="no term of the phase critic has a gradient: are they all detached"):
        bench.step()


class Together(ToyMethod):
    """Both networks are taught by one objective, as those of a cycle are."""

    def phases(self):
        return [Phase("both", ("generator", "discriminator"), self.painter_terms)]


def test_a_phase_may_change_several_networks():
    bench = Bench()
    bench.method = Together(bench.networks, {})
    result = bench.step(with_norms=True)
    assert bench.changed("generator")
    assert bench.changed("discriminator")
    assert {name.partition("/")[0] for name in result.gradient_norms} == set(ToyMethod.roles)


def test_a_role_without_its_comma_is_named():
    with pytest.raises(PluginError, match='phase "both" has updates="generator"; expected a tuple') as caught:
        Phase("both", "generator", lambda batch, shared: {})
    assert caught.value.hint == 'Write updates=("generator",).'


def test_the_generators_phase_adds_nothing_to_the_discriminators_gradients():
    both, alone = Bench(), Bench("discriminator")
    both.step()
    alone.step()
    pairs = zip(both.networks["discriminator"].parameters(), alone.networks["discriminator"].parameters(), strict=True)
    assert all(torch.equal(one.grad, other.grad) for one, other in pairs)


def test_phases_come_in_order_and_see_what_the_one_before_left():
    bench = Bench()
    result = bench.step()
    assert list(result.losses) == ["critic/real", "critic/predicted", "painter/game", "painter/l1"]
    prediction = copy.deepcopy(bench.before["generator"])
    torch.manual_seed(0)
    shared = prediction(batch().condition).tanh()
    updated, first = (
        (judge(batch().condition, shared) - 1).square().mean().item()
        for judge in (bench.networks["discriminator"], bench.before["discriminator"])
    )
    assert float(result.losses["painter/game"]) == pytest.approx(updated, rel=1e-6)
    assert updated != pytest.approx(first, rel=1e-3)


def test_losses_are_reported_without_their_weights_and_without_a_graph():
    bench = Bench("generator")
    result = bench.step()
    torch.manual_seed(0)
    prediction = bench.before["generator"](batch().condition).tanh()
    assert float(result.losses["painter/l1"]) == pytest.approx((prediction - batch().target).abs().mean().item())
    assert not any(loss.requires_grad for loss in result.losses.values())


def test_the_objective_is_the_weighted_sum_of_its_terms():
    bench = Bench("discriminator")
    bench.step()
    torch.manual_seed(0)
    judge, pairs = bench.before["discriminator"], batch()
    prediction = bench.before["generator"](pairs.condition).tanh().detach()
    objective = 0.5 * (judge(pairs.condition, pairs.target) - 1).square().mean()
    objective = objective + 0.25 * judge(pairs.condition, prediction).square().mean()
    expected = gradients(objective, judge)
    for name, parameter in bench.networks["discriminator"].named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name])


def test_gradients_do_not_pile_up_over_steps():
    bench = Bench()
    bench.step()
    parameter = bench.networks["discriminator"].layer.weight
    before = parameter.grad.clone()
    with torch.no_grad():
        for role, network in bench.networks.items():
            network.load_state_dict(bench.before[role].state_dict())
    bench.step()
    assert torch.equal(parameter.grad, before)


def test_norms_of_gradients_and_weights_by_level():
    bench = Bench("generator")
    result = bench.step(with_norms=True)
    torch.manual_seed(0)
    generator, judge, pairs = bench.before["generator"], bench.before["discriminator"], batch()
    prediction = generator(pairs.condition).tanh()
    objective = (judge(pairs.condition, prediction) - 1).square().mean()
    expected = gradients(objective + 10 * (prediction - pairs.target).abs().mean(), generator)
    levels = ["inner", "norm", "outer"]
    assert list(result.gradient_norms) == list(result.weight_norms) == [f"generator/{name}" for name in levels]
    for name in levels:
        parts = [expected[f"{name}.weight"], expected[f"{name}.bias"]]
        assert float(result.gradient_norms[f"generator/{name}"]) == pytest.approx(norm(*parts), rel=1e-5)
        weights = norm(*(parameter.detach() for parameter in getattr(generator, name).parameters()))
        assert float(result.weight_norms[f"generator/{name}"]) == pytest.approx(weights, rel=1e-5)


def test_both_networks_have_norms_and_only_when_asked_for():
    result = Bench().step(with_norms=True)
    assert [name.partition("/")[0] for name in result.gradient_norms] == ["discriminator", *["generator"] * 3]
    plain = Bench().step()
    assert plain.gradient_norms == plain.weight_norms == plain.total_gradient_norms == {}


def test_asking_for_norms_does_not_change_the_training():
    with_norms, without = Bench(), Bench()
    with_norms.step(with_norms=True)
    without.step()
    for role in ToyMethod.roles:
        state, other = with_norms.networks[role].state_dict(), without.networks[role].state_dict()
        assert all(torch.equal(state[name], other[name]) for name in state)


class Frozen(ToyDiscriminator):
    """Has weights that are not to be trained, and some that its forward pass leaves out."""

    def __init__(self) -> None:
        super().__init__()
        self.spare = nn.Linear(2, 2)
        self.layer.bias.requires_grad_(False)


def test_weights_that_are_frozen_or_unused_stay_as_they_are():
    bench = Bench(made={**networks(), "discriminator": Frozen()})
    before = {name: value.clone() for name, value in bench.networks["discriminator"].state_dict().items()}
    result = bench.step(with_norms=True)
    after = bench.networks["discriminator"].state_dict()
    assert [name for name in before if not torch.equal(before[name], after[name])] == ["layer.weight"]
    assert result.gradient_norms["discriminator/spare"] == 0
