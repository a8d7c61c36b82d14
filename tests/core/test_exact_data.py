"""Files of every kind through training, `gen data` and prediction by a network that copies: values come back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.core.images.matrix import HEIGHT, WIDTH, Written, kinds

import genlab
from genlab import DataError, ImageSource, read_image

KINDS = {kind.name: kind for kind in kinds()}

COPY = '''
import torch
import genlab

class Copy(genlab.Generator):
    """Gives back its condition."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(()))

    def forward(self, condition):
        return self.factor * condition

class Direct(genlab.Method):
    """Predicts what the generator gives, within the range of images."""

    def forward(self, batch):
        return {"prediction": self.predict(batch.condition)}

    def predict(self, condition):
        return self.networks["generator"](condition).clamp(-1, 1)

    def phases(self):
        return [genlab.Phase("generator", ("generator",), self.terms)]

    def terms(self, batch, outputs):
        return genlab.generator_terms(self.losses, genlab.StepContext(batch, outputs["prediction"]))

@genlab.hookimpl
def genlab_register(registry):
    registry.generator("copy", Copy)
    registry.method("direct", Direct)
'''

RECIPE = """
[data]
name = "two_folders"
root = "{root}"

[input]
size = [{height}, {width}]
{ranges}

[method]
name = "direct"

[generator]
name = "copy"

[losses.l1]

[train]
steps = 1
device = "cpu"
threads = 1

[evaluate.metrics.l1]
"""


def is_scaled_by_type(array: NDArray[np.generic]) -> bool:
    return array.dtype.kind == "u"


def range_of(array: NDArray[np.generic]) -> tuple[float, float]:
    if array.dtype.kind == "f":
        return -3.0, 7.0
    limits = np.iinfo(array.dtype)
    return float(limits.min), float(limits.max)


def recipe_for(written: Written, folder: Path) -> Path:
    """A recipe whose pairs have the same image on both sides."""
    for side in "AB":
        for split in ("train", "val"):
            (folder / "pairs" / side / split).mkdir(parents=True)
            written.write(folder / "pairs" / side / split / "1")
    (folder / "copy.py").write_text(COPY)
    low, high = range_of(written.array)
    ranges = "" if is_scaled_by_type(written.array) else f"range_a = [{low}, {high}]\nrange_b = [{low}, {high}]"
    recipe = folder / "recipe.toml"
    height, width = written.array.shape[:2]
    recipe.write_text(RECIPE.format(root=folder / "pairs", ranges=ranges, height=height, width=width))
    return recipe


def assert_same(found: NDArray[np.generic], written: NDArray[np.generic]) -> None:
    """Values to the precision of float32, in which networks compute: all of 16 bits, and 24 bits of a range."""
    assert found.dtype == written.dtype
    assert found.shape == written.shape
    low, high = range_of(written)
    allowed = 0 if written.dtype.itemsize <= 2 and written.dtype.kind != "f" else (high - low) * 2.0**-22
    if written.dtype == np.float16:
        allowed = 2.0**-8  # its own steps, at 7
    assert np.abs(found.astype(np.float64) - written.astype(np.float64)).max() <= allowed


@pytest.mark.parametrize("name", KINDS)
def test_what_a_file_contains_is_what_comes_back(name: str, tmp_path: Path) -> None:
    written = KINDS[name]
    recipe, plugins = recipe_for(written, tmp_path), [tmp_path / "copy.py"]
    seen = written.array[..., : written.array.shape[2] - written.has_alpha]
    report = genlab.inspect_data(recipe, plugins=plugins)
    assert report.splits["train"].sizes == {f"{written.array.shape[0]} x {written.array.shape[1]}": 1}
    run = genlab.train(recipe, plugins=plugins, out=tmp_path / "run")
    assert run.metrics["validation/l1"] == 0
    assert_same(run.predict(seen), seen)
    (file,) = (tmp_path / "pairs" / "A" / "val").iterdir()
    written = genlab.predict_files(run.path, [file], tmp_path / "out")
    assert_same(read_image(ImageSource.of(written[file])), seen)


def test_there_are_kinds_enough() -> None:
    arrays = [kind.array for kind in KINDS.values()]
    assert len(arrays) >= 100
    assert {array.dtype.name for array in arrays} >= {"uint8", "uint16", "uint32", "int16", "int32", "float32"}
    assert {array.shape[2] for array in arrays} >= {1, 2, 3, 4, 5, 8}
    assert {array.shape[:2] for array in arrays} == {(HEIGHT, WIDTH)}


def test_values_without_a_range_are_refused_before_anything_is_trained(tmp_path: Path) -> None:
    recipe = recipe_for(KINDS["tifffile-float32x1.tif"], tmp_path)
    recipe.write_text(recipe.read_text().replace("range_a =", "#").replace("range_b =", "#"))
    for action in (genlab.inspect_data, lambda *given, **more: genlab.train(*given, **more, out=tmp_path / "run")):
        with pytest.raises(DataError, match=r"side a: values of float32 need a range.*\n.*input.range_a"):
            action(recipe, plugins=[tmp_path / "copy.py"])
    assert not (tmp_path / "run").exists()


def test_percentiles_are_measured_and_stand_in_the_run(tmp_path: Path) -> None:
    written = KINDS["tifffile-float32x3.tif"]
    recipe = recipe_for(written, tmp_path)
    recipe.write_text(recipe.read_text().replace("[-3.0, 7.0]", "{ percentiles = [10, 90] }"))
    run = genlab.train(recipe, plugins=[tmp_path / "copy.py"], out=tmp_path / "run")
    low, high = np.percentile(written.array, [10, 90])
    assert run.recipe.settings.input.range_a == pytest.approx((low, high), rel=1e-6)
    assert "percentiles =" not in (tmp_path / "run" / "recipe.toml").read_text()
    # The method cuts off what is beyond the range.
    np.testing.assert_allclose(run.predict(written.array), written.array.clip(low, high), atol=1e-5)
    with pytest.raises(DataError, match="expected values of float32, as in training, got uint8"):
        run.predict(np.zeros((12, 20, 3), np.uint8))


def test_percentiles_are_measured_wherever_pairs_are_prepared(tmp_path: Path) -> None:
    recipe, plugins = recipe_for(KINDS["tifffile-float32x3.tif"], tmp_path), [tmp_path / "copy.py"]
    percentiles = "{ percentiles = [10, 90] }"
    recipe.write_text(recipe.read_text().replace("[-3.0, 7.0]", percentiles))
    assert genlab.inspect_data(recipe, plugins=plugins).splits["train"].pairs == 1
    assert genlab.describe_networks(recipe, plugins=plugins)
    ablation = '\n[ablation]\nseeds = [0]\nmetric = "validation/l1"\nbaseline = "whole"\n'
    arms = "[ablation.arms.whole]\n[ablation.arms.strong]\nlosses.l1.weight = 2\n"
    recipe.write_text(recipe.read_text() + ablation + arms)
    planned = genlab.plan_ablation(recipe, plugins=plugins, out=tmp_path / "ablation")
    assert {trial.recipe.settings.input.range_a for trial in planned.trials} != {"type"}
    assert all(isinstance(trial.recipe.settings.input.range_a, tuple) for trial in planned.trials)
    assert planned.parameters


def test_twelve_bits_of_sixteen_use_the_whole_range(tmp_path: Path) -> None:
    written = KINDS["png-uint16x1.png"]
    array = (written.array // 16).astype(np.uint16)
    written = written._replace(array=array, write=lambda path: np.save(path.with_suffix(".npy"), array))
    recipe = recipe_for(written, tmp_path)
    recipe.write_text(recipe.read_text().replace("[input]", "[input]\nrange_a = [0, 4095]\nrange_b = [0, 4095]"))
    run = genlab.train(recipe, plugins=[tmp_path / "copy.py"], out=tmp_path / "run")
    assert float(run.validation_pairs()[0].condition.max()) == 255.0
    np.testing.assert_array_equal(run.predict(array), array)
