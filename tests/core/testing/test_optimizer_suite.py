"""The suite for optimizers: it lets sound ones pass, and finds each mistake that is planted in one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import pytest
import torch
from annotated_types import Gt
from tests.core.testing.conftest import Planted, failures, require_found, unproven
from torch.nn import Parameter

from genlab.testing import OptimizerSuite


class Descent(torch.optim.Optimizer):
    """Goes against the running mean of gradients.

    Args:
        learning_rate: how far.
    """

    def __init__(self, params: Iterable[Parameter], *, learning_rate: Annotated[float, Gt(0)] = 0.01) -> None:
        super().__init__(params, {"lr": learning_rate, "k": 0})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # pyright: ignore
        for group in self.param_groups:
            group["k"] += 1
            for weight in group["params"]:
                if weight.grad is not None:
                    self.update(group, weight, self.state[weight])

    def update(self, group: dict[str, Any], weight: Parameter, state: dict[str, Any]) -> None:
        state["mean"] = state.get("mean", torch.zeros_like(weight)).lerp(weight.grad, 0.5)  # pyright: ignore
        state["count"] = state.get("count", 0) + 1
        weight.sub_(state["mean"], alpha=group["lr"] * (1 + 1 / state["count"] + 1 / group["k"]))


class Starred(Descent):
    """Takes anything."""

    def __init__(self, params: Iterable[Parameter], **more: Any) -> None:
        super().__init__(params)


class Silent(Descent):
    """Says nothing of its setting."""

    def __init__(self, params: Iterable[Parameter], *, speed: float = 1.0) -> None:
        super().__init__(params)


class RateElsewhere(Descent):
    def __init__(self, params: Iterable[Parameter]) -> None:
        super().__init__(params)
        self.param_groups[0]["rate"] = self.param_groups[0].pop("lr")


class RateOfZero(Descent):
    def __init__(self, params: Iterable[Parameter]) -> None:
        super().__init__(params)
        self.param_groups[0]["lr"] = 0.0


class MatricesAlone(Descent):
    """Leaves out what it cannot do."""

    def __init__(self, params: Iterable[Parameter]) -> None:
        super().__init__([weight for weight in params if weight.ndim > 1])


class Uphill(Descent):
    def update(self, group: dict[str, Any], weight: Parameter, state: dict[str, Any]) -> None:
        weight.add_(weight.grad, alpha=group["lr"])  # pyright: ignore


class MatricesMove(Descent):
    def update(self, group: dict[str, Any], weight: Parameter, state: dict[str, Any]) -> None:
        if weight.ndim > 1:
            super().update(group, weight, state)


class Closure(Descent):
    """Computes the loss itself."""

    def step(self, closure: Any = None) -> None:  # pyright: ignore
        closure()


class OwnRate(Descent):
    """Has a rate of its own."""

    def update(self, group: dict[str, Any], weight: Parameter, state: dict[str, Any]) -> None:
        weight.sub_(weight.grad, alpha=0.01)  # pyright: ignore


class Decaying(Descent):
    """Takes some of every weight away, also of those that are frozen."""

    def step(self, closure: Any = None) -> None:  # pyright: ignore
        super().step()
        with torch.no_grad():
            for weight in self.param_groups[0]["params"]:
                weight.mul_(1 - self.param_groups[0]["lr"])


class Drawing(Descent):
    """Draws by a generator of its own, with a seed of its own each time."""

    def update(self, group: dict[str, Any], weight: Parameter, state: dict[str, Any]) -> None:
        rng = torch.Generator()
        rng.seed()
        weight.sub_(weight.grad * torch.rand(weight.shape, generator=rng), alpha=group["lr"])  # pyright: ignore


class Elsewhere(Descent):
    """Keeps its means in an attribute."""

    def __init__(self, params: Iterable[Parameter]) -> None:
        super().__init__(params)
        self.means: dict[Any, Any] = {}

    def update(self, group: dict[str, Any], weight: Parameter, state: dict[str, Any]) -> None:
        super().update(group, weight, self.means.setdefault(weight, {}))


class Listing(Descent):
    def update(self, group: dict[str, Any], weight: Parameter, state: dict[str, Any]) -> None:
        super().update(group, weight, state)
        state["earlier"] = [weight.grad]


PLANTED = [
    Planted(Starred, "test_a_recipe_can_name_it", "takes `**more`"),
    Planted(Silent, "test_settings_have_help", "says nothing of `speed`"),
    Planted(RateElsewhere, "test_its_groups_have_a_rate", "has lr = None"),
    Planted(RateOfZero, "test_its_groups_have_a_rate", "has lr = 0.0"),
    Planted(MatricesAlone, "test_it_has_every_parameter", "hold 2 parameters of the 4 given"),
    Planted(Uphill, "test_it_lowers_a_loss", "a loss is "),
    Planted(MatricesMove, "test_it_lowers_a_loss", "a weight of shape () does not move"),
    Planted(Closure, "test_it_lowers_a_loss", "TypeError"),
    Planted(OwnRate, "test_the_rate_counts", "at a rate of 0 it changes weights"),
    Planted(Decaying, "test_weights_without_a_gradient_stay", "changes a weight that has no gradient"),
    Planted(Drawing, "test_a_step_is_a_function_of_the_gradients", "other weights each time"),
    Planted(Elsewhere, "test_a_resume_is_exact", "the weight of shape () is not as without a pause"),
    Planted(Listing, "test_a_resume_is_exact", "Listing cannot be saved: its `earlier` is a list"),
]


def test_a_sound_one_passes() -> None:
    assert failures(OptimizerSuite, Descent) == {}
    assert failures(OptimizerSuite, Descent, settings={"learning_rate": 0.1}) == {}


@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_each_mistake_is_found(planted: Planted) -> None:
    require_found(OptimizerSuite, planted)


def test_every_test_finds_a_mistake() -> None:
    assert unproven(OptimizerSuite, PLANTED) == set()
