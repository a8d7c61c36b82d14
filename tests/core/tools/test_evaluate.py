"""`gen evaluate` on real runs: figures, report, and what it refuses."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import cast

import numpy as np
import pytest
import torch
from jaxtyping import Float
from PIL import Image
from scipy.stats import ttest_1samp
from tests.conftest import ROOT, GenCommand
from torch import Tensor

import genlab
from genlab.data.prepared import PreparedPairs
from genlab.engine.validation import pair_as_batch
from genlab.runs.folder import RunFolder
from genlab.tools.evaluate import metrics as metrics_module, reference
from genlab.tools.evaluate.evaluation import EvaluatedScore
from genlab.tools.evaluate.measured_split import MeasuredSplit
from genlab.tools.evaluate.pictures import choose_places
from genlab.tools.evaluate.report import FILES, make_report_folder
from genlab.tools.intervals import MeanInterval
from genlab.util.files import file_digest

SPLITS = ("train", "val", "test")


def write_pairs(root: Path, splits: tuple[str, ...] = SPLITS, count: int = 4, seed: int = 0) -> Path:
    """Side-by-side pairs of 32 x 32 pixels, the right half the left one's negative, other ones in each split."""
    random = np.random.default_rng(seed)
    for split in splits:
        (root / split).mkdir(parents=True)
        for number in range(count):
            left = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(np.hstack([left, 255 - left])).save(root / split / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the run of folders of pairs, and the pairs."""
    base = tmp_path_factory.mktemp("evaluate")
    root = write_pairs(base / "pairs")
    overrides = ['data={name="side_by_side"}', f"data.root={json.dumps(str(root))}", "train.steps=2"]
    overrides.append("checkpoint.best='validation/l1'")
    genlab.train(ROOT / "tests" / "assets" / "tiny.toml", overrides=overrides, out=base / "run")
    return base


@pytest.fixture
def run(shared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(shared / "run", tmp_path / "run"))


def test_a_score_is_that_of_the_predictions_and_nothing_is_that_of_the_mean_target(shared: Path, run: Path) -> None:
    found = genlab.evaluate(run)
    assert (found.split, found.pairs, found.step, list(found.shared)) == ("test", 4, 2, [])
    opened, errors, targets = genlab.open_run(run), [], []
    for number in range(4):
        picture = np.asarray(Image.open(shared / "pairs" / "test" / f"{number}.png"))
        prediction = opened.predict(picture[:, 32:]).astype(float)
        errors.append(np.abs(prediction - picture[:, :32]).mean() / 127.5)
        train = np.asarray(Image.open(shared / "pairs" / "train" / f"{number}.png"))
        targets.append((train[:, :32].astype(float), picture[:, :32].astype(float)))
    (score,) = found.scores
    assert score.value == pytest.approx(np.mean(errors), abs=2 / 255)
    mean = np.mean([train for train, _ in targets], axis=0)
    assert score.nothing == pytest.approx(
        np.mean([np.abs(mean - test).mean() for _, test in targets]) / 127.5, rel=1e-5
    )
    assert score.method == "t" and score.low is not None and score.high is not None
    assert score.low < score.value < score.high and score.real is None
    differences = np.array(errors) - [np.abs(mean - test).mean() / 127.5 for _, test in targets]
    expected = ttest_1samp(differences, 0).confidence_interval(0.95)
    assert score.difference is not None and score.difference.mean == pytest.approx(score.value - score.nothing)
    assert (score.difference.low, score.difference.high) == pytest.approx((expected.low, expected.high), abs=2 / 255)


@pytest.mark.parametrize(
    ("ends", "higher", "verdict"),
    [
        ((-0.2, -0.1), False, "better"),
        ((-0.2, -0.1), True, "worse"),
        ((-0.2, 0.1), False, "no difference shown"),
        ((0.1, 0.2), True, "better"),
        (None, False, "better"),
        (None, True, "worse"),
    ],
)
def test_a_score_is_better_than_nothing_if_its_interval_says_so(
    ends: tuple[float, float] | None, higher: bool, verdict: str
) -> None:
    difference = ends and MeanInterval(-0.1, *ends, 4, "t")
    score = EvaluatedScore("l1", 0.5, 4, None, None, None, 0.6, None, higher, difference)
    assert score.verdict == verdict
    assert replace(score, nothing=None).verdict is None
    assert replace(score, difference=None, nothing=0.5).verdict == "no difference shown"


def test_the_report_has_what_was_measured(run: Path) -> None:
    found = genlab.evaluate(run, metrics=["psnr", "genlab:ssim"])
    assert found.folder == run / "evaluations" / "test-2"
    told = json.loads((found.folder / "evaluation.json").read_text())
    assert [score["name"] for score in told["scores"]] == ["l1", "psnr", "ssim"]
    rows = list(csv.DictReader((found.folder / "scores.csv").read_text().splitlines()))
    assert [row["image"] for row in rows] == [f"{number}.png" for number in range(4)]
    weights = run / "checkpoints" / "00000002" / "generator.safetensors"
    assert told["weights"][weights.name] == file_digest(weights) and told["input_size"] == [32, 32]
    assert told["scores"][0]["difference"]["low"] == found.scores[0].difference.low
    for score in found.scores:
        assert fmean(float(row[score.name]) for row in rows) == pytest.approx(score.value)
    page = (found.folder / "evaluation.html").read_text()
    titles = re.findall(r"<h3>(\w+): (\d\.png), l1", page)
    ranked = [row["image"] for row in sorted(rows, key=lambda row: float(row["l1"]))]
    assert titles == [("Best", image) for image in ranked]
    assert page.count('src="data:image/png') == 4 * 4 and "http" not in page
    assert "linear-gradient" in page and re.search(r"[\d.]+ % or more", page)  # the scale of the error maps
    assert genlab.evaluate(run).folder.name == "test-2-2"


def test_evaluations_at_once_have_folders_of_their_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        folders = list(pool.map(lambda _: make_report_folder(tmp_path, "test", 2), range(20)))
    assert len({*folders}) == 20 and all(folder.is_dir() for folder in folders)


@pytest.mark.parametrize("out", [None, "mine"])
def test_a_run_that_is_removed_meanwhile_does_not_come_back(run: Path, out: str | None) -> None:
    def remove(_done: int, _total: int) -> None:
        if run.exists():
            genlab.remove_runs([run])

    with pytest.raises(genlab.RunError, match="removed while it was evaluated"):
        genlab.evaluate(run, out=out and run / out, on_progress=remove)
    assert not run.exists()


def test_a_full_disk_leaves_no_report(run: Path, small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes(1_000_000))
    with pytest.raises(genlab.StorageError, match="the disk is full"):
        genlab.evaluate(run, out=small_disk / "out")
    assert not (small_disk / "out").exists()
    (small_disk / "old").mkdir()
    for name in FILES:
        (small_disk / "old" / name).write_text("old")
    with pytest.raises(genlab.StorageError, match="the disk is full"):
        genlab.evaluate(run, out=small_disk / "old", overwrite=True)
    assert {file.name: file.read_text() for file in (small_disk / "old").iterdir()} == dict.fromkeys(FILES, "old")


def test_a_run_that_is_not_finished_is_said_to_be(run: Path) -> None:
    folder = RunFolder(run)
    folder.write(folder.stored().model_copy(update={"status": "interrupted"}))
    assert genlab.evaluate(run).notes[0] == "The run is not finished: interrupted, step 2 of 2."


def test_the_best_checkpoint_was_chosen_on_the_validation_pairs(run: Path) -> None:
    chosen = "chosen as the best one on these pairs"
    assert any(chosen in note for note in genlab.evaluate(run, split="validation", checkpoint="best").notes)
    assert not any(chosen in note for note in genlab.evaluate(run, checkpoint="best").notes)
    assert not any(chosen in note for note in genlab.evaluate(run, split="validation").notes)


def test_pairs_that_are_not_read_are_said_to_be(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "MOST_READ", 3)
    notes = " ".join(genlab.evaluate(run).notes)
    assert "Of 4 train pairs 3, spread over all, were read" in notes
    assert "Of 4 validation pairs 3" in notes


def test_a_missing_extractor_is_told_which_there_are(run: Path) -> None:
    assert "inception_fid" in refusal(run, genlab.RecipeError, metrics=["fid"])


def test_the_command_prints_the_same_as_python(run: Path, gen: GenCommand) -> None:
    ended = gen("evaluate", run, "--json", "--csv", "scores.csv", "--out", "out", "--split", "validation")
    assert ended.returncode == 0, ended.stderr
    told, found = json.loads(ended.stdout), genlab.evaluate(run, split="validation")
    assert told["scores"][0]["value"] == found.scores[0].value
    assert told["split"] == "validation" and len((run.parent / "scores.csv").read_text().splitlines()) == 5
    shown = gen("evaluate", run).stdout
    assert "difference: " in shown and "real" not in shown and "test split, n = 4: " in shown
    again = gen("evaluate", run, "--out", "out")
    assert again.returncode == 1 and "--overwrite" in again.stderr and "2 more already exist" in again.stderr


def test_pairs_that_were_trained_on_are_named(shared: Path, run: Path, tmp_path: Path) -> None:
    root = write_pairs(tmp_path / "other", ("test",), count=2, seed=1)
    shutil.copy(shared / "pairs" / "train" / "3.png", root / "test" / "known.png")
    shutil.copy(shared / "pairs" / "val" / "0.png", root / "test" / "seen.png")
    found = genlab.evaluate(run, data=root)
    assert list(found.shared) == ["known.png", "seen.png"]
    assert "2 of 4 measured pairs are equal to ones that the run trains or validates on" in found.notes[0]
    assert not genlab.evaluate(run, split="train").shared


def test_the_target_of_other_data_does_not_change_what_knows_nothing(run: Path, shared: Path, tmp_path: Path) -> None:
    here = genlab.evaluate(run).scores[0]
    shutil.copytree(shared / "pairs" / "test", tmp_path / "moved" / "test")
    assert genlab.evaluate(run, data=tmp_path / "moved").scores[0] == here


def refusal(run: Path, kind: type[genlab.GenlabError], **arguments: object) -> str:
    """The error of an evaluation, which has written nothing."""
    with pytest.raises(kind) as caught:
        genlab.evaluate(run, **arguments)  # type: ignore[arg-type]
    assert not (run / "evaluations").exists()
    return str(caught.value)


def test_every_broken_file_is_named_at_once(run: Path, tmp_path: Path) -> None:
    root = write_pairs(tmp_path / "other", ("test",), count=6, seed=1)
    for name in ("1.png", "4.png"):
        whole = (root / "test" / name).read_bytes()
        (root / "test" / name).write_bytes(whole[: len(whole) // 2])
    error = refusal(run, genlab.DataError, data=root)
    assert "1.png" in error and "4.png" in error and "2 pairs" in error


def test_images_of_another_kind_are_refused(run: Path, tmp_path: Path) -> None:
    for name, dtype, mode in (("gray", np.uint8, "L"), ("floats", np.float32, None)):
        (tmp_path / name / "test").mkdir(parents=True)
        pixels = np.zeros((32, 64) if mode else (32, 64, 3), dtype)
        if mode:
            Image.fromarray(pixels).save(tmp_path / name / "test" / "1.png")
        else:
            np.save(tmp_path / name / "test" / "1.npy", pixels)
    assert "1 and 1 channels, and the run was trained on 3 and 3" in refusal(
        run, genlab.DataError, data=tmp_path / "gray"
    )
    assert "float32" in refusal(run, genlab.DataError, data=tmp_path / "floats")


def test_what_is_not_there_is_named(run: Path, shared: Path, tmp_path: Path) -> None:
    root = write_pairs(tmp_path / "other", ("train", "val"))
    assert 'no folder "test"' in refusal(run, genlab.DataError, data=root, split="test")
    assert genlab.evaluate(run, data=root).split == "validation"
    shutil.rmtree(run / "evaluations")
    assert "no metric of each image is called `kid`" in refusal(run, genlab.RecipeError, by="kid")
    assert "evaluate.metrics" in refusal(run, genlab.RecipeError, metrics=["l7"])
    assert "another run than the one that was trained" in refusal(run, genlab.RecipeError, overrides=["input.size=16"])
    assert "there is no such folder" in refusal(run, genlab.DataError, data=tmp_path / "nowhere")
    shutil.rmtree(run / "checkpoints")
    assert "no checkpoint" in refusal(run, genlab.RunError)


def test_changed_validation_data_are_refused(run: Path, shared: Path) -> None:
    file = shared / "pairs" / "val" / "3.png"
    content = file.read_bytes()
    file.unlink()
    try:
        assert "the validation data has changed" in refusal(run, genlab.DataError, split="validation")
        assert genlab.evaluate(run).split == "test"
    finally:
        file.write_bytes(content)


def test_a_metric_that_needs_pairs_is_refused_without_them(run: Path, shared: Path, tmp_path: Path) -> None:
    for folder in ("testA", "testB"):
        (tmp_path / "zoo" / folder).mkdir(parents=True)
        shutil.copy(shared / "pairs" / "test" / "0.png", tmp_path / "zoo" / folder)
    overrides = ['data.name="unpaired_folders"', f"data.root={json.dumps(str(tmp_path / 'zoo'))}"]
    error = refusal(run, genlab.RecipeError, overrides=overrides)
    assert "l1 needs pairs, and the validation data have none" in error and "kid" in error


class Spread(genlab.Metric):
    """Distance between the mean pictures of two sets."""

    higher_is_better = False
    needs_pairs = False
    compares_sets = True

    def __init__(self) -> None:
        self.reset()

    def update(
        self,
        condition: Float[Tensor, "n c j k"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
    ) -> None:
        self._targets += [*target.cpu()]
        self._predictions += [*prediction.cpu()]

    def compute(self) -> float:
        sides = (torch.stack(images).mean(dim=0) for images in (self._targets, self._predictions))
        one, other = sides
        return (one - other).abs().mean().item()

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        return self.compute() - level, self.compute() + level

    def reset(self) -> None:
        self._targets: list[Tensor] = []
        self._predictions: list[Tensor] = []

    def merge(self, other: Spread) -> None:
        self._targets += other._targets
        self._predictions += other._predictions


class Silent(Spread):
    """One without an interval."""

    def interval(self, level: float = 0.95) -> None:
        return None


def with_metric(monkeypatch: pytest.MonkeyPatch, metric: genlab.Metric) -> None:
    """Take another metric for the recipe's."""
    construct = metrics_module.construct
    monkeypatch.setattr(
        metrics_module,
        "construct",
        lambda recipe, document: construct(recipe, document)._replace(metrics={"l1": metric}),
    )


def test_the_reason_why_there_is_no_interval_is_told(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_metric(monkeypatch, Silent())
    found = genlab.evaluate(run)
    assert "Without an interval: l1, as it is no mean over images" in " ".join(found.notes)
    assert [score.difference for score in found.scores] == [None]
    assert found.table()[0] == ("score", "value", "nothing", "real", "better")
    assert not any(line.startswith("95 %") for line in found.legend())


def test_the_mark_of_student_is_explained_where_it_is_shown(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = genlab.evaluate(run)
    assert any("(t)" in cell for row in found.table() for cell in row)
    assert found.legend()[-1].startswith("(t): Student's")
    with_metric(monkeypatch, Spread())
    other = genlab.evaluate(run)
    assert "(t)" not in str([*other.table(), *other.legend()])


def test_metrics_of_sets_get_real_pictures_and_their_own_interval(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_metric(monkeypatch, Spread())
    (score,) = genlab.evaluate(run).scores
    pairs = {split: _targets(run, split) for split in ("train", "test")}
    assert score.real == pytest.approx((pairs["train"].mean(0) - pairs["test"].mean(0)).abs().mean().item(), rel=1e-5)
    assert score.method == "metric" and score.low == pytest.approx(score.value - 0.95)


def _targets(run: Path, split: str) -> Tensor:
    from genlab.assemble.experiment import construct, prepare
    from genlab.assemble.open_data import choose_source
    from genlab.runs.folder import RunFolder
    from genlab.runs.reading import read_run

    checked = read_run(RunFolder.existing(run))
    pairs = prepare(checked.recipe, choose_source(construct(checked.recipe, checked.document).data).open(split))  # type: ignore[arg-type]
    return torch.cat([pair_as_batch(pairs, index, torch.device("cpu")).target for index in range(len(pairs))])


def test_values_that_are_not_finite_are_not_ranked() -> None:
    score = EvaluatedScore("l1", 0.5, 4, None, None, None, None, None, higher_is_better=False)
    values = {"a": 0.3, "b": math.nan, "c": 0.2, "d": 0.4}
    found = MeasuredSplit([score], {"l1": values}, range(4))
    titles = [place.title for place in choose_places(cast(PreparedPairs, None), found, score)]
    assert titles == [
        "Best: c, l1 0.2 (rank 1 of 3)",
        "Best: a, l1 0.3 (rank 2 of 3)",
        "Best: d, l1 0.4 (rank 3 of 3)",
        "Not finite: b, l1 nan",
    ]
