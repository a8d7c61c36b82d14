"""What only a CUDA GPU can show: `pytest -m gpu`. Counts and ratios, never times."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import jaxtyping
import pytest
import torch
from tests.learning import assert_learned_alike, losses
from torch.profiler import ProfilerActivity, profile

import genlab
from genlab import Batch
from genlab.assemble.experiment import build
from genlab.assemble.read import read_recipe
from genlab.data.batches import Batches
from genlab.engine.compilation import compile_networks, next_step
from genlab.engine.experiment import Experiment
from genlab.engine.precision import Precision
from genlab.engine.step import StepSettings, measure_norms, train_step

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU here"),
    # What PyTorch's compiler warns of within itself.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"),
]

ROOT = Path(__file__).parents[2]
ON_GPU = ['train.device="cuda"', "generator.dropout=0.0"]


@pytest.fixture(autouse=True)
def traceable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shapes that are checked at each call cannot be compiled."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture
def experiment(tiny: Path) -> Experiment:
    checked = read_recipe(tiny, overrides=ON_GPU)
    return build(checked.recipe, checked.document).experiment


@pytest.fixture
def batch() -> Batch:
    rng = torch.Generator().manual_seed(0)
    condition, target = (torch.rand(1, 3, 32, 32, generator=rng) * 2 - 1 for _ in range(2))
    return Batch(condition.cuda(), target.cuda())


def stepper(made: Experiment, batch: Batch, precision: Precision) -> Callable[[], object]:
    def step() -> object:
        next_step(made.device)
        return train_step(made.method, [batch], made.optimizers, with_norms=False, settings=StepSettings(precision))

    return step


def test_weights_lie_as_tensor_cores_want_them(experiment: Experiment) -> None:
    weights = [p for network in experiment.networks.values() for p in network.parameters() if p.ndim == 4]
    assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in weights)


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_a_step_never_waits_for_the_gpu(experiment: Experiment, batch: Batch, precision: str) -> None:
    step = stepper(experiment, batch, Precision(precision, experiment.device))
    step()
    step()
    torch.cuda.set_sync_debug_mode("error")
    try:
        step()
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_batches_of_a_small_set_never_wait_for_the_gpu(experiment: Experiment) -> None:
    pairs = experiment.training
    read = [pairs[index] for index in range(len(pairs))]
    assert {side.device.type for pair in read for side in (pair.condition, pair.target)} == {"cuda"}
    batches = Batches(pairs, experiment.augmentations, 0, 4).starting_at(0)
    next(batches)
    torch.cuda.set_sync_debug_mode("error")
    try:
        assert next(batches).condition.is_cuda
    finally:
        torch.cuda.set_sync_debug_mode("default")
        batches.close()


def launches(step: Callable[[], object]) -> int:
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiler:
        step()
        torch.cuda.synchronize()
    return sum(event.count for event in profiler.key_averages() if event.key.startswith(("cudaLaunch", "cuLaunch")))


def test_recorded_graphs_launch_a_fraction_of_the_kernels(experiment: Experiment, batch: Batch) -> None:
    precision = Precision("bfloat16", experiment.device)
    step = stepper(experiment, batch, precision)
    step()
    eager = launches(step)
    compile_networks(
        experiment.method, precision, 1, experiment.device, lambda: measure_norms(experiment.method, [batch], precision)
    )
    for _ in range(5):
        step()
    assert launches(step) < eager / 3


@pytest.mark.parametrize("setting", ['train.precision="bfloat16"', 'train.precision="float16"', "train.compile=true"])
def test_200_steps_learn_what_they_learn_eager_in_single_precision(
    tiny: Path, tmp_path: Path, setting: str, caplog: pytest.LogCaptureFixture
) -> None:
    quiet = [*ON_GPU, "train.steps=200", "evaluate.previews=1", "evaluate.validations=1"]
    eager = ['train.precision="float32"', "train.compile=false"]
    plain = losses(tiny, tmp_path / "plain", *quiet, *eager)
    other = losses(tiny, tmp_path / "other", *quiet, *eager, setting)
    assert_learned_alike(plain, other)
    assert "not compiled" not in caplog.text


def test_a_run_resumes(tiny: Path, tmp_path: Path) -> None:
    run = genlab.train(tiny, overrides=['train.device="cuda"'], out=tmp_path / "run", stop_at=3)
    assert genlab.resume(run.path).manifest.status == "finished"


@pytest.mark.cold
def test_the_table_is_made(tmp_path: Path, python: list[str]) -> None:
    command = [*python, str(ROOT / "benchmarks" / "gpu.py"), "--batches", "1", "--rounds", "2", "--steps", "5"]
    subprocess.run([*command, "--out", str(tmp_path)], check=True, timeout=900)
    (found,) = (json.loads(path.read_text()) for path in tmp_path.glob("gpu_*.json"))
    assert set(found["batches"][0]["ways"]) == {"plain", "float32", "bfloat16", "bfloat16 compiled"}


def test_nothing_is_left_of_settings_for_the_whole_process(experiment: Experiment) -> None:
    from genlab.engine.runtime import tf32_and_autotune

    before = torch.backends.cudnn.benchmark, torch.backends.cuda.matmul.allow_tf32
    with tf32_and_autotune(experiment.device), nullcontext():
        assert torch.backends.cudnn.benchmark and torch.backends.cuda.matmul.allow_tf32
    assert (torch.backends.cudnn.benchmark, torch.backends.cuda.matmul.allow_tf32) == before
