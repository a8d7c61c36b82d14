"""Gradients of a network that are larger than its `clip` are scaled down to it, and shown as they were."""

import pytest
import torch
from tests.core.toys import CPU, ToyMethod, batch, experiment, networks, run
from torch.nn.utils import get_total_norm

from genlab import Step
from genlab.engine.precision import Precision
from genlab.engine.step import StepSettings, train_step
from genlab.testing import Recorder


class Descent(torch.optim.SGD):
    """Remembers the gradients that it was given."""

    def step(self, closure=None):
        self.given = [weight.grad.clone() for group in self.param_groups for weight in group["params"]]
        super().step(closure)


def step(clips, with_norms=True, name="float32"):
    precision = Precision(name, CPU)
    precision.load_state({"scale": 8.0, "_growth_tracker": 0})  # so low that nothing overflows
    made = networks()
    optimizers = {role: Descent(network.parameters(), lr=0.01) for role, network in made.items()}
    torch.manual_seed(0)
    result = train_step(ToyMethod(made, {}), [batch()], optimizers, with_norms, StepSettings(precision, clips))
    return result, {role: optimizer.given for role, optimizer in optimizers.items()}


@pytest.mark.parametrize("name", ["float32", "float16"])
def test_the_norm_of_all_gradients_of_a_network_is_scaled_down(name):
    free, expected = step({}, name=name)
    norm = get_total_norm(expected["discriminator"]).item()
    clipped, given = step({"discriminator": norm / 4}, name=name)
    for one, other in zip(given["discriminator"], expected["discriminator"], strict=True):
        torch.testing.assert_close(one, other / 4, rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(
        clipped.gradient_norms["discriminator/layer"], free.gradient_norms["discriminator/layer"]
    )
    assert clipped.total_gradient_norms["discriminator"].item() == pytest.approx(norm, rel=1e-4)


def test_smaller_gradients_and_other_networks_are_left_alone_to_the_last_bit():
    _, expected = step({})
    for clips in ({"discriminator": 1e6}, {"generator": 1e6, "discriminator": 1e6}):
        _, given = step(clips)
        for role in expected:
            assert all(map(torch.equal, given[role], expected[role]))


@pytest.mark.parametrize("name", ["float32", "float16"])
def test_it_does_not_depend_on_what_is_shown(name):
    shown, silent = (step({"generator": 0.1}, norms, name)[1] for norms in (True, False))
    assert all(map(torch.equal, shown["generator"], silent["generator"]))


def test_a_run_clips_at_every_step(tmp_path):
    """Plain gradient descent moves the weights by no more than the rate times the norm."""
    recorder = Recorder()
    made = experiment(recorder, optimizer={"name": "sgd", "learning_rate": 1.0}, schedule={"name": "constant"})
    made.clips["generator"] = 1e-3
    before = [weight.detach().clone() for weight in made.networks["generator"].parameters()]
    run(made, tmp_path)
    after = made.networks["generator"].parameters()
    assert 0 < get_total_norm([one.detach() - other for one, other in zip(after, before, strict=True)]) < 8.1e-3
    norms = [event.values.gradient_norms["generator/outer"] for event in recorder.of(Step)]
    assert max(norms) > 0.1
