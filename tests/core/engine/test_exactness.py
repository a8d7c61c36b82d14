"""The promise to whoever stops a run: it goes on as if nothing had been, to the last bit.

The tiny recipe has all that makes this hard: dropout, batch norm, Adam, random crops and flips, a rate that decays, and
an epoch of five pairs that ends among its eight steps.
"""

import json
import subprocess
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import genlab

CALLS = {
    "train": "genlab.train({recipe!r}, out={out!r}, stop_at={stop_at})",
    "resume": "genlab.resume({out!r}, stop_at={stop_at})",
}


def contents(run: Path) -> dict[str, torch.Tensor]:
    """Weights, buffers and the optimizers' state of a run's last checkpoint, by file and name."""
    last = max((run / "checkpoints").glob("[0-9]*"))
    return {f"{path.name}/{name}": t for path in last.glob("*.safetensors") for name, t in load_file(path).items()}


def records(run: Path, event: str = "step") -> list[dict[str, object]]:
    """What listeners wrote of an event, less what time it was and how fast it went."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    changing = ("time", "images_per_second", "waiting")
    return [{key: line[key] for key in line if key not in changing} for line in lines if line["event"] == event]


def assert_same(one: Path, other: Path) -> None:
    mine, yours = contents(one), contents(other)
    assert mine.keys() == yours.keys()
    assert [name for name in mine if not torch.equal(mine[name], yours[name])] == []


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight steps in one go."""
    recipe = Path(__file__).parents[2] / "assets" / "tiny.toml"
    return genlab.train(recipe, out=tmp_path_factory.mktemp("exact") / "whole").path


def test_the_recipe_has_all_that_makes_this_hard(whole):
    names = contents(whole)
    for name in (
        "generator.safetensors/encoder.1.norm.running_var",
        "generator.optimizer.safetensors/exp_avg_sq/encoder.0.conv.weight",
        "discriminator.optimizer.safetensors/step/layers.0.conv.weight",
    ):
        assert name in names
    rates = [record["learning_rates"]["generator"] for record in records(whole)]
    assert len(rates) == 8
    assert rates[4] == 2e-4 > rates[5] > rates[7] > 0


@pytest.mark.parametrize("cache", ["off", "cold", "warm", "full"])
def test_the_cache_of_pairs_makes_no_difference(whole, tiny, tmp_path, monkeypatch, cache):
    folder = tmp_path / "cache"
    monkeypatch.setenv("GENLAB_CACHE", "off" if cache == "off" else str(folder))
    if cache == "warm":
        genlab.train(tiny, overrides=["seed=3"], out=tmp_path / "before")
    if cache == "full":
        monkeypatch.setenv("GENLAB_CACHE_GIB", str(2 * 10_000 / 2**30))  # room for two pairs
    run = genlab.train(tiny, out=tmp_path / cache).path
    assert_same(run, whole)
    assert records(run) == records(whole)
    kept = sum(file.stat().st_blocks for file in folder.rglob("records"))
    assert bool(kept) == (cache != "off")


def test_a_run_in_parts_equals_the_whole(whole, tiny, tmp_path):
    parts = tmp_path / "parts"
    assert genlab.train(tiny, out=parts, stop_at=3).manifest.status == "paused"
    torch.rand(17)  # whatever else the process does with random numbers
    reading = ["train.readers=5", "train.read_ahead=0"]
    assert genlab.resume(parts, overrides=reading, stop_at=6).manifest.step == 6
    torch.manual_seed(99)
    assert genlab.resume(parts).manifest.status == "finished"
    assert_same(parts, whole)
    assert records(parts) == records(whole)
    assert records(parts, "validation") == records(whole, "validation")
    assert genlab.open_run(parts).metrics == genlab.open_run(whole).metrics


UPDATES = [
    "optimizer={name='adafactor', clip=0.5}",
    "optimizer.discriminator={name='rmsprop', momentum=0.5, centered=true, clip=2}",
    "schedule={name='step', at=[0.4, 0.7], warmup=0.6}",
    "schedule.discriminator={name='cosine', start=0.0}",
]


def test_so_does_one_with_an_optimizer_and_a_schedule_for_each_network(whole, tiny, tmp_path):
    whole_of_these = genlab.train(tiny, overrides=UPDATES, out=tmp_path / "whole").path
    parts = genlab.train(tiny, overrides=UPDATES, out=tmp_path / "parts", stop_at=3).path
    genlab.resume(parts, stop_at=5)
    genlab.resume(parts)
    assert_same(parts, whole_of_these)
    assert records(parts) == records(whole_of_these)
    with pytest.raises(AssertionError):
        assert_same(parts, whole)


@pytest.mark.cold
def test_parts_in_processes_of_their_own_equal_the_whole(whole, tiny, tmp_path, python):
    parts = tmp_path / "parts"
    for verb, stop_at in (("train", 3), ("resume", 6), ("resume", None)):
        call = CALLS[verb].format(recipe=str(tiny), out=str(parts), stop_at=stop_at)
        done = subprocess.run(
            [*python, "-c", f"import genlab; {call}"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert_same(parts, whole)
    assert records(parts) == records(whole)
    assert records(parts, "validation") == records(whole, "validation")


@pytest.mark.parametrize(
    "assignments",
    [
        ["evaluate.validations=8", "evaluate.previews=8", "inference.dropout=true"],
        ["evaluate.validations=1", "evaluate.previews=1", "inference.dropout=true"],
        ["inference.normalization='running'", "train.values_every=5", "checkpoint.minutes=0.00001"],
    ],
    ids=" ".join,
)
def test_looking_does_not_change_the_training(whole, tiny, tmp_path, assignments):
    genlab.train(tiny, out=tmp_path / "run", overrides=assignments)
    assert_same(tmp_path / "run", whole)


def test_another_recipe_does_not_equal_it(whole, tiny, tmp_path):
    """The comparison can fail."""
    genlab.train(tiny, out=tmp_path / "run", overrides=["generator.dropout=0.4"])
    with pytest.raises(AssertionError):
        assert_same(tmp_path / "run", whole)
