"""The average of weights: what it is, what predicts with it, and that a resume continues it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.checkpoints import tensor_digests
from tests.core.engine.test_exactness import records
from tests.core.toys import ToyDiscriminator, experiment, run
from torch import Tensor

import genlab
from genlab import Listener, RecipeError, RunError, Step
from genlab.assemble.read import read_recipe
from genlab.engine.experiment import Experiment
from genlab.engine.inference import Predictor
from genlab.engine.validation import pair_as_batch
from genlab.engine.weight_average import WeightAverage, make_average

FAST = {"learning_rate": 0.01}
EMA = "ema.horizon=12"
ACCUMULATED = ["train.accumulate=2", "train.batch_size=2", "train.steps=5", "data.count=3", "data.validation_count=1"]


class Weights(Listener):
    """Notes the generator's weights after each step."""

    experiment: Experiment

    def __init__(self) -> None:
        self.of_steps: list[dict[str, Tensor]] = []

    def step(self, event: Step) -> None:
        weights = self.experiment.networks["generator"].named_parameters()
        self.of_steps.append({name: weight.detach().double().clone() for name, weight in weights})


def last(folder: Path) -> Path:
    return max((folder / "checkpoints").glob("[0-9]*"))


def by_hand(weights: list[Tensor], horizon: float) -> Tensor:
    """The mean of all, until a step that is the horizon ago has the share of one that long ago at a steady rate."""
    average = torch.zeros_like(weights[0])
    for before, weight in enumerate(weights):
        decay = min(before / (before + 1), math.exp(-1 / horizon))
        average = decay * average + (1 - decay) * weight
    return average


@pytest.mark.parametrize(
    ("horizon", "train", "steps"),
    [(3, {}, 3), (2, {"accumulate": 2, "batch_size": 2}, 0.5), (100, {"batch_size": 2}, 50)],
    ids=["horizon of three steps", "horizon within a step", "horizon beyond the training"],
)
def test_it_is_the_mean_until_its_horizon_and_then_forgets(
    tmp_path: Path, horizon: int, train: dict[str, int], steps: float
) -> None:
    seen = Weights()
    made = seen.experiment = experiment(
        seen, ema={"horizon": horizon, "roles": ("generator",)}, train={"steps": 8, **train}, optimizer=FAST
    )
    run(made, tmp_path)
    assert len(seen.of_steps) == 8
    saved = load_file(last(tmp_path) / "generator.ema.safetensors")
    for name in seen.of_steps[0]:
        weights = [step[name] for step in seen.of_steps]
        expected = by_hand(weights, steps)
        if horizon == 100:
            torch.testing.assert_close(expected, torch.stack(weights).mean(dim=0))
        torch.testing.assert_close(saved[name].double(), expected, rtol=1e-5, atol=1e-7)
        assert not torch.allclose(expected, weights[-1], atol=1e-5)


def test_a_share_falls_to_1_in_e_over_the_horizon() -> None:
    """A step with weights of 1 after many of 0, and then five of 0 with two pairs each."""
    network = ToyDiscriminator()
    average = WeightAverage({"discriminator": network}, horizon=10, pairs=2)

    def share_after(weight: float, steps: range) -> float:
        with torch.no_grad():
            network.layer.weight.fill_(weight)
        for step in steps:
            average.update(step)
        return average.weights["discriminator"]["layer.weight"].flatten()[0].item()

    assert share_after(0, range(100)) == 0
    first = share_after(1, range(100, 101))
    assert first == pytest.approx(1 - math.exp(-1 / 5))
    assert share_after(0, range(101, 106)) == pytest.approx(first / math.e)


@pytest.fixture(scope="module")
def averaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny run with an average of its weights."""
    tiny = Path(__file__).parents[2] / "assets" / "tiny.toml"
    return genlab.train(tiny, out=tmp_path_factory.mktemp("averaged") / "run", overrides=[EMA, *ACCUMULATED]).path


def same(state: dict[str, Tensor], file: Path) -> bool:
    saved = load_file(file)
    assert state.keys() == saved.keys()
    return all(value.equal(saved[name]) for name, value in state.items())


def test_a_run_predicts_with_it_and_other_weights_are_not_averaged(averaged: Path) -> None:
    opened, checkpoint = genlab.open_run(averaged), last(averaged)
    assert same(opened.generator.state_dict(), checkpoint / "generator.ema.safetensors")
    assert same(opened.method.networks["discriminator"].state_dict(), checkpoint / "discriminator.safetensors")
    assert not (checkpoint / "discriminator.ema.safetensors").exists()
    plain = load_file(checkpoint / "generator.safetensors")
    mean = load_file(checkpoint / "generator.ema.safetensors")
    assert not mean["encoder.0.conv.weight"].equal(plain["encoder.0.conv.weight"])
    assert mean["encoder.1.norm.running_mean"].equal(plain["encoder.1.norm.running_mean"])


def scores(run: Path) -> tuple[float, float]:
    """The score of the last validation, and the same of predictions with the run that was opened."""
    opened, distances = genlab.open_run(run), []
    pairs = opened.validation_pairs()
    for index in range(len(pairs)):
        pair = pair_as_batch(pairs, index, torch.device("cpu"))
        distances.append((opened.apply(pair.condition) - pair.target).abs().mean().item())
    return opened.metrics["validation/l1"], float(np.mean(distances))


def test_validations_are_of_what_predicts(averaged: Path, tiny: Path, tmp_path: Path) -> None:
    plain = genlab.train(tiny, out=tmp_path / "run", overrides=[EMA, *ACCUMULATED, "inference.weights=plain"]).path
    assert same(genlab.open_run(plain).generator.state_dict(), last(plain) / "generator.safetensors")
    assert tensor_digests(plain) == tensor_digests(averaged)
    (validated, predicted), (validated_plain, predicted_plain) = scores(averaged), scores(plain)
    assert validated == pytest.approx(predicted, rel=1e-6)
    assert validated_plain == pytest.approx(predicted_plain, rel=1e-6)
    assert validated != pytest.approx(validated_plain, rel=1e-4)


def test_predicting_with_it_leaves_the_weights_as_they_are() -> None:
    made = experiment(ema={"horizon": 3, "roles": ("generator",)})
    average = make_average(made.method, made.settings)
    assert average is not None
    generator = made.networks["generator"]
    with torch.no_grad():
        generator.outer.weight.mul_(2)
    before = generator.outer.weight.data_ptr(), generator.outer.weight.clone()
    condition = pair_as_batch(made.validation, 0, made.device).condition
    with_average, without = (Predictor(made.method, made.settings.inference, it) for it in (average, None))
    assert not with_average(condition).equal(without(condition))
    assert generator.outer.weight.data_ptr() == before[0]
    assert generator.outer.weight.equal(before[1])


def test_a_run_in_parts_equals_the_whole(tiny: Path, tmp_path: Path) -> None:
    values = [EMA, *ACCUMULATED, "ema.roles=['generator', 'discriminator']"]
    values += ["method.discriminator_steps=2", "losses.r1.every=3", "discriminator.norm=instance"]
    whole = genlab.train(tiny, out=tmp_path / "whole", overrides=values).path
    parts = genlab.train(tiny, out=tmp_path / "parts", overrides=values, stop_at=2).path
    genlab.resume(parts, stop_at=3)
    genlab.resume(parts)
    names = tensor_digests(whole)
    assert {"generator.ema.safetensors", "discriminator.ema.safetensors"} < names.keys()
    assert tensor_digests(parts) == names
    assert records(parts) == records(whole)
    assert records(parts, "validation") == records(whole, "validation")


def test_an_average_changes_nothing_of_the_training(averaged: Path, tiny: Path, tmp_path: Path) -> None:
    without = tensor_digests(genlab.train(tiny, out=tmp_path / "run", overrides=ACCUMULATED).path)
    assert without.items() < tensor_digests(averaged).items()


def test_a_finished_trial_keeps_it(tiny: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "question.toml"
    recipe.write_text(
        f'extends = "{tiny}"\n[ablation]\nbaseline = "plain"\n[ablation.arms.plain]\n'
        "[ablation.arms.averaged.ema]\nhorizon = 5\n"
    )
    folder = tmp_path / "ablation"
    genlab.ablate(recipe, out=folder, overrides=["train.steps=2", "data.count=1", "data.validation_count=1"])
    averaged, plain = (folder / "trials" / arm / "seed-0" for arm in ("averaged", "plain"))
    files = {path.name for path in last(averaged).iterdir()}
    assert "generator.ema.safetensors" in files and not any("optimizer" in name for name in files)
    assert same(genlab.open_run(averaged).generator.state_dict(), last(averaged) / "generator.ema.safetensors")
    assert not (last(plain) / "generator.ema.safetensors").exists()


@pytest.mark.parametrize(
    ("assignments", "where", "what"),
    [
        (["inference.weights=ema"], "inference.weights", "the recipe has no [ema]"),
        (
            [EMA, "ema.roles=['painter']"],
            "ema.roles",
            "`painter` is not a network that is trained; those are generator",
        ),
        ([EMA, "losses.adversarial=false", "ema.roles=['discriminator']"], "ema.roles", "those are generator"),
        (
            [EMA, "ema.roles=['discriminator']", "inference.weights=ema"],
            "inference.weights",
            "a prediction uses no average of the discriminator",
        ),
        ([EMA, "ema.roles=['generator', 'generator']"], "ema.roles", "`generator` is named twice"),
        (["ema.horizon=0"], "ema.horizon", "expected an integer of at least 1, got 0"),
        (["ema.roles=['generator']"], "", "needs `horizon`"),
        (["ema=true"], "ema", "expected a table, got true"),
        (
            ["losses.adversarial=false", "losses.relativistic_average={}", "train.accumulate=2", "train.batch_size=3"],
            "losses.relativistic_average",
            "the loss `relativistic_average` is not a mean over images",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_what_cannot_be_averaged_is_refused(tiny: Path, assignments: list[str], where: str, what: str) -> None:
    with pytest.raises(RecipeError) as caught:
        read_recipe(tiny, overrides=assignments)
    (fault,) = caught.value.faults
    assert where in str(fault) and what in str(fault)


def test_the_remedy_for_a_loss_that_is_no_mean_is_the_batch_of_that_size(tiny: Path) -> None:
    values = ["losses.adversarial=false", "losses.relativistic_average={}", "train.accumulate=2", "train.batch_size=3"]
    with pytest.raises(RecipeError, match=r"train\.accumulate = 1 and train\.batch_size = 6"):
        read_recipe(tiny, overrides=values)


def test_a_run_that_averages_its_discriminator_alone_predicts_with_trained_weights(tiny: Path) -> None:
    recipe = read_recipe(tiny, overrides=[EMA, "ema.roles=['discriminator']"]).recipe
    assert recipe.settings.inference.weights == "plain"
    assert recipe.settings.averaged == ()


def test_a_recipe_drops_the_average_that_it_inherits(tiny: Path) -> None:
    with_average = read_recipe(tiny, overrides=[EMA]).recipe.tables()
    assert with_average["ema"] == {"horizon": 12, "roles": ["generator"]}
    assert with_average["inference"]["weights"] == "ema"
    without = read_recipe(tiny, overrides=[EMA, "ema=false"]).recipe.tables()
    assert "ema" not in without
    assert without == read_recipe(tiny).recipe.tables()


@pytest.mark.parametrize("change", ["ema.horizon=13", "inference.weights=plain", "train.accumulate=3"])
def test_a_resume_changes_none_of_it(averaged: Path, change: str) -> None:
    with pytest.raises(RunError, match=r"a resume cannot change") as caught:
        genlab.resume(averaged, overrides=[change, "train.steps=9"])
    assert change.partition("=")[0] in caught.value.what
