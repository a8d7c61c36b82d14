"""Predictions for files: real files, a run that was trained on pairs in two folders, and the real command."""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.manifests import edit_manifest, read_manifest

import genlab
from genlab import DataError, ImageSource, PredictionError, RunError, StorageError, read_image
from genlab.data.sides import to_network
from genlab.tools.prediction_files import plan_predictions

GenCommand = Callable[..., subprocess.CompletedProcess[str]]
Once = Callable[[str, Callable[[Path], object]], Path]

ROOT = Path(__file__).parents[3]


def scene(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Colored blocks with soft borders."""
    blocks = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(blocks).resize((width, height), Image.Resampling.BICUBIC))


def write(path: Path, array: NDArray[np.uint8]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def train(folder: Path, sizes: list[tuple[int, int]], *more: str) -> genlab.Run:
    """Train on pairs of these stored sizes, resized to 32 x 48; `pairs/A/val` has the conditions of validation."""
    for number, (height, width) in enumerate(sizes):
        for split in ("train", "val"):
            array = scene(height, width, seed=number)
            write(folder / "pairs" / "A" / split / f"{number}.png", array)
            write(folder / "pairs" / "B" / split / f"{number}.png", 255 - array)
    data = f"data={{name='two_folders', root='{folder}/pairs'}}"
    given = [data, "input.direction='a_to_b'", "input.size=[32, 48]", *more]
    return genlab.train(ROOT / "tests" / "assets" / "tiny.toml", overrides=given, out=folder / "run")


@pytest.fixture(scope="session")
def runs(once: Once) -> dict[str, Path]:
    """Folders with a run each: `one`, of pairs stored at 64 x 96, and `several`, of three sizes."""
    return {
        "one": once("predict-one", lambda folder: train(folder, [(64, 96)] * 3)),
        "several": once("predict-several", lambda folder: train(folder, [(64, 96), (96, 64), (64, 96), (70, 90)])),
    }


@pytest.fixture
def run(runs: dict[str, Path]) -> Path:
    return runs["one"] / "run"


def read(path: Path) -> NDArray[np.generic]:
    return read_image(ImageSource.of(path))


# Scale


@pytest.mark.parametrize("name", ["one", "several"])
def test_files_of_the_validation_are_predicted_as_validation_does(
    runs: dict[str, Path], name: str, tmp_path: Path
) -> None:
    """Up to the rounding of 8 bits; at the files' own size the same networks do worse."""
    folder = runs[name]
    run = genlab.open_run(folder / "run")
    pairs = run.validation_pairs()
    targets = {
        pairs[index].key: to_network(pairs[index].target[None], pairs.sides.target)[0].permute(1, 2, 0).numpy()
        for index in range(len(pairs))
    }
    written = genlab.predict_files(run.path, [folder / "pairs" / "A" / "val"], tmp_path / "out")
    assert len(written) == len(targets)
    errors = [
        np.abs(read(path).astype(np.float64) / 127.5 - 1 - targets[source.stem]).mean()
        for source, path in written.items()
    ]
    assert np.mean(errors) == pytest.approx(run.metrics["validation/l1"], abs=2e-4)


@pytest.mark.parametrize(
    ("name", "stored", "predicted"),
    [
        ("one", (64, 96), (32, 48)),
        ("one", (128, 48), (64, 24)),
        ("one", (65, 1), (32, 1)),
        ("several", (96, 64), (32, 48)),
        ("several", (128, 150), (32, 48)),
    ],
)
def test_things_are_as_large_as_in_training(
    runs: dict[str, Path], name: str, stored: tuple[int, int], predicted: tuple[int, int]
) -> None:
    run = genlab.open_run(runs[name] / "run")
    assert run.predict(scene(*stored)).shape == (*predicted, 3)
    assert run.predict(scene(*stored), size="stored").shape == (*stored, 3)


def test_labels_are_resized_as_labels(tmp_path: Path, tiny: Path) -> None:
    """Colors of classes are not blended where they meet, as training does not."""
    run = genlab.train(tiny, out=tmp_path / "run", overrides=["train.steps=1"])
    pairs, palette = run.validation_pairs(), run.condition.classes
    assert palette
    labels = pairs.pairs[0].b
    prepared = run.predict(pairs[0].condition[0].numpy(), size="stored")
    np.testing.assert_array_equal(run.predict(labels), prepared)
    np.testing.assert_array_equal(run.predict(np.array(palette, np.uint8)[labels]), prepared)


def test_a_run_without_a_record_of_sizes_resizes_nothing_and_says_so(
    run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(run, tmp_path / "run")
    data = read_manifest(run)["data"]
    assert data.pop("stored") == {"least": [64, 96], "most": [64, 96], "aspects": [1.5, 1.5], "colored": True}
    edit_manifest(tmp_path / "run", data=data)
    opened = genlab.open_run(tmp_path / "run")
    assert opened.predict(scene(64, 96)).shape == (64, 96, 3)
    assert "no record of its pairs' sizes" in caplog.text
    caplog.clear()
    assert opened.predict(scene(64, 96), size=(32, 48)).shape == (32, 48, 3)
    assert not caplog.text


# Files


def test_a_broken_file_keeps_no_other_from_being_predicted(run: Path, tmp_path: Path) -> None:
    for name in "ace":
        write(tmp_path / "in" / f"{name}.png", scene(64, 96))
    (tmp_path / "in" / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    np.save(tmp_path / "in" / "d.npy", np.zeros((64, 96, 3), np.float32))
    counted: list[tuple[int, int]] = []
    with pytest.raises(PredictionError) as caught:
        genlab.predict_files(run, [tmp_path / "in"], tmp_path / "out", on_progress=lambda *of: counted.append(of))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "c.png", "e.png"]
    assert {source.name for source in caught.value.written} == {"a.png", "c.png", "e.png"}
    assert {source.name for source in caught.value.failures} == {"b.png", "d.npy"}
    assert str(caught.value).startswith("2 of 5 images could not be predicted:\n  ")
    assert counted[-1] == (5, 5)


def test_a_path_alone_is_not_read_letter_by_letter(run: Path, tmp_path: Path) -> None:
    source = write(tmp_path / "photo.png", scene(64, 96))
    with pytest.raises(genlab.ArgumentError, match="images: expected a list"):
        genlab.predict_files(run, str(source), tmp_path / "out")
    assert genlab.predict_files(str(run), [str(source), source], str(tmp_path / "out")) == {
        source: tmp_path / "out" / "photo.png"
    }


def test_files_are_not_replaced_unless_asked_for(run: Path, tmp_path: Path) -> None:
    images = [write(tmp_path / f"{name}.png", scene(64, 96)) for name in "abc"]
    out = tmp_path / "out"
    genlab.predict_files(run, images[1:], out, size=16)
    before = {path: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(StorageError, match=r"b\.png: this file and 1 more already exist\n.*--overwrite"):
        genlab.predict_files(run, images, out)
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    assert len(genlab.predict_files(run, images, out, overwrite=True)) == 3
    assert all(read(path).shape == (32, 48, 3) for path in out.iterdir())


def test_an_image_is_never_replaced(run: Path, tmp_path: Path) -> None:
    source = write(tmp_path / "in" / "a.png", scene(64, 96))
    before = source.read_bytes()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    for out in (tmp_path / "in", tmp_path / "link", tmp_path / "in" / ".." / "in"):
        with pytest.raises(DataError, match="take the place of this image"):
            genlab.predict_files(run, [source], out, overwrite=True)
    assert source.read_bytes() == before


@pytest.mark.parametrize("names", [("a.png", "a.jpg"), ("one/a.png", "two/a.png")])
def test_two_images_for_one_file_are_refused(run: Path, tmp_path: Path, names: tuple[str, str]) -> None:
    images = [write(tmp_path / "in" / name, scene(64, 96)) for name in names]
    with pytest.raises(DataError, match="same file"):
        genlab.predict_files(run, images, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_paths_that_are_not_there_are_named_all_at_once(run: Path, tmp_path: Path) -> None:
    there = write(tmp_path / "there.png", scene(64, 96))
    missing = [tmp_path / "one.png", tmp_path / "two.png"]
    with pytest.raises(DataError, match="2 of 3 paths cannot be used") as caught:
        genlab.predict_files(run, [there, *missing], tmp_path / "out")
    assert all(str(path) in str(caught.value) for path in missing)
    assert not (tmp_path / "out").exists()


def test_a_long_name_and_a_tiny_image_are_predicted(run: Path, tmp_path: Path) -> None:
    long = write(tmp_path / f"{'n' * 245}.png", scene(64, 96))
    tiny = write(tmp_path / "tiny.png", scene(1, 1))
    written = genlab.predict_files(run, [long, tiny], tmp_path / "out")
    assert [path.is_file() for path in written.values()] == [True, True]


def test_fewer_bits_than_the_type_has_are_doubted(run: Path) -> None:
    warnings: list[str] = []
    image = scene(64, 96).astype(np.uint16) * 16
    genlab.open_run(run).predict(image, on_warning=lambda _where, warning: warnings.append(warning))
    assert ["in a type of up to 65535" in warning for warning in warnings] == [True]


@pytest.mark.parametrize("shape", [(0, 32, 3), (32, 0, 3)])
def test_an_array_without_pixels_is_refused(run: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="an image with pixels"):
        genlab.open_run(run).predict(np.zeros(shape, np.uint8))


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(os.path.relpath(path))


def nothing(_path: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (a_pipe, "not a regular file|neither a regular file"),
        (a_socket, "not a regular file|neither a regular file"),
        (nothing, "no such file"),
    ],
)
def test_what_is_no_file_is_refused_without_opening_it(
    run: Path, tmp_path: Path, make: Callable[[Path], None], what: str
) -> None:
    write(tmp_path / "a.png", scene(64, 96))
    make(tmp_path / "b.png")
    with pytest.raises(DataError, match=what):
        genlab.predict_files(run, [tmp_path / "a.png", tmp_path / "b.png"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_places_that_may_not_be_entered_are_named(locked: Path) -> None:
    with pytest.raises(DataError, match="Permission denied") as caught:
        plan_predictions([locked / "a.png"], locked.parent, [".png"], overwrite=False)
    assert caught.value.where == str(locked / "a.png")
    (image := locked.parent / "a.png").touch()
    with pytest.raises(StorageError, match="Permission denied") as refused:
        plan_predictions([image], locked, [".png"], overwrite=True)
    assert refused.value.where == str(locked)


def test_a_run_without_trained_networks(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run", ignore=shutil.ignore_patterns("checkpoints"))
    write(tmp_path / "a.png", scene(64, 96))
    with pytest.raises(RunError, match="no checkpoint"):
        genlab.predict_files(tmp_path / "run", [tmp_path / "a.png"], tmp_path / "out")


def test_a_folder_within_which_predictions_are_written(run: Path, tmp_path: Path) -> None:
    write(tmp_path / "in" / "deep" / "a.png", scene(64, 96))
    for _ in range(2):
        written = genlab.predict_files(run, [tmp_path / "in"], tmp_path / "in" / "out", overwrite=True)
        assert list(written.values()) == [tmp_path / "in" / "out" / "deep" / "a.png"]


# Doubts


def index_map(height: int, width: int) -> NDArray[np.uint8]:
    return (np.arange(height * width, dtype=np.uint8) % 12).reshape(height, width)


@pytest.mark.parametrize(
    ("name", "image", "warning"),
    [
        ("one", scene(64, 192), "pair side by side"),
        ("one", scene(100, 300), "pair side by side"),
        ("one", index_map(64, 96), "few gray values"),
        ("one", np.repeat(index_map(64, 96)[..., None], 3, axis=2), "few gray values"),
        ("one", np.where(index_map(64, 96) > 5, 255, 0).astype(np.uint8), "few gray values"),
        ("several", scene(64, 192), "pair side by side"),
        ("several", scene(64, 400), "width is beyond"),
        ("several", scene(400, 64), "width is beyond"),
    ],
)
def test_an_image_of_another_kind_is_doubted(
    runs: dict[str, Path],
    name: str,
    image: NDArray[np.uint8],
    warning: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = write(tmp_path / "a.png", image)
    genlab.predict_files(runs[name] / "run", [source], tmp_path / "out")
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warning.startswith(f"{source}: ")
    assert warning in warning


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("one", scene(64, 96)),
        ("one", scene(640, 960)),
        ("one", scene(64, 64)),
        ("one", scene(192, 64)),
        ("one", scene(64, 96).mean(axis=2).astype(np.uint8)),
        ("several", scene(96, 64)),
        ("several", scene(80, 80)),
        ("several", scene(64, 98)),
    ],
)
def test_an_image_like_those_in_training_is_not(
    runs: dict[str, Path], name: str, image: NDArray[np.uint8], caplog: pytest.LogCaptureFixture
) -> None:
    genlab.open_run(runs[name] / "run").predict(image if image.ndim == 3 else image[..., None])
    assert not caplog.text


def test_a_panorama_is_not_doubted_where_it_is_not_stretched(
    runs: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    genlab.open_run(runs["several"] / "run").predict(scene(64, 400), size="stored")
    assert not caplog.text


def test_gray_is_not_doubted_where_training_had_gray(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Drawings of lines are often kept as three equal channels."""
    lines = np.repeat(np.where(scene(64, 96)[..., :1] > 128, 255, 0).astype(np.uint8), 3, axis=2)
    for side, split in ((side, split) for side in "AB" for split in ("train", "val")):
        write(tmp_path / "pairs" / side / split / "1.png", lines)
    data = f"data={{name='two_folders', root='{tmp_path}/pairs'}}"
    overrides = [data, "input.direction='a_to_b'", "train.steps=1"]
    run = genlab.train(ROOT / "tests" / "assets" / "tiny.toml", overrides=overrides, out=tmp_path / "run")
    caplog.clear()
    run.predict(lines[..., :1])
    assert not caplog.text


def test_a_label_map_is_given_in_its_colors(tmp_path: Path, tiny: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The tiny run is trained on label maps; a picture of one class may well have a single color."""
    run = genlab.train(tiny, out=tmp_path / "run", overrides=["train.steps=1"])
    run.predict(np.full((36, 36, 3), (0, 0, 222), np.uint8))
    run.predict(index_map(36, 36))
    assert not caplog.text
    run.predict(index_map(36, 36)[..., None])
    assert "few gray values" in caplog.text


def test_a_mask_is_not_doubted_where_training_had_masks(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mask = np.where(scene(36, 36)[..., 0] > 128, 255, 0).astype(np.uint8)
    for split in ("train", "val"):
        write(tmp_path / "pairs" / "A" / split / "1.png", np.repeat(mask[..., None], 3, axis=2))
        write(tmp_path / "pairs" / "B" / split / "1.png", scene(36, 36))
    source = f"{{name='two_folders', root='{tmp_path}/pairs'}}"
    data = f"data={{name='labels_from_colors', side='a', palette=[[0, 0, 0], [255, 255, 255]], source={source}}}"
    overrides = [data, "input.direction='a_to_b'", "train.steps=1"]
    run = genlab.train(ROOT / "tests" / "assets" / "tiny.toml", overrides=overrides, out=tmp_path / "run")
    caplog.clear()
    np.testing.assert_array_equal(run.predict(mask[..., None]), run.predict(mask // 255))
    assert not caplog.text


def test_a_doubt_is_told_once_and_counted(run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(9):
        write(tmp_path / "in" / f"{number}.png", scene(64, 192))
    genlab.predict_files(run, [tmp_path / "in"], tmp_path / "out")
    first, last = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "0.png: it is twice as wide" in first
    assert last.startswith("9 images in all have this warning (")


# The command


def test_the_command_prints_paths_and_lists_failures_at_the_end(run: Path, gen: GenCommand, tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.png", scene(64, 96))
    (tmp_path / "in" / "b.png").write_text("no image")
    (tmp_path / "in" / "notes.txt").write_text("no image")
    os.mkfifo(tmp_path / "in" / "pipe.png")
    done = gen("predict", run, "in", "--out", "out")
    assert (done.returncode, done.stdout) == (1, "out/a.png\n")
    assert "Traceback" not in done.stderr
    assert "1 of 2 images could not be predicted" in done.stderr
    assert "in/b.png: " in done.stderr
    assert "from 64 x 96 to 32 x 48 (1 image)" in done.stderr
    assert "left out 1 .txt (notes.txt), 1 not a regular file (pipe.png)" in done.stderr
    (tmp_path / "in" / "b.png").unlink()
    assert gen("predict", run, "in", "--out", "out").returncode == 1
    done = gen("predict", run, "in", "--out", "out", "--overwrite", "--json", "--device", "cpu", "--size", "stored")
    assert json.loads(done.stdout) == {"written": {"in/a.png": "out/a.png"}, "failures": {}}
    assert done.returncode == 0
    assert read(tmp_path / "out" / "a.png").shape == (64, 96, 3)


@pytest.mark.parametrize(
    ("text", "shape"), [("32", (32, 32)), ("16x48", (16, 48)), ("training", (32, 48)), ("stored", (64, 96))]
)
def test_sizes_on_the_command_line(
    run: Path, gen: GenCommand, tmp_path: Path, text: str, shape: tuple[int, int]
) -> None:
    write(tmp_path / "a.png", scene(64, 96))
    assert gen("predict", run, "a.png", "--out", "out", "--size", text).returncode == 0
    assert read(tmp_path / "out" / "a.png").shape == (*shape, 3)


@pytest.mark.parametrize("text", ["", "0", "-4", "16x", "16 x 16", "16x16x3", "large", "1e3"])
def test_a_size_that_is_none_is_a_usage_error(run: Path, gen: GenCommand, tmp_path: Path, text: str) -> None:
    write(tmp_path / "a.png", scene(64, 96))
    done = gen("predict", run, "a.png", "--out", "out", "--size", text)
    assert done.returncode == 2
    assert "HEIGHTxWIDTH" in done.stderr
    assert "Traceback" not in done.stderr
