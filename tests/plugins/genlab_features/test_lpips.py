from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from tests.plugins.genlab_features.inception import as_genlab, photo
from tests.plugins.genlab_features.lpips import CHANNELS, LINEAR, by_layers, digest, write_small, write_trunk
from tests.plugins.genlab_features.weights import write_weights
from torch import Tensor

import genlab
from genlab import DataError
from genlab_features import lpips
from genlab_features.lpips import LPIPS
from genlab_features.weights_file import read_weights

RECORDED = {(40, 56): 0.014862814, (67, 51): 0.013351077}
"""What the package lpips 0.1.4, which is its authors', gives for `pair` of this size, with these weights of VGG-16.

Its weights of channels are those of `LINEAR`. torchmetrics 1.9.0 gives the same, to 2e-9.
"""


def pair(height: int, width: int) -> tuple[Tensor, Tensor]:
    """A target and a prediction."""
    target = as_genlab(photo(height, width))
    return target, 0.7 * target + 0.3 * target.flip(3)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> LPIPS:
    with pytest.MonkeyPatch.context() as patch:
        return LPIPS(weights=write_trunk(tmp_path_factory.mktemp("weights"), patch), linear=LINEAR)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    return write_small(tmp_path, monkeypatch)


def test_weights_of_channels_are_the_published_ones():
    assert digest(LINEAR) == lpips.LINEAR.sha256
    shapes = {name: tuple(tensor.shape) for name, tensor in read_weights(LINEAR).items()}
    assert shapes == {f"lin{index}.model.1.weight": (1, width, 1, 1) for index, width in enumerate(CHANNELS)}


def test_the_hash_of_the_network_is_that_in_the_name_of_its_file():
    assert lpips.TRUNK.address.endswith(f"vgg16-{lpips.TRUNK.sha256[:8]}.pth")


@pytest.mark.parametrize("size", RECORDED, ids=str)
def test_it_is_that_of_its_authors(published: LPIPS, size: tuple[int, int]):
    """Each layer, constant and normalization that was tried in place of another changes it by 1e-6 and more."""
    published.reset()
    published.update(*pair(*size)[:1], *pair(*size))
    assert published.compute() == pytest.approx(RECORDED[size], abs=1e-7)


def test_positions_count_by_the_pixels_that_do(files: dict[str, Path]):
    """A size that is halved without remainders, as the definition takes the mean over a position's pixels."""
    (target, prediction), mask = pair(48, 32), torch.ones(1, 1, 48, 32, dtype=torch.bool)
    mask[..., 5:29, 13:] = False
    prediction = torch.where(mask, prediction, target)
    whole, counted, same = (LPIPS(**files) for _ in range(3))
    whole.update(target, target, prediction)
    counted.update_masked(target, target, prediction, mask)
    same.update_masked(target, target, prediction, torch.ones_like(mask))
    assert same.compute() == whole.compute() < counted.compute()
    assert counted.compute() == pytest.approx(by_layers(files, target, prediction, mask).item(), abs=1e-7)


def test_odd_sizes_lose_a_row_and_a_column_of_the_mask_too(files: dict[str, Path]):
    (target, prediction), mask = pair(35, 17), torch.ones(1, 1, 35, 17, dtype=torch.bool)
    counted = LPIPS(**files)
    counted.update_masked(target, target, prediction, mask)
    assert counted.compute() == pytest.approx(by_layers(files, target, prediction).item(), abs=5e-7)


def test_gray_images_are_repeated(files: dict[str, Path]):
    gray, color = LPIPS(**files), LPIPS(**files)
    sides = [side[:, :1] for side in pair(16, 16)]
    gray.update(sides[0], *sides)
    color.update(sides[0], *(side.repeat(1, 3, 1, 1) for side in sides))
    assert gray.compute() == color.compute() > 0


def test_what_is_not_a_number_shows_and_gradients_are_not_kept(files: dict[str, Path]):
    metric, (target, prediction) = LPIPS(**files), pair(16, 16)
    assert math.isnan(metric.compute())
    metric.update(target, target, prediction.bfloat16().requires_grad_())
    assert metric.compute() == pytest.approx(by_layers(files, target, prediction).item(), rel=0.05)
    prediction[0, 0, 3, 3] = math.nan
    metric.update(target, target, prediction)
    assert [math.isnan(value) for value in metric.per_image()] == [False, True]


@pytest.mark.parametrize("shape", [(1, 4, 16, 16), (1, 3, 15, 40)])
def test_images_that_it_cannot_read(files: dict[str, Path], shape: tuple[int, ...]):
    images = torch.zeros(shape)
    told = f"at least 16 pixels a side, and these have {shape[1]} channels, {shape[3]} x {shape[2]}"
    with pytest.raises(DataError, match=told) as caught:
        LPIPS(**files).update(images, images, images)
    assert "lpips out of the metrics" in str(caught.value)


@pytest.mark.parametrize("setting", ["weights", "linear"])
def test_a_missing_or_another_file_is_told_at_its_line(
    tiny: Path, files: dict[str, Path], setting: str, tmp_path: Path
):
    """Another one of the same names and shapes too."""
    published = {"weights": lpips.TRUNK, "linear": lpips.LINEAR}[setting]
    weights = {name: tensor * 1.001 for name, tensor in read_weights(files[setting]).items()}
    other = write_weights(tmp_path / "other.pth", weights)
    for file, what in (
        (tmp_path / "none.pth", "there is no file"),
        (other, f"is not {published.content}: its SHA-256"),
    ):
        table = ", ".join(f'{name}="{path}"' for name, path in {**files, setting: file}.items())
        with pytest.raises(genlab.RecipeError) as caught:
            genlab.train(tiny, out=tmp_path / "run", overrides=[f"evaluate.metrics.lpips={{{table}}}"])
        (fault,) = caught.value.faults
        assert fault.path == ("evaluate", "metrics", "lpips", setting)
        assert what in str(fault) and str(file) in str(fault) and published.address in str(fault)
        assert not (tmp_path / "run").exists()


def test_a_run_measures_it_and_evaluation_gives_an_interval(tiny: Path, files: dict[str, Path], tmp_path: Path):
    settings = [f'evaluate.metrics.lpips.{name}="{path}"' for name, path in files.items()]
    shorter = ("train.steps=2", "evaluate.validations=1", "evaluate.previews=1", "data.test_count=4")
    run = genlab.train(tiny, out=tmp_path / "run", overrides=[*settings, *shorter])
    assert run.metrics["validation/lpips"] > 0
    assert {f"evaluate.metrics.lpips.{name}" for name in files} <= run.manifest.data.fingerprints.keys()
    (score,) = (score for score in genlab.evaluate(tmp_path / "run").scores if score.name == "lpips")
    assert score.low is not None and score.high is not None and score.nothing is not None
    assert score.low < score.value < score.high and score.nothing > 0
