import json
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file
from tests.conftest import GenCommand, Once
from tests.core.test_bad_input import plugin

import genlab
from genlab import Certificate, CertificateRow
from genlab.engine.checkpoint_state import read_progress
from genlab.runs.folder import RunFolder
from genlab.runs.manifest import ConversionRecord
from genlab.tools.verify.allowance import Allowance
from genlab.tools.verify.checkpoint_difference import TensorDifference
from genlab.tools.verify.file_rows import other_file_rows
from genlab.tools.verify.history import history
from genlab.tools.verify.step_values import ValueDifference
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
    headline = genlab.verify(run).summary
    assert f"**{headline}**" in written and " ".join(done.stderr.split()) == headline
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert headline.startswith(f"On {today}, all that could be checked was as the run recorded it. 6 of its 8 steps")
    assert f"(75 %) were trained again and agreed. It was resumed after step 4 ({today}). Evaluations" in headline
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


def test_the_headline_says_how_the_run_was_trained(run: Path) -> None:
    folder, metrics = RunFolder(run), run / "metrics.jsonl"
    began = {"event": "started", "step": 0, "time": 0}
    resumes = [{"event": "started", "step": step, "time": 86400 * step} for step in (0, 2, 4, 6, 7)]
    damaged = ['{"event": "started", "step": 4', '{"event": "started", "step": 4, "time": 1e99}', "[]"]
    metrics.write_text("\n".join([*map(json.dumps, [began, *resumes]), *damaged]))
    folder.update(status="interrupted", step=4)
    assert [*history(folder.stored(), metrics)] == [
        "The run has not finished: interrupted after 4 of 8 steps.",
        "It was resumed after step 0 (1970-01-01), after step 2 (1970-01-03), after step 4 (1970-01-05),"
        " and 2 more times.",
    ]
    metrics.write_text(json.dumps(began))
    folder.update(status="finished")
    assert [*history(folder.stored(), metrics)] == []


def test_all_steps_can_be_trained_again(run: Path) -> None:
    progress: list[tuple[int, int]] = []
    certificate = genlab.verify(run, steps=8, on_progress=lambda done, total: progress.append((done, total)))
    assert certificate.outcome == "verified"
    assert "8 of its 8 steps (100 %) were trained again" in certificate.summary
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
    assert "differed" in found["summary"] and found["confirmed_steps"] == 2
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
    assert "within 1e-05 relative; allowed: 0.05" in row.detail and "cpu (3 threads) when trained" in row.detail
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
    assert "No step was confirmed by training it again" in certificate.summary
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


# Results


def test_edited_metrics_are_named_although_the_optimizers_state_is_gone(run: Path) -> None:
    genlab.prune_runs([run])
    measured = rows(genlab.verify(run))
    assert measured["metrics in run.json"].outcome == "verified"
    assert "3 metrics measured again with the weights of step 8, equal to the last bit" in (
        measured["metrics in run.json"].detail
    )
    assert "optimizers' state was removed" in measured["checkpoint of step 8"].detail
    metrics = RunFolder(run).stored().metrics
    RunFolder(run).update(metrics=metrics | {"validation/l1": metrics["validation/l1"] * 0.9})
    certificate = genlab.verify(run)
    assert certificate.outcome == "differs"
    assert "validation/l1 at step 8 is " in rows(certificate)["metrics in run.json"].detail


def test_metrics_of_a_killed_run_are_not_taken_for_those_of_its_checkpoint(run: Path) -> None:
    shutil.rmtree(run / "checkpoints" / "00000008")
    RunFolder(run).update(status="running", step=4)
    certificate = genlab.verify(run)
    found = rows(certificate)
    assert certificate.facts["failure"] == "its process was killed"
    assert found["metrics in run.json"].outcome == "not verified"
    assert "metrics.jsonl has values of them" in found["steps after 4"].detail


def test_a_checkpoint_that_is_gone_is_missed(run: Path) -> None:
    shutil.rmtree(run / "checkpoints")
    (run / "notes.txt").write_text("mine")
    found = rows(genlab.verify(run))
    assert found["last checkpoint, of step 8"].outcome == "not verified"
    assert "no intact checkpoint of step 8" in found["metrics in run.json"].detail
    assert "notes.txt" in found["other files"].detail


def test_what_a_trial_observed_is_compared(run: Path) -> None:
    folder, history = RunFolder(run), run / "history.json"
    history.write_text("{}")
    folder.update(results={"history.json": file_digest(history)})
    for content, outcome in (("{}", "verified"), ("{ }", "differs")):
        history.write_text(content)
        assert [(row.subject, row.outcome) for row in other_file_rows(folder, folder.stored())] == [
            ("history.json", outcome)
        ]


def test_the_folder_of_an_ablation_names_its_trials(tmp_path: Path) -> None:
    (tmp_path / "trials").mkdir()
    (tmp_path / "recipe.toml").touch()
    with pytest.raises(genlab.RunError, match="folder of an ablation") as caught:
        genlab.verify(tmp_path)
    assert str(tmp_path / "trials") in str(caught.value.hint)


# Values


def edit_lines(run: Path, change: Callable[[dict[str, Any]], bool]) -> None:
    """Keep the lines of metrics.jsonl of which `change` says so, which may change them."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines if change(line)))


def test_a_line_that_was_removed_is_missed(run: Path) -> None:
    edit_lines(run, lambda line: line["step"] != 6)
    found = rows(genlab.verify(run))
    assert found["steps 5 to 8"].outcome == "verified"
    assert found["values of steps 5 to 8"].outcome == "not verified"
    assert re.search(r"at step 6, and \d+ more values: not in metrics\.jsonl", found["values of steps 5 to 8"].detail)


def test_a_number_in_place_of_one_that_was_not_finite_differs(run: Path) -> None:
    def hide(line: dict[str, Any]) -> bool:
        if (line["event"], line["step"]) == ("step", 6):
            line["losses"]["generator/l1"] = None
        return True

    edit_lines(run, hide)
    assert "loss generator/l1 at step 6 is nan" in rows(genlab.verify(run))["steps 5 to 8"].detail


def test_a_metrics_file_that_cannot_be_read_is_an_error(gen: GenCommand, run: Path) -> None:
    (run / "metrics.jsonl").unlink()
    (run / "metrics.jsonl").mkdir()
    done = gen("verify", run)
    assert done.returncode == 2
    assert f"{run / 'metrics.jsonl'}" in done.stderr and "Traceback" not in done.stderr


def test_another_seed_gives_other_values(run: Path) -> None:
    folder = RunFolder(run)
    folder.update(recipe={**(folder.stored().recipe or {}), "seed": 5})
    with pytest.raises(genlab.RunError, match="seed: 5 -> 0"):
        genlab.verify(run)
    text = folder.recipe_path.read_text()
    folder.recipe_path.write_text(text.replace("seed = 0", "seed = 5", 1))
    assert "at step 1 is " in rows(genlab.verify(run))["steps 1 to 2"].detail


def test_the_last_validation_of_a_run_that_a_listener_ended_is_measured_again(tmp_path: Path) -> None:
    body = (
        "class Mine(genlab.Listener):\n"
        "    def step(self, event):\n"
        "        return genlab.StopTraining('enough') if event.step == 3 else None\n"
    )
    given = plugin(tmp_path, body, 'listener("mine", Mine)')
    values = ["listeners.mine={}", "evaluate.pairs=1", "data.count=2"]
    run = genlab.train(TINY, out=tmp_path / "run", overrides=values, plugins=[given]).path
    given.write_text("# changed since")
    certificate = genlab.verify(run, steps=3)
    found = rows(certificate)
    assert certificate.outcome == "verified"
    assert found["metrics in run.json"].outcome == "verified"
    assert "validation/l1 at step 3, and 2 more values: only in" in found["values of steps 1 to 3"].detail
    (run / "plugins" / "mine.py").write_text("# changed since")
    with pytest.raises(genlab.RunError, match="has changed"):
        genlab.verify(run)


# Starting weights


def test_starting_weights_may_be_elsewhere_and_not_others(run: Path, tmp_path: Path) -> None:
    started = tmp_path / "started"
    values = [f'init.generator.from="{run}"', "train.steps=1", "evaluate.pairs=1", "data.count=2"]
    genlab.train(TINY, out=started, overrides=values)
    moved, other = tmp_path / "moved", tmp_path / "other.safetensors"
    run.rename(moved)
    assert str(run) in rows(genlab.verify(started))["step 1"].detail
    certificate = genlab.verify(started, overrides=[f'init.generator.from="{moved}"'])
    assert certificate.outcome == "verified"
    assert str(moved) in rows(certificate)["init.generator.from"].detail
    tensors = load_file(moved / "checkpoints" / "00000008" / "generator.safetensors")
    save_file({name: tensor + 1 for name, tensor in tensors.items()}, other)
    certificate = genlab.verify(started, overrides=[f'init.generator.from="{other}"'])
    assert rows(certificate)["init.generator.from"].outcome == "differs"
    assert rows(certificate)["step 1"].outcome == "not verified"


# Words


def test_the_documentation_shows_what_is_printed() -> None:
    text = (TINY.parents[2] / "docs" / "verify.md").read_text()
    words = ValueDifference(6, "loss generator/l1", 0.31, 0.31495046615600586, "metrics.jsonl").words()
    (printed,) = re.findall(r"^\| steps 5 to 8 \| \*\*differs\*\* \| (.*?)(?:; .*)? \|$", text, re.MULTILINE)
    assert printed == words


# Limits


def test_what_is_not_compared_within_a_tolerance() -> None:
    files = ["generator.safetensors", "generator.ema.safetensors", "generator.optimizer.safetensors"]
    files = [TensorDifference(file, "weight", 0.5) for file in files]
    values = [ValueDifference(1, name, 1.0, 2.0, "metrics.jsonl") for name in ("loss l1", "gap/l1", "gradient norm a")]
    lost = ValueDifference(1, "gradient norm a", 1.0, float("nan"), "metrics.jsonl")
    exact, near = Allowance(0.0, ""), Allowance(1e-3, "another machine")
    assert exact.find_wrong(files) == files and exact.find_wrong(values) == values
    assert near.find_wrong(files) == files[:2]
    assert near.find_wrong([*values, lost]) == [values[0], lost]
