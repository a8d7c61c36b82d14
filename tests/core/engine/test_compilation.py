"""Compiled networks: with the real compiler where there is one, and what becomes of a run where there is none."""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from functools import partial

import jaxtyping
import pytest
import torch
from tests.core.toys import CPU, MemoryPairs, ToyMethod, batch, experiment, networks, pictures, run
from torch import Tensor

from genlab import Batch, DataError, Network, Phase, Term
from genlab.engine.compilation import compile_networks
from genlab.engine.listener_list import ListenerList
from genlab.engine.precision import full_precision
from genlab.engine.step import StepSettings, measure_norms, train_step
from genlab.engine.training import Training

# What PyTorch's compiler warns of within itself.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*script_method.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning"),
]


@pytest.fixture(autouse=True)
def traceable(monkeypatch: pytest.MonkeyPatch):
    """Shapes that are checked at each call cannot be compiled; and every test compiles anew."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A compiler that traces as any does, and compiles nothing: how many graphs it was given."""
    graphs: list[int] = []
    original = torch.compile

    def backend(graph, inputs):
        graphs.append(len(inputs))
        return graph

    monkeypatch.setattr(torch, "compile", lambda forward, **_more: original(forward, backend=backend))
    return graphs


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_compiled_run_learns_what_an_eager_one_does(cheap, tmp_path, accumulate):
    train = {"steps": 8, "accumulate": accumulate}
    plain, other = experiment(seed=1, train=train), experiment(seed=1, train={**train, "compile": True})
    run(plain, tmp_path / "plain")
    run(other, tmp_path / "compiled")
    assert len(cheap) >= 2
    for role, network in plain.networks.items():
        assert network.state_dict().keys() == other.networks[role].state_dict().keys()
        for name, value in network.state_dict().items():
            torch.testing.assert_close(other.networks[role].state_dict()[name], value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_attempt_computes_all_that_a_step_does(monkeypatch, tmp_path, accumulate):
    """With several batches, also the forward passes that are recomputed during backward passes."""
    calls: list[object] = []

    def counted(forward, **_more):
        return lambda *given, **named: (calls.append(forward), forward(*given, **named))[1]

    monkeypatch.setattr(torch, "compile", counted)
    train = {"steps": 1, "accumulate": accumulate, "compile": True}
    training = Training(experiment(train=train), None, tmp_path, ListenerList([]), lambda: False)
    with training.ready() as batches:
        attempted = Counter(map(id, calls))
        training.advance(training.next_batches(batches))
    assert len(attempted) == 2
    assert Counter(map(id, calls)) == attempted + attempted


def test_the_attempt_leaves_no_trace(cheap):
    made = networks(0)
    method, precision = ToyMethod(made, {}), full_precision()
    before = {role: {n: t.clone() for n, t in network.state_dict().items()} for role, network in made.items()}
    compile_networks(method, precision, 1, CPU, lambda: measure_norms(method, [batch()], precision))
    assert cheap
    for role, network in made.items():
        assert all(torch.equal(value, before[role][name]) for name, value in network.state_dict().items())
        assert all(parameter.grad is None for parameter in network.parameters())


class Nested(Network):
    """A network that calls another one."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = networks(0)["generator"]

    def forward(self, condition):
        return self.inner(condition).neg()


def test_a_network_within_a_network_is_compiled_with_it(cheap):
    made, precision = Nested().eval(), full_precision()
    precision.transform(torch.compile)
    with precision.applied([made]):
        replaced = made(batch().condition)
    torch.testing.assert_close(replaced, made(batch().condition))
    assert len(cheap) == 1


def test_predictions_are_made_with_the_networks_as_they_are(cheap):
    made = networks(0)
    method, precision = ToyMethod(made, {}), full_precision()
    compile_networks(method, precision, 1, CPU, lambda: measure_norms(method, [batch()], precision))
    graphs = len(cheap)
    with torch.no_grad():
        made["generator"].eval()(batch().condition)
    assert len(cheap) == graphs


def test_a_pair_that_cannot_be_read_is_no_failure_of_the_compiler(cheap, tmp_path):
    class Broken(MemoryPairs):
        def __getitem__(self, index):
            raise DataError("cannot be read", where=f"pair {index}")

    arrays = [picture for picture, _ in pictures(5, 12, 12).arrays]
    with pytest.raises(DataError, match="cannot be read"):
        run(experiment(pairs=Broken(arrays, arrays), train={"steps": 2, "compile": True}), tmp_path / "run")


class Penalised(ToyMethod):
    """Asks for a gradient of a gradient, which compiled code does not have."""

    def phases(self):
        return [Phase("discriminator", ("discriminator",), self.penalty)]

    def penalty(self, given: Batch, shared: dict[str, Tensor]) -> dict[str, Term]:
        image = given.target.clone().requires_grad_()
        scores = self.networks["discriminator"](given.condition, image)
        (gradient,) = torch.autograd.grad(scores.sum(), image, create_graph=True)
        return {"penalty": Term((gradient.norm() - 1) ** 2, 1.0)}


def test_a_penalty_that_cannot_be_compiled_runs_eager_with_one_warning(monkeypatch, tmp_path, caplog):
    original = torch.compile
    monkeypatch.setattr(torch, "compile", lambda forward, **_more: original(forward, backend="aot_eager"))
    with caplog.at_level(logging.WARNING, "genlab"):
        run(experiment(method=Penalised, train={"steps": 3, "compile": True}), tmp_path / "run")
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith("The networks could not be compiled, so training is slower")
    assert "double backward" in told


def test_a_machine_without_a_compiler_trains_all_the_same(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "inductor"))
    monkeypatch.delenv("CXX", raising=False)
    with caplog.at_level(logging.WARNING, "genlab"):
        ended = run(experiment(train={"steps": 2, "compile": True}), tmp_path / "run")
    assert ended.status == "finished"
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith("The networks could not be compiled, so training is slower")


@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no C++ compiler here")
def test_the_real_compiler_gives_the_same_numbers(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "inductor"))
    plain, made = networks(0), networks(0)
    results = []
    for one in (plain, made):
        for layer in one["generator"].modules():
            if isinstance(layer, torch.nn.Dropout):
                layer.p = 0.0  # a compiled one draws other numbers
        method, precision = ToyMethod(one, {}), full_precision()
        optimizers = {role: torch.optim.SGD(network.parameters(), lr=0.1) for role, network in one.items()}
        if one is made:
            attempt = partial(measure_norms, method, [batch()], precision)
            compile_networks(method, precision, 1, CPU, attempt)
        results.append(train_step(method, [batch()], optimizers, False, StepSettings(precision)).losses)
    assert not [record for record in caplog.records if record.name == "genlab" and record.levelno > logging.INFO]
    for name, value in results[0].items():
        torch.testing.assert_close(results[1][name], value, rtol=1e-4, atol=1e-5)
