import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file
from tests.conftest import GenCommand, Once

import genlab
from genlab import Certificate, CertificateRow
from genlab.engine.checkpoint_state import read_progress
from genlab.runs.folder import RunFolder
from genlab.runs.manifest import ConversionRecord
from genlab.util.files import file_digest

TINY = Path(__file__).parents[2] / "assets" / "tiny.toml"


@pytest.fixture(scope="module")
def trained(once: Once) -> Path:
    """A run that was paused after four of eight steps and resumed, so that it has two checkpoints."""

    def train(folder: Path) -> None:
        genlab.train(
            TINY, out=folder, stop_at=4, overrides=["evaluate.pairs=2", "data.count=2", "data.validation_count=2"]
        )
        genlab.resume(folder)

    return once("to-verify", train)


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(trained, tmp_path / "run")


def rows(certificate: Certificate) -> dict[str, CertificateRow]:
    return {row.subject: row for row in certificate.rows}


def test_a_run_is_verified_to_the_last_bit_and_left_as_it_is(gen: GenCommand, run: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    done = gen("verify", run, "--out", "certificate.md")
    assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before
    written = (tmp_path / "certificate.md").read_text()
    assert written == done.stdout
    assert "All that could be checked is as the run recorded it" in " ".join(done.stderr.split())
    assert re.search(r"\| steps 1 to 2 \| verified \| .* from the start: \d+ values of 2 steps .*last bit", written)
    assert re.search(
        r"\| steps 5 to 8 \| verified \| .* checkpoint of step 4: .* 6 files of the checkpoint of step 8, .*last bit",
        written,
    )
    assert "2 of 8 were not trained again; --steps 8" in written
    manifest = json.loads((run / "run.json").read_text())
    for digest in (
        file_digest(run / "run.json"),
        *manifest["code"].values(),
        *manifest["data"]["fingerprints"].values(),
    ):
        assert digest in written
    again = gen("verify", run, "--out", "certificate.md")
    assert again.returncode == 1
    assert "already exists" in again.stderr and "--overwrite" in again.stderr


def test_all_steps_can_be_trained_again(run: Path) -> None:
    progress: list[tuple[int, int]] = []
    certificate = genlab.verify(run, steps=8, on_progress=lambda done, total: progress.append((done, total)))
    assert certificate.outcome == "verified"
    assert "6 files of the checkpoint of step 8" in rows(certificate)["steps 1 to 8"].detail
    assert "other steps" not in rows(certificate)
    assert progress[-1] == (12, 12)


def edit_loss(run: Path, step: int, change: Callable[[float], float]) -> None:
    file = run / "metrics.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        if line["event"] == "step" and line["step"] == step:
            line["losses"]["generator/l1"] = change(line["losses"]["generator/l1"])
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_an_edited_loss_is_named_with_its_step(gen: GenCommand, run: Path) -> None:
    edit_loss(run, 6, lambda loss: np.nextafter(loss, 1).item())
    done = gen("verify", run, "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["outcome"] == "differs"
    (row,) = (row for row in found["rows"] if row["outcome"] == "differs")
    assert row["subject"] == "steps 5 to 8"
    assert "loss generator/l1 at step 6" in row["detail"]


def test_edited_weights_with_digests_made_anew_are_named(run: Path) -> None:
    checkpoint = run / "checkpoints" / "00000008"
    file = checkpoint / "generator.safetensors"
    tensors = load_file(file)
    name = next(name for name, tensor in tensors.items() if tensor.ndim == 4)
    tensors[name][0, 0, 0, 0] += 1e-6
    save_file(tensors, file)
    progress = read_progress(checkpoint)
    parts = progress.parts | {file.name: file_digest(file)}
    (checkpoint / "state.json").write_text(progress.model_copy(update={"parts": parts}).text())
    found = rows(genlab.verify(run))
    assert found["checkpoint of step 8"].outcome == "verified"
    assert found["steps 5 to 8"].outcome == "differs"
    assert f"step 8 differs in generator.safetensors, first in {name}" in found["steps 5 to 8"].detail


def test_a_damaged_checkpoint_differs(run: Path) -> None:
    file = run / "checkpoints" / "00000008" / "generator.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    certificate = genlab.verify(run)
    assert certificate.outcome == "differs"
    assert "generator.safetensors" in rows(certificate)["checkpoint of step 8"].detail
    assert "the run has 1" in rows(certificate)["steps between two checkpoints"].detail


def test_other_code_differs(run: Path) -> None:
    folder = RunFolder(run)
    folder.update(code=folder.stored().code | {"genlab_pix2pix": "0" * 64})
    row = rows(genlab.verify(run))["code of genlab_pix2pix"]
    assert row.outcome == "differs"
    assert "000000000000 when trained" in row.detail


def test_an_edited_pixel_differs_and_lost_data_are_not_verified(
    make_pairs: Callable[..., Path], tmp_path: Path
) -> None:
    pairs, run = make_pairs(), tmp_path / "run"
    data = f'data={{name="side_by_side", root="{pairs}"}}'
    genlab.train(TINY, out=run, overrides=[data, "train.steps=1", "evaluate.pairs=1", "evaluate.previews=1"])
    file = pairs / "train" / "0.png"
    image = np.array(Image.open(file))
    image[0, 0, 0] ^= 1
    Image.fromarray(image).save(file)
    certificate = genlab.verify(run)
    assert certificate.outcome == "differs"
    assert rows(certificate)["training pairs"].outcome == "differs"
    assert rows(certificate)["validation pairs"].outcome == "verified"
    assert "others" in rows(certificate)["steps from the start"].detail

    pairs.rename(tmp_path / "elsewhere")
    certificate = genlab.verify(run)
    assert certificate.outcome == "not verified"
    assert str(pairs) in rows(certificate)["data"].detail
    assert "not there" in rows(certificate)["steps from the start"].detail

    image[0, 0, 0] ^= 1
    Image.fromarray(image).save(tmp_path / "elsewhere" / "train" / "0.png")
    certificate = genlab.verify(run, overrides=[f"data.root={tmp_path / 'elsewhere'}"])
    assert certificate.outcome == "verified"
    with pytest.raises(genlab.RunError, match=r"train\.steps"):
        genlab.verify(run, overrides=["train.steps=4"])


def test_on_another_machine_values_may_be_off_by_a_tolerance(run: Path) -> None:
    RunFolder(run).update(machine=RunFolder(run).stored().machine | {"device": "cpu (3 threads)"})
    edit_loss(run, 1, lambda loss: loss * (1 + 1e-5))
    row = rows(genlab.verify(run))["steps 1 to 2"]
    assert row.outcome == "verified"
    assert "within 1e-05 relative; allowed: 0.001" in row.detail and "cpu (3 threads) when trained" in row.detail
    assert rows(genlab.verify(run, tolerance=1e-6))["steps 1 to 2"].outcome == "differs"


def test_what_a_resume_changed_is_taken_back_for_the_steps_before(tmp_path: Path) -> None:
    run = tmp_path / "run"
    genlab.train(TINY, out=run, stop_at=2, overrides=["train.steps=4", "evaluate.pairs=1", "data.count=2"])
    genlab.resume(run, overrides=["optimizer.learning_rate=1e-3", "train.steps=3"])
    certificate = genlab.verify(run)
    assert certificate.outcome == "verified"
    assert [rows(certificate)[name].outcome for name in ("steps 1 to 2", "step 3")] == ["verified", "verified"]
    assert "optimizer.learning_rate" in certificate.markdown()
    row = rows(genlab.verify(run, steps=3))["steps 1 to 3"]
    assert row.outcome == "not verified"
    assert "step 2, in between" in row.detail


def test_what_a_run_lacks_is_said(run: Path) -> None:
    (run / "metrics.jsonl").unlink()
    for file in run.glob("checkpoints/*/*.optimizer.safetensors"):
        file.unlink()
    certificate = genlab.verify(run)
    assert certificate.outcome == "not verified"
    found = rows(certificate)
    assert "metrics.jsonl" in found["steps 1 to 2"].detail
    assert "optimizers' state was removed" in found["checkpoint of step 8"].detail
    assert "the run has none" in found["steps between two checkpoints"].detail
    assert "4 files of the checkpoint of step 4" in rows(genlab.verify(run, steps=4))["steps 1 to 4"].detail


def test_a_converted_run_has_no_training(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "latest_net_G.pth"
    file.write_bytes(b"weights")
    record = ConversionRecord(file=str(file), sha256=file_digest(file), layout="unet_256")
    RunFolder(run).update(conversion=record)
    found = rows(genlab.verify(run))
    assert found["converted file"].outcome == "verified"
    assert "was converted from" in found["steps from the start"].detail
    file.write_bytes(b"others")
    assert rows(genlab.verify(run))["converted file"].outcome == "differs"


def test_more_steps_than_there_are_is_an_error(gen: GenCommand, run: Path) -> None:
    done = gen("verify", run, "--steps", "9")
    assert done.returncode == 2
    assert "trained 8 steps" in done.stderr
