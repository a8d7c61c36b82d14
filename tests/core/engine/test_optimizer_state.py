"""What an optimizer remembers is saved, whatever its shape, or refused by its name."""

from pathlib import Path

import pytest
import torch
from tests.core.toys import ToyMethod, batch, networks
from tests.optimizers import adam

from genlab import TrainingError
from genlab.engine.checkpoint import restore, save
from genlab.engine.checkpoint_state import TrainProgress, open_checkpoint
from genlab.engine.divergence import not_finite
from genlab.engine.optimizer_state import load_state_tensors, state_tensors
from genlab.engine.step import train_step
from genlab.engine.train_state import TrainState

WEIGHT = "layer.weight"


class Remembering(torch.optim.Optimizer):
    """Keeps things of every kind that can be saved."""

    def __init__(self, params, lr=0.01, k=0, momentum=0.0):
        super().__init__(params, {"lr": lr, "k": k, "momentum": momentum, "betas": (0.9, 0.99), "note": None})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            group["k"] += 1
            group["d"] = group.get("d", 1e-6) * 1.1
            group["total"] = group.get("total", torch.zeros(2)) + 1
            for weight in group["params"]:
                state = self.state[weight]
                state["count"] = state.get("count", 0) + 1
                state["share"] = state.get("share", 0.0) + 1 / 3
                state["is_warm"] = not state.get("is_warm", False)
                state["signs"] = weight.grad > 0
                state["visits"] = state.get("visits", torch.zeros((), dtype=torch.int64)) + 1
                state["rows"] = weight.grad.flatten(1).mean(dim=1) if weight.ndim > 1 else torch.zeros(0)
                rate = group["lr"] * state["count"] * state["share"] * group["k"] * (1 + state["is_warm"]) * group["d"]
                weight.sub_(rate * state["signs"] * state["visits"] * 1e4)


def trained(make) -> TrainState:
    made = networks()
    return TrainState(ToyMethod(made, {}), {role: make(network.parameters()) for role, network in made.items()})


def advance(state: TrainState, first: int, last: int) -> None:
    for number in range(first, last):
        torch.manual_seed(number)
        train_step(state.method, [batch(seed=number)], state.optimizers, with_norms=False)


@pytest.mark.parametrize(
    "make",
    [
        Remembering,
        torch.optim.Adafactor,
        torch.optim.NAdam,
        torch.optim.Rprop,
        torch.optim.ASGD,
        lambda params: torch.optim.SGD(params, momentum=0.5),
    ],
)
def test_a_state_of_any_shape_is_restored_exactly(tmp_path: Path, make) -> None:
    whole, first, resumed = trained(make), trained(make), trained(make)
    advance(whole, 0, 4)
    advance(first, 0, 3)
    saved = save(tmp_path, TrainProgress(step=3), first, keep=1)
    restore(open_checkpoint(saved, run="", optimizers=True), resumed)
    for role, optimizer in first.optimizers.items():
        network, other = first.method.networks[role], resumed.method.networks[role]
        given, expected = state_tensors(resumed.optimizers[role], other), state_tensors(optimizer, network)
        assert given.keys() == expected.keys()
        assert [name for name in given if given[name].dtype != expected[name].dtype] == []
    advance(resumed, 3, 4)
    for role, network in whole.method.networks.items():
        for one, other in zip(network.parameters(), resumed.method.networks[role].parameters(), strict=True):
            assert torch.equal(one, other)


def test_names_tell_quantity_type_and_parameter() -> None:
    state = trained(Remembering)
    advance(state, 0, 1)
    found = state_tensors(state.optimizers["discriminator"], state.method.networks["discriminator"])
    for name in (f"signs/{WEIGHT}", f"count:int/{WEIGHT}", "k:group:int/0", "d:group:float/0", "total:group/0"):
        assert name in found
    assert not any(name.startswith(("lr", "betas", "momentum", "note", "params")) for name in found)


def test_a_rate_of_the_recipe_is_not_that_of_the_checkpoint() -> None:
    one, other = trained(Remembering), trained(lambda params: Remembering(params, lr=0.5))
    advance(one, 0, 1)
    network = one.method.networks["generator"]
    tensors = state_tensors(one.optimizers["generator"], network) | {"lr:group:float/0": torch.tensor(9.0)}
    load_state_tensors(other.optimizers["generator"], other.method.networks["generator"], tensors)
    (group,) = other.optimizers["generator"].param_groups
    assert (group["lr"], group["k"]) == (0.5, 1)


class Listing(Remembering):
    """Keeps its earlier gradients in a list."""

    def step(self, closure=None):
        super().step()
        for weight in self.param_groups[0]["params"]:
            self.state[weight]["earlier"] = [weight.grad]


class Global(Remembering):
    """Keeps a state that is of no weight."""

    def step(self, closure=None):
        super().step()
        self.state["all"] = {"count": 1}


class Slashed(Remembering):
    """Keeps a state whose name has a slash."""

    def step(self, closure=None):
        super().step()
        for weight in self.param_groups[0]["params"]:
            self.state[weight]["a/b"] = 1


@pytest.mark.parametrize(
    ("optimizer", "told"), [(Listing, "`earlier` is a list"), (Global, "by 'all'"), (Slashed, "keeps a `a/b`")]
)
def test_what_cannot_be_saved_is_refused_with_the_optimizers_name(tmp_path: Path, optimizer, told: str) -> None:
    state = trained(optimizer)
    advance(state, 0, 1)
    with pytest.raises(
        TrainingError, match=f"the state of the optimizer {optimizer.__name__} cannot be saved: .*{told}"
    ):
        save(tmp_path, TrainProgress(step=1), state, keep=1)
    assert list(tmp_path.iterdir()) == []


def test_numbers_that_are_not_finite_are_found() -> None:
    state = trained(Remembering)
    advance(state, 0, 1)
    weight = state.method.networks["discriminator"].layer.weight
    state.optimizers["discriminator"].state[weight]["share"] = float("inf")
    assert [str(name) for name in not_finite(state)] == [
        "the optimizer state of the discriminator: `share:float/layer.weight`"
    ]


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        (f"exp_avg/{WEIGHT}", torch.zeros(2)),
        (f"exp_avg/{WEIGHT}", torch.zeros(1, 6, 3, 3, 2)),
        ("exp_avg/other", torch.zeros(2)),
        ("k:group:int/7", torch.tensor(1)),
        (f"k:int/{WEIGHT}", torch.zeros(2)),
        ("nonsense", torch.zeros(2)),
    ],
)
def test_what_does_not_fit_never_reaches_a_fused_kernel(name: str, tensor: torch.Tensor) -> None:
    made = networks()
    with pytest.raises((RuntimeError, KeyError)):
        load_state_tensors(adam(made)["discriminator"], made["discriminator"], {name: tensor})


def test_a_checkpoint_cannot_ask_for_a_fused_kernel() -> None:
    made = networks()
    optimizer = torch.optim.SGD(made["discriminator"].parameters(), momentum=0.9)
    tensors = {"fused:group:bool/0": torch.tensor(True), f"momentum_buffer/{WEIGHT}": torch.zeros(2)}
    with pytest.raises(RuntimeError, match=r"of shape \(1, 6, 3, 3\), got \(2,\)"):
        load_state_tensors(optimizer, made["discriminator"], tensors)
