"""Predictions in tiles: as those of whole images where networks are local, and refused where they are not."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from tests.conftest import ROOT, GenCommand
from tests.core.tools.class_recipe import CLASSES
from tests.core.tools.drawn_run import TINY

import genlab
from genlab import ImageSource, Tiles, choose_tiles, read_image
from genlab.data.sides import to_array, to_network
from genlab.engine.tiles import predict_tiles
from genlab.interfaces.dataset import ImageSide

Once = Callable[[str, Callable[[Path], object]], Path]

REACH = ROOT / "tests" / "assets" / "reach.py"


@pytest.fixture(scope="module")
def trained(once: Once) -> Callable[..., genlab.Run]:
    """Train a generator with these settings for a step."""

    def train(settings: str = "radius=1", *overrides: str) -> genlab.Run:
        given = ["train.steps=1", f"generator={{name='reach', {settings}}}", *overrides]
        build = partial(genlab.train, TINY, overrides=given, plugins=[REACH], trust=True)
        name = re.sub(r"\W+", "-", "-".join(["tiling", settings, *overrides]))
        folder = once(name, lambda folder: build(out=folder))
        return genlab.open_run(folder, device="cpu", trust=True)

    return train


@pytest.fixture(scope="module")
def local(trained: Callable[..., genlab.Run]) -> genlab.Run:
    return trained()


@pytest.fixture(scope="module")
def whole(trained: Callable[..., genlab.Run]) -> genlab.Run:
    """A run whose predictions depend on the mean of the image."""
    return trained("whole=true")


def blocks(height: int, width: int) -> NDArray[np.uint8]:
    colors = np.random.default_rng(0).integers(0, 256, (9, 11, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(colors).resize((width, height), Image.Resampling.NEAREST))


def difference(run: genlab.Run, image: NDArray[np.uint8], tiles: Tiles) -> int:
    tiled, plain = (run.predict(image, size="stored", tiles=each).astype(int) for each in (tiles, None))
    assert tiled.shape == plain.shape
    return int(np.abs(tiled - plain).max())


@pytest.mark.parametrize("size", [(250, 301), (64, 300), (17, 65), (130, 1)])
def test_a_local_network_predicts_the_same_in_tiles(local: genlab.Run, size: tuple[int, int]) -> None:
    """Up to what was tolerated at the seams."""
    assert difference(local, blocks(*size), choose_tiles(local, 64, 32)) <= 4


def test_an_image_within_a_tile_is_predicted_as_without(local: genlab.Run) -> None:
    assert difference(local, blocks(50, 64), choose_tiles(local, 64)) == 0


def test_the_command_predicts_in_tiles_and_warns_where_it_is_forced(
    whole: genlab.Run, gen: GenCommand, tmp_path: Path
) -> None:
    """Each tile has its own mean, and they are blended."""
    Image.fromarray(image := blocks(150, 202)).save(tmp_path / "big.png")
    given = ("predict", whole.path, "big.png", "--size", "stored", "--tile", "64", "--out", "out", "--trust")
    refused = gen(*given)
    assert refused.returncode == 2
    assert "% of the range of values is the largest difference from a whole image" in refused.stderr
    assert "tiles of 64 pixels with an overlap of 16, and 0.8% is tolerated" in refused.stderr
    assert "--overlap" in refused.stderr
    assert "--force" in refused.stderr
    assert not (tmp_path / "out").exists()
    done = gen(*given, "--force")
    assert done.returncode == 0, done.stderr
    assert "warning: Predictions in tiles are not those of whole images: " in done.stderr
    padded = np.pad(image, ((0, 2), (0, 2), (0, 0)), mode="edge")
    source = to_network(torch.from_numpy(padded.transpose(2, 0, 1).copy())[None], ImageSide())
    expected = to_array(predict_tiles(whole.apply, source, Tiles(64, 16))[0, :, :150, :202], ImageSide())
    np.testing.assert_array_equal(read_image(ImageSource.of(tmp_path / "out" / "big.png")), expected)
    assert difference(whole, image, Tiles(64, 16)) > 4


def test_pairs_are_predicted_in_tiles(local: genlab.Run, tmp_path: Path) -> None:
    written = genlab.predict_pairs(local.path, tmp_path, size=100, tile=64, trust=True)
    expected = local.predict(local.validation_pairs().pairs[0].b, size=100, tiles=Tiles(64, 16))
    np.testing.assert_array_equal(read_image(ImageSource.of(next(iter(written.values())))), expected)


@pytest.mark.parametrize(
    ("settings", "overrides", "reason", "hint"),
    [
        ("norm='instance'", (), r"statistics.*\(InstanceNorm2d\)", "inference.normalization"),
        ("norm='group'", (), r"statistics.*\(GroupNorm\)", "inference.normalization"),
        ("norm='batch'", ("inference.normalization='image'",), r"statistics.*\(BatchNorm2d\)", "running"),
        ("dropout=0.5", ("inference.dropout=true",), "each tile would have the same noise", "inference.dropout"),
    ],
)
def test_tiles_that_would_change_predictions_are_refused(
    trained: Callable[..., genlab.Run],
    caplog: pytest.LogCaptureFixture,
    settings: str,
    overrides: tuple[str, ...],
    reason: str,
    hint: str,
) -> None:
    run = trained(settings, *overrides)
    with pytest.raises(genlab.RunError, match=reason) as caught:
        choose_tiles(run, 64)
    assert caught.value.where == str(run.path)
    assert hint in str(caught.value.hint)
    assert choose_tiles(run, 64, force=True) == Tiles(64, 16)
    assert "Predictions in tiles are not those of whole images" in caplog.text


def test_batch_norm_by_running_statistics_is_local(trained: Callable[..., genlab.Run]) -> None:
    run = trained("norm='batch'", "inference.normalization='running'")
    assert difference(run, blocks(90, 100), choose_tiles(run, 64, 32)) <= 4


def test_an_overlap_hides_seams_that_none_would_show(local: genlab.Run) -> None:
    """At the edges of tiles the networks see padding instead of neighbors."""
    with pytest.raises(genlab.RunError, match="with an overlap of 0") as caught:
        choose_tiles(local, 64, 0)
    assert "larger --overlap" in str(caught.value.hint) and "whole image" in str(caught.value.hint)
    assert difference(local, blocks(90, 100), Tiles(64, 0)) > 4
    assert choose_tiles(local, 64, 16) == Tiles(64, 16)


def test_scores_of_classes_are_blended(trained: Callable[..., genlab.Run]) -> None:
    """And not classes, of which there is no mean."""
    run = trained("whole=true", *CLASSES)
    with pytest.raises(genlab.RunError, match=r"\d% of pixels have another class than in a whole image"):
        choose_tiles(run, 64)
    image = blocks(92, 128)
    source = to_network(torch.from_numpy(image.transpose(2, 0, 1).copy())[None], ImageSide())
    expected = predict_tiles(run.apply, source, Tiles(64, 16))[0].argmax(dim=0)
    tiled = run.predict(image, size="stored", tiles=Tiles(64, 16))
    np.testing.assert_array_equal(tiled, expected.numpy())


@pytest.mark.parametrize(
    ("size", "overlap", "where", "words"),
    [
        (62, None, "--tile", ("multiple of 4", "got 62", "nearest is 64")),
        (0, None, "--tile", ("got 0", "nearest is 4")),
        (-5, None, "--tile", ("got -5", "nearest is 4")),
        (64, 64, "--overlap", ("from 0 to 60", "got 64")),
        (64, 61, "--overlap", ("from 0 to 60", "got 61")),
        (64, -4, "--overlap", ("from 0 to 60", "got -4")),
    ],
)
def test_tiles_that_cannot_be(
    local: genlab.Run, size: int, overlap: int | None, where: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(genlab.RunError) as caught:
        choose_tiles(local, size, overlap, force=True)
    assert caught.value.where == where
    assert all(word in str(caught.value) for word in words)


def test_an_overlap_is_rounded_up_to_the_networks_multiple(local: genlab.Run) -> None:
    assert choose_tiles(local, 64, 29) == Tiles(64, 32)
    assert choose_tiles(local, 4, force=True) == Tiles(4, 0)


@pytest.mark.parametrize("given", [{"overlap": 4}, {"force": True}])
def test_settings_of_tiles_without_their_size(local: genlab.Run, tmp_path: Path, given: dict[str, int]) -> None:
    with pytest.raises(genlab.ArgumentError, match="go with tile"):
        genlab.predict_pairs(local.path, tmp_path, trust=True, **given)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--force",), "--force: goes with --tile"),
        (("--tile", "64", "--samples", "2"), "--tile: not with --samples"),
    ],
)
def test_options_that_do_not_go_together(local: genlab.Run, gen: GenCommand, words: tuple[str, ...], what: str) -> None:
    done = gen("predict", local.path, "--split", "validation", "--out", "out", *words)
    assert done.returncode == 2
    assert what in done.stderr
