"""Runs on images without pairs: what is refused and when, what is measured, and what pictures say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.checkpoints import tensor_digests
from tests.conftest import GenCommand

import genlab
from genlab import RecipeError

Options = Callable[..., list[str]]

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "tests" / "assets" / "both_ways.py"
METHOD = [
    "method={name='both_ways'}",
    "generator={name='enlarging'}",
    "losses.adversarial=false",
    "losses.l1=false",
    "input.direction='a_to_b'",
    "train.steps=2",
]
BRIGHTNESS = ["evaluate.metrics.l1=false", "evaluate.metrics.brightness={}"]


def save(path: Path, seed: int, size: tuple[int, int] = (32, 32)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(values).save(path)


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    """Five horses and three zebras to train, two of each to validate, which have the same names."""
    for folder, count in {"trainA": 5, "trainB": 3, "testA": 2, "testB": 2}.items():
        for number in range(count):
            save(tmp_path / "zoo" / folder / f"{number}.png", len(folder) * 100 + ord(folder[-1]) + number)
    return tmp_path / "zoo"


@pytest.fixture
def data(zoo: Path) -> str:
    return f"data={{name='unpaired_folders', root='{zoo}'}}"


def train(out: Path, *overrides: str) -> genlab.Run:
    return genlab.train(ROOT / "tests" / "assets" / "tiny.toml", overrides=overrides, plugins=[PLUGIN], out=out)


# Refused


def break_pixels(folder: Path) -> None:
    """Leave of each image no more than its header."""
    for file in folder.rglob("*.png"):
        file.write_bytes(file.read_bytes()[:100])


def test_a_best_score_of_training_images_without_pairs_is_refused(zoo: Path, tmp_path: Path) -> None:
    data = f"data={{name='unpaired_folders', root='{zoo}', paired_validation=true}}"
    with pytest.raises(RecipeError, match="`gap/l1` is not measured, as its metric needs pairs") as caught:
        train(tmp_path / "run", data, *METHOD, "checkpoint.best=gap/l1")
    assert 'Set checkpoint.best = "validation/l1".' in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_method_that_needs_pairs_is_refused_before_images_are_decoded(data: str, zoo: Path, tmp_path: Path) -> None:
    break_pixels(zoo)
    with pytest.raises(RecipeError) as caught:
        train(tmp_path / "run", data)
    (fault,) = caught.value.faults
    assert 'method "pix2pix" needs pairs' in fault.what and str(zoo / "trainA") in fault.what
    assert fault.place and "tiny.toml" in fault.place
    assert "cyclegan" in (fault.hint or "") and "two_folders" in (fault.hint or "")
    assert not (tmp_path / "run").exists()


def test_metrics_that_need_pairs_are_refused_with_what_drops_them(data: str, zoo: Path, tmp_path: Path) -> None:
    break_pixels(zoo)
    with pytest.raises(RecipeError) as caught:
        train(tmp_path / "run", data, *METHOD, "evaluate.metrics.ssim={}", "evaluate.metrics.brightness={}")
    hints = sorted(fault.hint or "" for fault in caught.value.faults)
    for label, hint in zip(("l1", "ssim"), hints, strict=True):
        assert f"--set evaluate.metrics.{label}=false" in hint


def test_an_ablation_is_refused_before_any_trial(data: str, tmp_path: Path) -> None:
    recipe = tmp_path / "ablation.toml"
    recipe.write_text(
        f'extends = "{ROOT}/tests/assets/tiny.toml"\n[ablation]\nbaseline = "one"\n[ablation.arms]\none = {{}}\n'
        "two = { train.steps = 4 }\n"
    )
    with pytest.raises(RecipeError, match="needs pairs"):
        genlab.ablate(recipe, overrides=[data], out=tmp_path / "ablation")


# Trained


def test_what_needs_no_pairs_trains_and_is_measured(data: str, tmp_path: Path) -> None:
    run = train(tmp_path / "run", data, *METHOD, *BRIGHTNESS, "listeners.previews={}")
    assert run.metrics.keys() == {"validation/brightness", "train/brightness", "gap/brightness"}
    assert run.manifest.facts["data"].startswith("5 images in ")
    assert "2 to validate" in run.manifest.facts["data"]
    assert not [name for name in run.manifest.facts if name.startswith("warning")]


def test_a_run_goes_on_exactly_where_it_was_stopped(data: str, tmp_path: Path) -> None:
    whole = train(tmp_path / "whole", data, *METHOD, *BRIGHTNESS, "train.steps=4")
    genlab.train(
        ROOT / "tests" / "assets" / "tiny.toml",
        overrides=[data, *METHOD, *BRIGHTNESS, "train.steps=4"],
        plugins=[PLUGIN],
        out=tmp_path / "part",
        stop_at=3,
    )
    part = genlab.resume(tmp_path / "part")
    assert part.metrics == whole.metrics
    assert tensor_digests(part.path) == tensor_digests(whole.path)


def test_validation_pairs_are_measured_where_training_has_none(zoo: Path, tmp_path: Path) -> None:
    """There is no gap, as training images have no targets of their own."""
    run = train(tmp_path / "run", f"data={{name='unpaired_folders', root='{zoo}', paired_validation=true}}", *METHOD)
    assert run.metrics.keys() == {"validation/l1"}


def test_pairs_are_drawn_without_for_a_method_that_needs_none(tmp_path: Path) -> None:
    run = train(tmp_path / "run", *METHOD, "input.direction='b_to_a'")
    assert run.metrics.keys() == {"validation/l1", "train/l1", "gap/l1"}
    assert "drawn without pairs" in run.manifest.facts["data"]


@pytest.mark.parametrize("paired", [False, True])
def test_pictures_tell_targets_of_other_images(zoo: Path, tmp_path: Path, paired: bool) -> None:
    from genlab.assemble.experiment import build
    from genlab.assemble.read import read_recipe
    from genlab.engine.inference import Predictor
    from genlab.engine.validation import preview

    data = f"data={{name='unpaired_folders', root='{zoo}', paired_validation={str(paired).lower()}}}"
    checked = read_recipe(
        ROOT / "tests" / "assets" / "tiny.toml", overrides=[data, *METHOD, *BRIGHTNESS], plugins=[PLUGIN]
    )
    experiment = build(checked.recipe, checked.document).experiment
    pictures = preview(experiment, Predictor(experiment.method, experiment.settings.inference))
    assert list(pictures.columns) == ["condition", "prediction", "target" if paired else "unpaired target"]
    assert pictures.keys == (("0", "1") if paired else ("0 | 0", "1 | 1"))


# Looked at


def test_data_are_reported_by_side(gen: GenCommand, data: str, zoo: Path) -> None:
    (zoo / "trainA/again.png").write_bytes((zoo / "trainA/0.png").read_bytes())
    save(zoo / "trainB/large.png", 7, (64, 48))
    plugin = ("--plugin", PLUGIN, *(word for value in (data, *METHOD) for word in ("--set", value)))
    tiny = ROOT / "tests" / "assets" / "tiny.toml"
    shown = gen("data", tiny, *plugin)
    assert shown.returncode == 0, shown.stderr
    assert "a: 6, b: 4" in shown.stdout and "in train, images that equal another one: 2" in " ".join(
        shown.stdout.split()
    )
    assert "a: 32 x 32 (6), b: 32 x 32 (3), b: 48 x 64 (1)" in " ".join(shown.stdout.split())


def test_a_probe_measures_no_error_without_pairs(gen: GenCommand, data: str, tmp_path: Path) -> None:
    network = ["method={name='both_ways', negatives=false}", "generator={name='unet', levels=2, channels=4}"]
    run = train(tmp_path / "run", data, *METHOD, *network, *BRIGHTNESS, "listeners.tensorboard={}")
    shown = gen("probe", run.path, "--json", "--trust")
    assert shown.returncode == 0, shown.stderr
    skips = json.loads(shown.stdout)["skips"]
    assert [skip["error"] for skip in skips] == [None] * 3 and all(skip["change"] for skip in skips)
    assert "farther from the target" not in (run.path / "probe/skips.svg").read_text()


def test_halves_are_not_sought_in_images_without_pairs(data: str, zoo: Path) -> None:
    """Where each image of b continues an image of a by chance."""
    ramp = np.tile(np.linspace(0, 120, 32, dtype=np.uint8)[None, :, None], (32, 1, 3))
    noise = np.random.default_rng(0).integers(0, 9, (32, 1, 3), dtype=np.uint8)
    for number in range(8):
        Image.fromarray(ramp + noise).save(zoo / f"trainA/{number}.png")
        Image.fromarray(ramp + 124 + noise).save(zoo / f"trainB/{number}.png")
    found = genlab.inspect_data(ROOT / "tests" / "assets" / "tiny.toml", overrides=[data, "method.name='pix2pix'"])
    assert "halves_of_photos" not in [suspicion.check for suspicion in found.splits["train"].suspicions]


def test_the_cache_has_each_side_once(data: str, zoo: Path, tmp_path: Path) -> None:
    """Of two trainings the second decodes nothing."""
    overrides = [data, *METHOD, *BRIGHTNESS]
    train(tmp_path / "first", *overrides)
    kept = genlab.inspect_cache(ROOT / "tests" / "assets" / "tiny.toml", overrides=overrides, plugins=[PLUGIN])
    assert kept and len(kept.mine) == 6
    assert sum("side a" in entry.description for entry in kept.mine) == 3
