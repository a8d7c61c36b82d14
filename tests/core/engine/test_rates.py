"""Learning rates of the optimizers over a training, each network's by itself."""

import pytest
import torch
from tests.core.toys import component, experiment, networks, run
from tests.optimizers import adam

from genlab import Position
from genlab.engine.optimizers import WarmedUp, rates, set_rates
from genlab.testing import Recorder


def test_a_rate_is_the_optimizers_own_times_the_schedules_factor():
    optimizers = adam(networks(), learning_rate=3e-4)
    schedules = {"generator": component("schedule", "linear"), "discriminator": component("schedule", "constant")}
    for step, share in ((0, 1.0), (75, 0.5), (75, 0.5), (50, 1.0)):  # it does not add up
        set_rates(optimizers, schedules, Position(step, 100))
        assert rates(optimizers) == {"generator": 3e-4 * share, "discriminator": 3e-4}


def test_groups_keep_the_ratio_of_their_rates():
    weights = [torch.nn.Parameter(torch.zeros(2)) for _ in range(2)]
    optimizer = torch.optim.SGD([{"params": weights[:1], "lr": 0.1}, {"params": weights[1:]}], lr=0.4)
    set_rates({"generator": optimizer}, {"generator": component("schedule", "linear")}, Position(75, 100))
    assert [group["lr"] for group in optimizer.param_groups] == [0.05, 0.2]


@pytest.mark.parametrize(
    ("share", "steps", "expected"),
    [
        (0.0, 4, [1.0, 1.0, 1.0, 1.0]),
        (0.5, 8, [0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0]),
        (1.0, 4, [0.25, 0.5, 0.75, 1.0]),
        (0.01, 4, [1.0, 1.0, 1.0, 1.0]),
    ],
)
def test_a_warm_up_of_n_steps_rises_from_one_nth(share, steps, expected):
    schedule = WarmedUp(component("schedule", "constant"), share)
    assert [schedule.factor(Position(step, steps)) for step in range(steps)] == expected


def test_a_warm_up_multiplies_the_schedule():
    schedule = WarmedUp(component("schedule", "linear", start=0.0), 0.5)
    assert [schedule.factor(Position(step, 4)) for step in range(4)] == [0.5, 0.75, 0.5, 0.25]


def test_two_time_scales(tmp_path):
    """Each network has its own rate and schedule, and what is reported is what the optimizer has."""
    recorder = Recorder()
    made = experiment(recorder)
    made.schedules["generator"] = component("schedule", "step", at=[0.5], factor=0.5)
    made.optimizers["discriminator"].param_groups[0]["lr"] = 4e-4
    run(made, tmp_path)
    reported = [event.values.learning_rates for event in recorder.events if getattr(event, "values", None)]
    assert [values["generator"] for values in reported] == [2e-4] * 4 + [1e-4] * 4
    assert [values["discriminator"] for values in reported] == pytest.approx([4e-4] * 5 + [3e-4, 2e-4, 1e-4])
