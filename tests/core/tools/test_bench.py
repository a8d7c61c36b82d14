"""`gen bench`: two real processes that take steps by turns, and what is made of their times."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.conftest import GenCommand
from torch import Tensor, nn

import genlab
from genlab import Batch, api
from genlab.assemble.experiment import build
from genlab.assemble.read import read_recipe
from genlab.cli.app import app
from genlab.engine.step import train_step
from genlab.tools.bench.measure import matrix_rate
from genlab.tools.bench.reference import PlainStep
from genlab.tools.bench.report import Benchmark, Measurement
from genlab_pix2pix.kernels.convolutions import Convolution

ROOT, CPU = Path(__file__).parents[3], torch.device("cpu")


@pytest.fixture(scope="module")
def tiny_benchmark(tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    recipe, scratch = Path(__file__).parents[2] / "assets" / "tiny.toml", tmp_path_factory.mktemp("scratch")
    heard: list[tuple[int, int]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(scratch))
        patch.setattr(tempfile, "tempdir", None)
        found = api.bench(
            recipe, overrides=["train.batch_size=2"], rounds=5, on_progress=lambda done, of: heard.append((done, of))
        )
    assert heard == [(done, 5) for done in range(6)]
    left = [path.name for path in scratch.iterdir() if not path.name.startswith("torchinductor")]
    assert left == [], "a benchmark leaves nothing behind"
    return found


def test_both_ways_are_measured_as_often_and_told_apart(tiny_benchmark):
    for side in (tiny_benchmark.reference, tiny_benchmark.genlab):
        assert len(side.seconds) == 5 and min(side.seconds) > 0
        assert side.first_step > 0
        assert side.memory > 2**26  # no process with torch is smaller
        assert sum(side.shares.values()) == pytest.approx(1)
        parts = ["forward", "discriminator", "discriminator update", "generator", "generator update"]
        assert sorted(side.shares) == sorted(parts)


def test_it_says_what_was_measured_and_where(tiny_benchmark):
    assert (tiny_benchmark.batch_size, tiny_benchmark.size) == (2, (32, 32))
    assert tiny_benchmark.device == "cpu (1 thread)"
    assert tiny_benchmark.versions["torch"] == torch.__version__
    assert {"processor", "cpus", "system"} <= set(tiny_benchmark.machine)
    assert tiny_benchmark.date.startswith("20")
    assert 0 <= tiny_benchmark.waiting < 1 and 0 < tiny_benchmark.loop < 1
    assert tiny_benchmark.matrix_rate > 1e9


@pytest.fixture
def printed(
    tiny_benchmark: Benchmark, tiny: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """What `gen bench` prints of the benchmark that it asks for."""

    def run(*more: str) -> str:
        def bench(recipe: str, *, rounds: int, on_progress: Callable[[int, int], None], **_more: object) -> Benchmark:
            assert (recipe, rounds) == (str(tiny), 5)
            on_progress(rounds, rounds)
            return tiny_benchmark

        monkeypatch.setattr(genlab, "bench", bench)
        with pytest.raises(SystemExit, match=r"^0$"):
            app(["bench", str(tiny), "--rounds", "5", *more])
        return capsys.readouterr().out

    return run


def test_the_command_prints_a_table(printed: Callable[..., str]) -> None:
    table = printed()
    for words in ("seconds a step", "images a second", "discriminator update", "times as fast", "Overhead of the loop"):
        assert words in table


def test_the_command_prints_json(printed: Callable[..., str]) -> None:
    found = json.loads(printed("--json"))
    ours, plain = found["genlab"], found["reference"]
    assert len(ours["seconds"]) == len(plain["seconds"]) == 5
    assert ours["images_per_second"] == pytest.approx(2 / ours["median"])
    assert ours["utilization"] == pytest.approx(found["flops"] / ours["median"] / found["matrix_rate"])


def test_what_cannot_be_measured_is_told_as_by_a_training(gen: GenCommand, tiny: Path) -> None:
    ended = gen("bench", tiny, "--set", "input.size=33")
    assert ended.returncode == 2 and "multiples of 16, got 33" in ended.stderr
    ended = gen("bench", tiny, "--set", "data.name=side_by_side", "--set", "data.root=nowhere")
    assert ended.returncode != 0 and "there is no such folder" in ended.stderr
    assert "Traceback" not in ended.stderr
    ended = gen("bench", tiny, "--set", "generator.channels=4000000")
    assert ended.returncode == 1 and "out of memory" in ended.stderr and "Traceback" not in ended.stderr


def side(*seconds: float) -> Measurement:
    return Measurement(seconds, first_step=1.0, memory=1, shares={})


def test_rounds_are_compared_one_by_one(tiny_benchmark):
    """A machine that becomes half as fast in the middle slows both ways down, and is no reason for a ratio to move."""
    found = replace(tiny_benchmark, reference=side(3, 3, 6, 6, 6), genlab=side(2, 2, 4, 4, 4))
    assert found.speedup == pytest.approx(1.5)
    assert found.speedups == pytest.approx([1.5] * 5)
    found = replace(tiny_benchmark, batch_size=4, flops=10, matrix_rate=20.0)
    assert found.images_per_second(side(2, 2, 8)) == 2
    assert found.utilization(side(2, 2, 8)) == pytest.approx(0.25)


def first_batch(size: int) -> Batch:
    rng = torch.Generator().manual_seed(0)
    condition, target = (torch.rand(2, 3, size, size, generator=rng) * 2 - 1 for _ in range(2))
    return Batch(condition, target)


@pytest.mark.parametrize("more", [[], ['init.generator.freeze=["encoder 2", "decoder 3"]']], ids=["all", "some"])
def test_the_plain_way_learns_what_genlab_learns(tiny: Path, more: list[str]) -> None:
    """Otherwise it would be a race between two different things."""
    checked = read_recipe(tiny, overrides=["generator.dropout=0.0", *more])
    plain, ours = (build(checked.recipe, checked.document).experiment for _ in range(2))
    take = PlainStep(plain.method, plain.optimizers)
    batch = first_batch(32)
    for _ in range(3):
        take(batch)
        train_step(ours.method, [batch], ours.optimizers, with_norms=False)
    for role, network in ours.networks.items():
        for name, parameter in network.named_parameters():
            other = plain.networks[role].get_parameter(name)
            torch.testing.assert_close(other, parameter, rtol=1e-3, atol=2e-5)


def test_the_plain_way_has_plain_layers_and_pytorchs_adam(tiny: Path) -> None:
    checked = read_recipe(tiny)
    experiment = build(checked.recipe, checked.document).experiment
    take = PlainStep(experiment.method, experiment.optimizers)
    layers = [module for network in experiment.networks.values() for module in network.modules()]
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
    assert len(convolutions) > 8
    assert all(layer.is_plain for layer in convolutions)
    assert not any(group["fused"] for optimizer in take.optimizers.values() for group in optimizer.param_groups)


class Halved(Convolution):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) / 2


def test_the_plain_way_leaves_layers_alone_that_compute_something_else(tiny: Path) -> None:
    checked = read_recipe(tiny)
    method = build(checked.recipe, checked.document).experiment.method
    method.networks["generator"].other = layer = Halved(3, 3, 1)
    PlainStep(method, {})
    assert type(layer) is Halved


def test_a_product_is_timed() -> None:
    assert matrix_rate(CPU) > 1e9


def test_a_step_calls_the_discriminator_twice_and_the_generator_once(tiny: Path) -> None:
    """The count that makes a step cost what it costs; another forward pass would be paid at every step."""
    checked = read_recipe(tiny)
    experiment = build(checked.recipe, checked.document).experiment
    calls: dict[str, int] = dict.fromkeys(experiment.networks, 0)
    for role, network in experiment.networks.items():
        network.register_forward_hook(lambda *_given, role=role: calls.update({role: calls[role] + 1}))
    train_step(experiment.method, [first_batch(32)], experiment.optimizers, with_norms=False)
    assert calls == {"generator": 1, "discriminator": 2}
    PlainStep(experiment.method, experiment.optimizers)(first_batch(32))
    assert calls == {"generator": 2, "discriminator": 2 + 3}


def test_the_gpu_table_says_which_sizes_it_takes(python: list[str]) -> None:
    command = [*python, str(ROOT / "benchmarks" / "gpu.py"), "--device", "cpu", "--size", "100"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the networks take multiples of 256 pixels, not 100" in done.stderr


@pytest.mark.speed
def test_the_papers_step_is_faster_than_the_plain_way() -> None:
    """An idle machine shows 1.5 times; this much of it must be left on one that is shared and slow."""
    few = 'data={name="drawn_facades", count=4, validation_count=2}'
    found = api.bench(
        "unet_facades", overrides=[few, "train.device=cpu"], rounds=7, on_progress=lambda _done, _of: None
    )
    assert found.speedup > 1.15
