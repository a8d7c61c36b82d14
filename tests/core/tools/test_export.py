"""Exports: real runs, files that onnxruntime and PyTorch load, and folders for a hub."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jaxtyping
import numpy as np
import pytest
import torch
import yaml
from numpy.typing import NDArray
from PIL import Image
from tests.conftest import GenCommand
from tests.core.tools.class_recipe import CLASSES
from tests.core.tools.test_predict_back import train as train_both_ways
from torch import Tensor

import genlab
from genlab import PluginError, RunError, StorageError
from genlab.tools.export.agreement import draw_images
from genlab.tools.export.description import describe_export

Once = Callable[[str, Callable[[Path], object]], Path]

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra genlab[onnx] is not installed")

ROOT = Path(__file__).parents[3]
TINY = ROOT / "tests" / "assets" / "tiny.toml"
ODD = ROOT / "tests" / "assets" / "odd_networks.py"
ALONE = ["losses.adversarial=false", "augment.flip=false"]

SMALL = "generator={name='unet', levels=2, channels=4"
NETWORKS = {
    "unet, of each image": ["train.steps=2", f"{SMALL}}}"],
    "unet, running": [
        *("train.steps=3", "train.batch_size=2", "inference.normalization='running'", "ema={horizon=8}"),
        f"{SMALL}}}",
    ],
    "encoder_decoder, instance": ["train.steps=2", f"{SMALL}, skips=false, norm='instance'}}"],
    "resnet, instance": ["train.steps=2", "generator={name='resnet', blocks=1, channels=4}"],
    "resnet, batch": [
        "train.steps=2",
        "generator={name='resnet', blocks=1, channels=4, norm='batch', padding='zeros'}",
    ],
}


@pytest.fixture(autouse=True)
def _traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes of a trace are symbols, which jaxtyping would compare with numbers."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def train(once: Once, name: str, *overrides: str, plugins: tuple[Path, ...] = (), recipe: Path = TINY) -> Path:
    def build(folder: Path) -> None:
        genlab.train(recipe, overrides=overrides, plugins=plugins, out=folder)

    return once(f"export-{name.replace(', ', '-').replace(' ', '_')}", build)


@pytest.fixture
def run(once: Once) -> Path:
    return train(once, "unet, of each image", *NETWORKS["unet, of each image"])


def load(file: Path) -> Callable[[Tensor], Tensor]:
    if file.suffix == ".onnx":
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        return lambda images: torch.from_numpy(session.run(None, {"condition": images.numpy()})[0])
    return torch.export.load(file).module()


def metadata(file: Path) -> dict[str, Any]:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return dict(session.get_modelmeta().custom_metadata_map)


@pytest.fixture
def onnx_file(once: Once, run: Path) -> Path:
    """The ONNX file of the first network, for tests that read it."""
    return export_onnx(once, run)


def export_onnx(once: Once, run: Path) -> Path:
    return once(f"{run.name}.onnx", lambda file: genlab.export_run(run, file))


def agree(file: Path, folder: Path) -> None:
    """On 20 images, in batches of several sizes, down to maps of 1 x 1, which the padding of `resnet` refuses."""
    predict, opened = load(file), genlab.open_run(folder, device="cpu")
    least = 4 if "unet" in folder.name else 16
    for count, height, width in ((1, 32, 32), (6, 32, 48), (6, 80, 16), (7, least, least)):
        images = draw_images(count, 3, (height, width))
        with torch.no_grad():
            assert (predict(images) - opened.apply(images)).abs().max() < 1e-4


@pytest.mark.parametrize("name", NETWORKS)
def test_onnx_files_agree_with_the_run(once: Once, name: str) -> None:
    folder = train(once, name, *NETWORKS[name])
    file = export_onnx(once, folder)
    agree(file, folder)
    said = metadata(file)
    assert (said["batch"], said["size"], said["size_multiple"]) == ("any", "any", "4")


@pytest.mark.parametrize("name", NETWORKS)
def test_files_of_torch_agree_with_the_run(once: Once, tmp_path: Path, name: str) -> None:
    folder = train(once, name, *NETWORKS[name])
    exported = genlab.export_run(folder, tmp_path / "net.pt2", file_format="torch")
    assert exported.difference < 1e-4
    assert (exported.batch, exported.size, exported.size_multiple) == (None, None, 4)
    agree(exported.path, folder)


def test_scores_scales_and_the_way_back(once: Once, tmp_path: Path) -> None:
    judge = train(once, "classes", *CLASSES, "train.steps=1", f"{SMALL}}}")
    scores = genlab.export_run(judge, tmp_path / "judge.onnx")
    opened, images = genlab.open_run(judge, device="cpu"), draw_images(3, 3, (32, 64))
    expected = opened.apply(images)
    assert (load(scores.path)(images) - expected).abs().max() < 1e-4 * max(1, expected.abs().max())
    assert len(json.loads(metadata(scores.path)["output"])["colors"]) == 12
    both = once("predict-back", train_both_ways) / "run"
    opened = genlab.open_run(both, device="cpu", trust=True)
    for to, size, predicted, scale in (("b", (8, 12), (1, 16, 24), "2"), ("a", (8, 16), (3, 4, 8), "1/2")):
        file = genlab.export_run(both, tmp_path / f"{to}.pt2", file_format="torch", to=to, trust=True).path
        images = draw_images(2, 3 if to == "b" else 1, size)
        assert load(file)(images).shape[1:] == predicted
        assert describe_export(opened, to)["scale"] == scale
        with torch.no_grad():
            assert (load(file)(images) - opened.apply(images, to=to)).abs().max() < 1e-4


# Refusals


def test_drawn_predictions_are_refused(once: Once, tmp_path: Path) -> None:
    bridge = train(once, "bridge", *ALONE, "train.steps=1", "method={name='bridge'}", f"{SMALL}, time=true}}")
    dropout = train(once, "dropout", "train.steps=1", "inference.dropout=true", f"{SMALL}}}")
    for folder, reason in ((bridge, "aten.randn"), (dropout, "inference.dropout")):
        with pytest.raises(RunError, match=reason) as caught:
            genlab.export_run(folder, tmp_path / "net.onnx")
        assert "--format hub" in (caught.value.hint or "")
    assert not list(tmp_path.iterdir())
    genlab.export_run(bridge, tmp_path / "hub", file_format="hub")
    images = draw_images(1, 3, (32, 32))
    assert genlab.from_pretrained(tmp_path / "hub").apply(images).equal(genlab.open_run(bridge).apply(images))


def odd(once: Once, oddity: str) -> Path:
    generator = f"generator={{name='odd', oddity='{oddity}'}}"
    return train(once, f"odd-{oddity}", *ALONE, "train.steps=1", generator, plugins=(ODD,))


def test_an_operator_that_onnx_lacks_is_named(once: Once, tmp_path: Path) -> None:
    folder = odd(once, "operator")
    with pytest.raises(PluginError, match="bessel_j0") as caught:
        genlab.export_run(folder, tmp_path / "net.onnx", trust=True)
    assert "--format torch" in (caught.value.hint or "")
    assert not list(tmp_path.iterdir())


def test_what_must_be_fixed_is_fixed(once: Once, tmp_path: Path) -> None:
    """A network with a weight for each pixel takes one size, and one that looks at the batch one image."""
    of_size = genlab.export_run(odd(once, "size"), tmp_path / "size.pt2", file_format="torch", trust=True)
    assert (of_size.batch, of_size.size) == (None, (32, 32))
    of_batch = genlab.export_run(odd(once, "batch"), tmp_path / "batch.pt2", file_format="torch", trust=True)
    assert of_batch.batch == 1


def test_a_file_that_computes_something_else_is_not_kept(once: Once, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"differ from the run's by 0\.\d+, and 0.0001 is tolerated"):
        genlab.export_run(odd(once, "calls"), tmp_path / "net.pt2", file_format="torch", trust=True)
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_kept(run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    (tmp_path / "net.onnx").write_text("mine")
    for name, file_format in (("net.onnx", "onnx"), ("mine", "hub"), ("mine", "torch")):
        with pytest.raises(StorageError, match=rf"{name}: (the (file|path) already exists|.* this is a folder)"):
            genlab.export_run(run, tmp_path / name, file_format=file_format)
    for file_format in ("hub", "torch"):
        with pytest.raises(StorageError, match=r"not an earlier export|this is a folder"):
            genlab.export_run(run, tmp_path / "mine", file_format=file_format, overwrite=True)
    assert (tmp_path / "mine" / "notes.txt").read_text() == "mine"
    with pytest.raises(StorageError, match=r"none: .* is missing"):
        genlab.export_run(run, tmp_path / "none" / "net.pt2", file_format="torch")
    with pytest.raises(genlab.ArgumentError, match="'onnx' or 'torch' or 'hub'"):
        genlab.export_run(run, tmp_path / "net", file_format="tflite")  # pyright: ignore[reportArgumentType]


def test_a_missing_extra_is_named(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(PluginError, match="onnxscript, which is not installed") as caught:
        genlab.export_run(run, tmp_path / "net.onnx")
    assert "pip install 'genlab[onnx]'" in (caught.value.hint or "")


# Folders for a hub


def test_a_hub_folder_predicts_as_its_run(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "hub"
    for overwrite in (False, True):
        genlab.export_run(run, out, file_format="hub", overwrite=overwrite)
    opened, read = genlab.open_run(run), genlab.from_pretrained(out)
    images = draw_images(2, 3, (33, 40))
    assert read.apply(images).equal(opened.apply(images))
    assert read.fingerprint() == opened.fingerprint()
    assert read.metrics == opened.metrics
    assert not list(out.rglob("*.optimizer.safetensors"))
    assert read.manifest.command == [] and "host" not in read.manifest.machine
    card = (out / "README.md").read_text()
    front = yaml.safe_load(card.split("---\n")[1])
    assert (front["library_name"], front["pipeline_tag"]) == ("genlab", "image-to-image")
    (result,) = front["model-index"][0]["results"]
    assert [metric["name"] for metric in result["metrics"]] == ["l1"] and result["dataset"]["split"] == "validation"
    value = opened.metrics["validation/l1"]
    assert f"| l1 | {value:.5g} | lower |" in card and "(n = 3)" in card and "![" in card
    assert "train/" not in card and "gap/" not in card
    with Image.open(out / "samples.png") as samples:
        assert samples.width > 96
    assert json.loads((out / "config.json").read_text())["size_multiple"] == 4


def test_code_in_a_hub_folder_needs_trust(once: Once, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = odd(once, "batch")
    genlab.export_run(folder, tmp_path / "hub", file_format="hub", trust=True)
    monkeypatch.setenv("GENLAB_TRUSTED", str(tmp_path / "nothing"))
    with pytest.raises(RunError, match="code of its own"):
        genlab.export_run(folder, tmp_path / "again", file_format="hub")
    with pytest.raises(RunError, match="code of its own"):
        genlab.from_pretrained(tmp_path / "hub").apply(draw_images(1, 3, (32, 32)))
    assert "trust=True" in (tmp_path / "hub" / "README.md").read_text()
    assert genlab.from_pretrained(tmp_path / "hub", trust=True).apply(draw_images(1, 3, (32, 32))).shape[1] == 3


def test_another_folder_and_a_damaged_one_are_refused(run: Path, tmp_path: Path) -> None:
    for path in (run, tmp_path / "none"):
        with pytest.raises(RunError, match=r"exported for a hub|no such folder"):
            genlab.from_pretrained(path)
    genlab.export_run(run, tmp_path / "hub", file_format="hub")
    (weights,) = (tmp_path / "hub").rglob("generator.safetensors")
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(RunError, match="SHA-256"):
        genlab.from_pretrained(tmp_path / "hub").apply(draw_images(1, 3, (32, 32)))


def test_a_card_without_data_has_no_pictures(
    make_pairs: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pairs = make_pairs()
    data = f"data={{name='side_by_side', root='{pairs}'}}"
    genlab.train(TINY, overrides=[data, "train.steps=1"], out=tmp_path / "run")
    shutil.rmtree(pairs)
    genlab.export_run(tmp_path / "run", tmp_path / "hub", file_format="hub")
    assert "no pictures" in caplog.text
    assert not (tmp_path / "hub" / "samples.png").exists()
    card = (tmp_path / "hub" / "README.md").read_text()
    assert "![" not in card and "(at most 100)" in card


# The command, and what the documentation says


def test_the_command(run: Path, gen: GenCommand, tmp_path: Path) -> None:
    done = gen("export", run, "--format", "torch", "--out", "net.pt2", "--checkpoint", "2")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "net.pt2"), done.stderr
    assert re.search(r"Predictions of 20 images (equal the run's|differ from the run's by \S+ at most)\.", done.stdout)
    assert "multiples of 4 pixels, any batch" in done.stdout
    assert done.stderr == ""
    hub = gen("export", run, "--format", "hub", "--out", "hub", "--json")
    assert json.loads(hub.stdout)["path"] == "hub", hub.stderr
    refused = gen("export", run, "--out", "net.pt2")
    assert refused.returncode == 1 and "already exists" in refused.stderr


def test_the_example_of_the_documentation(
    run: Path, onnx_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It predicts an image of a size that needs padding, as `gen predict` does."""
    shutil.copy(onnx_file, tmp_path / "net.onnx")
    image: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 256, (37, 50, 3), dtype=np.uint8)
    Image.fromarray(image).save(tmp_path / "photo.png")
    text = (ROOT / "docs" / "export.md").read_text()
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "InferenceSession" in block]
    assert len([line for line in code.splitlines() if line.strip()]) <= 16
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    with Image.open("prediction.png") as written:
        given = np.asarray(written).astype(int)
    expected = genlab.open_run(run, device="cpu").predict(image, size="stored").astype(int)
    assert np.abs(given - expected).max() <= 1


def test_the_documentation_names_what_files_and_folders_say_of_themselves(run: Path, onnx_file: Path) -> None:
    table = re.search(r"\| key \|.*?\n\n", (ROOT / "docs" / "export.md").read_text(), re.DOTALL)
    assert table
    told = {key for row in table[0].strip().splitlines() for key in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert told == metadata(onnx_file).keys() == {*describe_export(genlab.open_run(run), None), "size", "batch"}


def test_a_hub_folder_with_more_in_it_is_not_replaced(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "hub"
    genlab.export_run(run, out, file_format="hub")
    assert (out / ".gitignore").read_text() == "evaluations/\n"
    (out / "LICENSE").write_text("mine")
    with pytest.raises(genlab.StorageError, match="LICENSE"):
        genlab.export_run(run, out, file_format="hub", overwrite=True)
    (out / "LICENSE").unlink()
    genlab.export_run(run, out, file_format="hub", overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hub"]
