"""Mixed precision, on a CPU too: what it changes, what it must not, and that it resumes."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from dataclasses import replace

import jaxtyping
import pytest
import torch
from tests.core.engine.test_exactness import assert_same, records
from tests.core.toys import CPU, ToyMethod, batch, networks
from tests.learning import assert_learned_alike, losses
from tests.optimizers import adam
from torch import nn

import genlab
from genlab.config.schema import Train
from genlab.engine import runtime
from genlab.engine.precision import Precision, full_precision
from genlab.engine.runtime import settle_train
from genlab.engine.step import StepSettings, train_step

MIXED = ["bfloat16", "float16"]


def test_single_precision_computes_as_everything_is_written():
    made = networks(0)
    made["generator"].eval()
    before = made["generator"](batch().condition)
    with full_precision().applied(made.values()):
        assert torch.equal(made["generator"](batch().condition), before)
    assert full_precision().state() == {}


@pytest.mark.parametrize("name", MIXED)
def test_mixed_precision_computes_convolutions_in_16_bits_and_keeps_weights_in_32(name):
    made, seen = networks(0), []
    for layer in made["generator"].modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda _module, _given, output: seen.append(output.dtype))
    method = ToyMethod(made, {})
    optimizers = adam(made)
    result = train_step(method, [batch()], optimizers, True, StepSettings(Precision(name, CPU)))
    assert {*seen} == {getattr(torch, name)}
    parameters = [parameter for network in made.values() for parameter in network.parameters()]
    assert {parameter.dtype for parameter in parameters} == {torch.float32}
    assert {loss.dtype for loss in result.losses.values()} == {torch.float32}


def in_a_thread(network, image):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(network, image).result()


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda network, image: network(image), id="called"),
        pytest.param(lambda network, image: network.forward(image), id="forward"),
        pytest.param(lambda network, image: Context().run(network, image), id="another context"),
        pytest.param(in_a_thread, id="another thread"),
        pytest.param(lambda network, image: nn.Sequential(network)(image), id="wrapped"),
        pytest.param(lambda network, image: torch.compile(network, backend="eager")(image), id="compiled"),
    ],
)
def test_however_a_network_is_called_within_a_step_it_computes_in_its_precision(call, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    made = networks(0)
    generator = made["generator"].eval()
    exact = generator(batch().condition)
    with Precision("bfloat16", CPU).applied(made.values()):
        mixed = call(generator, batch().condition)
    assert mixed.dtype == torch.float32
    assert not torch.equal(mixed, exact)
    torch.testing.assert_close(mixed, exact, rtol=0.05, atol=0.05)
    assert torch.equal(generator(batch().condition), exact)


def test_hooks_see_what_a_network_gives():
    made, seen = networks(0), []
    made["generator"].register_forward_hook(lambda _module, _given, output: seen.append(output.dtype))
    with Precision("bfloat16", CPU).applied(made.values()):
        made["generator"](batch().condition)
    assert seen == [torch.float32]


def test_only_the_networks_that_are_named_compute_in_a_precision():
    made, precision = networks(0), Precision("bfloat16", CPU)
    generator, discriminator = made["generator"].eval(), made["discriminator"].eval()
    exact = generator(batch().condition)
    with precision.applied([generator, discriminator]):
        assert not torch.equal(generator(batch().condition), exact)
    with precision.applied([discriminator]):
        assert torch.equal(generator(batch().condition), exact)


@pytest.mark.parametrize("name", MIXED)
def test_gradient_norms_are_of_the_true_size(name):
    def norms(precision: Precision) -> dict[str, float]:
        made = networks(0)
        optimizers = adam(made)
        result = train_step(ToyMethod(made, {}), [batch()], optimizers, True, StepSettings(precision))
        return {key: float(value) for key, value in result.gradient_norms.items()}

    precision = Precision(name, CPU)
    precision.load_state({"scale": 256.0, "_growth_tracker": 0})  # the first scale is found by trial
    assert norms(precision) == pytest.approx(norms(full_precision()), rel=0.05)


def test_an_update_that_overflowed_is_left_out_and_the_scale_halved():
    made = networks(0)
    precision = Precision("float16", CPU)
    before = [parameter.clone() for parameter in made["generator"].parameters()]
    scale = 2.0**120
    precision.load_state({"scale": scale, "_growth_tracker": 0})
    train_step(ToyMethod(made, {}), [batch()], adam(made), False, StepSettings(precision))
    assert all(torch.equal(one, other) for one, other in zip(before, made["generator"].parameters(), strict=True))
    assert precision.state()["scale"] == scale / 4  # once for each of the two updates


class Twice(ToyMethod):
    """Updates one network in two phases, as a critic that is ahead of its generator is."""

    def phases(self):
        discriminator, generator = super().phases()
        return [discriminator, replace(discriminator, name="again"), generator]


@pytest.mark.parametrize("name", ["float32", *MIXED])
def test_a_network_may_be_updated_twice_in_a_step(name):
    made = networks(0)
    optimizers = adam(made)
    train_step(Twice(made, {}), [batch()], optimizers, True, StepSettings(Precision(name, CPU)))
    assert {int(state["step"]) for state in optimizers["discriminator"].state.values()} <= {0, 1, 2}


class Named(ToyMethod):
    """Calls its generator by the argument's name."""

    def forward(self, batch):
        return {"prediction": self.networks["generator"](condition=batch.condition)}


def test_a_forward_pass_of_a_networks_own_comes_back():
    made = networks(0)
    own = made["generator"].forward = made["generator"].forward
    train_step(ToyMethod(made, {}), [batch()], adam(made), False, StepSettings(Precision("bfloat16", CPU)))
    assert vars(made["generator"])["forward"] is own
    assert "forward" not in vars(made["discriminator"])


def test_a_network_may_be_called_by_names():
    made = networks(0)
    train_step(Named(made, {}), [batch()], adam(made), False, StepSettings(Precision("bfloat16", CPU)))


@pytest.mark.parametrize("name", MIXED)
def test_200_steps_learn_what_they_learn_in_single_precision(tiny, tmp_path, name):
    setting = f"train.precision={name}"
    quiet = ["train.steps=200", "evaluate.previews=1", "evaluate.validations=1", "generator.dropout=0.0"]
    full_precision = losses(tiny, tmp_path / "full_precision", 'train.precision="float32"', *quiet)
    mixed = losses(tiny, tmp_path / name, setting, *quiet)
    assert mixed[0] == pytest.approx(full_precision[0], rel=0.01)
    assert_learned_alike(full_precision, mixed)


@pytest.mark.parametrize("name", MIXED)
def test_it_resumes_exactly(tiny, tmp_path, name):
    setting = [f"train.precision={name}"]
    whole = genlab.train(tiny, overrides=setting, out=tmp_path / "whole").path
    parts = genlab.train(tiny, overrides=setting, out=tmp_path / "parts", stop_at=3).path
    genlab.resume(parts)
    assert_same(parts, whole)
    assert records(parts) == records(whole)


def test_the_scale_is_part_of_a_checkpoint():
    precision = Precision("float16", CPU)
    precision.load_state({"scale": 512.0, "_growth_tracker": 7})
    assert precision.state() == {"scale": 512.0, "_growth_tracker": 7}
    other = Precision("float16", CPU)
    other.load_state(precision.state())
    assert other.state() == precision.state()


@pytest.fixture
def gpu_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _device: "An old GPU")


@pytest.mark.parametrize(
    ("has_bfloat16", "asked", "chosen"),
    [
        (True, "auto", "bfloat16"),
        (True, "bfloat16", "bfloat16"),
        (True, "float32", "float32"),
        (False, "auto", "float16"),
        (False, "float16", "float16"),
        (False, "bfloat16", "float16"),
    ],
)
@pytest.mark.usefixtures("gpu_there")
def test_what_a_gpu_computes_in(monkeypatch, caplog, has_bfloat16, asked, chosen):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_more: has_bfloat16)
    with caplog.at_level(logging.WARNING, "genlab"):
        assert settle_train(Train(steps=1, precision=asked)).precision == chosen
    warned = [record.getMessage() for record in caplog.records]
    assert len(warned) == (asked == "bfloat16" and not has_bfloat16)
    assert all("An old GPU has no bfloat16" in text for text in warned)


@pytest.mark.parametrize(("steps", "compiled"), [(999, False), (1000, True)])
@pytest.mark.usefixtures("gpu_there")
def test_a_gpu_compiles_where_that_pays(monkeypatch, steps, compiled):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_more: True)
    assert settle_train(Train(steps=steps)).compile is compiled
    assert settle_train(Train(steps=steps, compile=not compiled)).compile is not compiled


def test_a_cpu_computes_as_everything_is_written(monkeypatch):
    monkeypatch.setattr(runtime, "choose_device", lambda _name: CPU)
    settled = settle_train(Train(steps=80_000))
    assert (settled.precision, settled.compile, settled.device) == ("float32", False, "cpu")
    assert settle_train(settled) == settled
