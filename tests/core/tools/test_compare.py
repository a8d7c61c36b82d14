"""Comparisons of runs: the same images, what differs, and what cannot be compared."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import ROOT, GenCommand, Once

import genlab
from genlab import Comparison, RunError, StorageError
from genlab.runs.folder import RunFolder
from genlab.tools.compare.compare import short_names
from genlab.tools.compare.comparison import ScoreDifference
from genlab.tools.compare.curves import read_curves
from genlab.tools.compare.tables import method, score_rows

METRIC = "validation/l1"


def trained(once: Once, name: str, *overrides: str) -> Path:
    fixed = ("train.steps=2", "evaluate.metrics.psnr={name='psnr'}")
    recipe = ROOT / "tests" / "assets" / "tiny.toml"
    return once(name, lambda folder: genlab.train(recipe, overrides=[*fixed, *overrides], out=folder))


@pytest.fixture(scope="module")
def first(once: Once) -> Path:
    return trained(once, "compared-first")


@pytest.fixture(scope="module")
def second(once: Once) -> Path:
    return trained(once, "compared-second", "seed=1", "losses.l1.weight=10")


@pytest.fixture(scope="module")
def found(first: Path, second: Path) -> Comparison:
    return genlab.compare_runs([first, second], device="cpu")


def difference(found: Comparison, metric: str = METRIC, index: int = 1) -> ScoreDifference:
    difference = found.differences(metric)[index]
    assert isinstance(difference, ScoreDifference), difference
    return difference


def test_scores_are_those_that_the_runs_recorded(found: Comparison, first: Path, second: Path) -> None:
    """They are measured anew, on the images of the validation."""
    for run, path in zip(found.runs, (first, second), strict=True):
        recorded = genlab.open_run(path).metrics
        assert run.scores == {name: recorded[name] for name in (METRIC, "validation/psnr")}
        assert run.images == 3


def test_a_difference_is_paired_by_image(found: Comparison) -> None:
    one, other = (run.per_image[METRIC] for run in found.runs)
    by_hand = np.array([other[key] - one[key] for key in one])
    shown = difference(found)
    assert shown.mean == pytest.approx(by_hand.mean())
    assert (shown.n, shown.method) == (3, "t")
    half = 4.302653 * by_hand.std(ddof=1) / 3**0.5  # Student's quantile of 97.5 % with two degrees of freedom
    assert shown.high == pytest.approx(by_hand.mean() + half, rel=1e-5)
    assert shown.low == pytest.approx(by_hand.mean() - half, rel=1e-5)


def test_a_verdict_follows_the_direction_of_the_metric(found: Comparison) -> None:
    one, other = found.runs
    shift = {metric: {key: value + 1 + n for n, (key, value) in enumerate(values.items())}
             for metric, values in one.per_image.items()}  # fmt: skip
    higher = Comparison(
        [one, replace(other, per_image={m: {k: v + 50 for k, v in it.items()} for m, it in shift.items()})]
    )
    assert difference(higher, METRIC).verdict == "worse"
    assert difference(higher, "validation/psnr").verdict == "better"
    same = Comparison([one, replace(one, name="copy")])
    assert difference(same).verdict == "the same for every image"


def test_changed_settings_are_listed_with_each_value(found: Comparison) -> None:
    assert found.changed == {"losses.l1.weight": [100, 10], "seed": [0, 1]}
    assert found.cautions() == []


def test_the_mark_of_student_is_explained_where_it_is_shown(found: Comparison) -> None:
    one, other = found.runs
    values = {str(key): value for key, value in enumerate(np.random.default_rng(0).random(100))}
    shifted = {key: 2 * value for key, value in values.items()}
    many = [replace(one, per_image={METRIC: values}), replace(other, per_image={METRIC: shifted})]
    for runs, is_shown in ((found, True), (Comparison(many), False)):
        rows = score_rows(runs, METRIC)
        assert any("(t)" in cell for row in rows for cell in row) is is_shown
        assert ("(t): Student's" in method(runs, rows)) is is_shown


def test_several_runs_have_wider_intervals(found: Comparison) -> None:
    three = Comparison([*found.runs, replace(found.runs[1], name="third")])
    assert [it.as_json()["interval_level"] for it in (found, three)] == pytest.approx([0.95, 0.975])
    for index in (1, 2):
        wide, narrow = difference(three, index=index), difference(found)
        assert wide.low is not None
        assert narrow.low is not None
        assert wide.low < narrow.low


def test_other_data_inputs_and_metrics_are_not_compared(found: Comparison, first: Path, once: Once) -> None:
    other = trained(once, "compared-other", "data.validation_count=2", "evaluate.metrics.l1=false")
    measured = genlab.compare_runs([other, first], device="cpu")
    assert measured.differences(METRIC)[1] == "not measured in both"
    assert "other validation data" in str(measured.differences("validation/psnr")[1])
    cautions = " ".join(measured.cautions())
    assert "not measured on the same images: other validation data" in cautions
    settings = json.loads(json.dumps(found.first.tables))
    settings["evaluate"]["metrics"]["psnr"]["name"] = "else:psnr"
    settings["input"]["size"] = 16
    run = replace(found.first, name="changed", tables=settings)
    assert "input.size: 32 -> 16" in str(Comparison([found.first, run]).differences(METRIC)[1])
    settings["input"]["size"] = found.first.tables["input"]["size"]
    assert "evaluate.metrics.psnr" in str(Comparison([found.first, run]).differences("validation/psnr")[1])
    nothing = replace(run, scores={"validation/mine": 1.0})
    assert "no metric in common" in " ".join(Comparison([found.first, nothing]).cautions())


def test_a_run_that_cannot_be_measured_is_compared_by_its_record(first: Path, second: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(second, tmp_path / "broken")
    shutil.rmtree(broken / "checkpoints")
    found = genlab.compare_runs([first, broken], device="cpu")
    assert found.runs[1].scores == {
        name: value for name, value in genlab.open_run(broken).metrics.items() if name.startswith("validation/")
    }
    assert "no interval: as recorded" in difference(found).verdict
    assert "broken was not measured" in found.cautions()[0]
    assert "no checkpoint" in found.cautions()[0]
    tables = json.loads(json.dumps(found.runs[1].tables))
    tables["evaluate"]["pairs"] -= 1
    of_more = Comparison([found.first, replace(found.runs[1], tables=tables)])
    assert of_more.differences(METRIC)[1] == "recorded on other images: evaluate.pairs"


def test_what_is_not_the_same_beside_the_recipe_is_told(first: Path, second: Path, tmp_path: Path) -> None:
    changed = shutil.copytree(second, tmp_path / "changed")
    manifest = RunFolder(changed).stored()
    data = manifest.data.model_copy(update={"fingerprints": {**manifest.data.fingerprints, "train": "other"}})
    code = dict.fromkeys(manifest.code, "other")
    RunFolder(changed).update(status="paused", data=data, code=code)
    cautions = " ".join(genlab.compare_runs([first, changed], device="cpu").cautions())
    for words in ("changed is not finished: paused", "was trained on other data", "with other code"):
        assert words in cautions


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_comparison_is_of_several_runs_each_once(first: Path, count: int) -> None:
    with pytest.raises(RunError, match="twice" if count == 2 else "two runs"):
        genlab.compare_runs([first] * count)


def test_a_page_holds_curves_and_pictures_and_replaces_no_file(first: Path, second: Path, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    genlab.compare_runs([first, second], html=file, device="cpu")
    page = file.read_text(encoding="utf-8")
    pictures = len(re.findall('src="data:image/png', page))
    assert pictures == 3 * 4  # condition, two predictions and target
    assert page.count('type="range"') == 3
    assert page.count("<svg") >= 3
    assert "losses.<wbr>l1.<wbr>weight" in page
    before = file.read_bytes()
    for path in (file, tmp_path, tmp_path / "nowhere" / "page.html"):
        with pytest.raises(StorageError):
            genlab.compare_runs([first, second], html=path)
    assert file.read_bytes() == before


def test_gen_compare_prints_tables_or_json(first: Path, second: Path, gen: GenCommand) -> None:
    told = gen("compare", first, second, "--device", "cpu")
    assert told.returncode == 0, told.stderr
    for words in ("losses.l1.weight", "validation ", "psnr", "95 % interval", "an ablation does"):
        assert words in told.stdout
    asked = json.loads(gen("compare", first, second, "--device", "cpu", "--json").stdout)
    assert asked["metrics"]["validation/psnr"]["higher_is_better"] is True
    assert asked["changed"]["seed"] == [0, 1]


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        (tmp_path / "metrics.jsonl").write_text(text)
        return tmp_path

    return write


def test_curves_skip_what_is_damaged(written: Callable[[str], Path]) -> None:
    lines = [
        '{"event": "step", "step": 1, "losses": {"g/l1": 2.0, "g/gan": null}}',
        '{"event": "step", "step": 2, "los',
        "[1]",
        '{"event": "validation", "step": 2, "metrics": {"validation/l1": 0.5}}',
        '{"event": "step", "step": "3", "losses": {"g/l1": 2.0}}',
    ]
    curves = read_curves(written("\n".join(lines)))
    assert {name: list(band) for name, band in curves.items()} == {METRIC: [2], "loss g/l1": [1]}


def test_a_long_curve_of_losses_keeps_its_extremes(written: Callable[[str], Path]) -> None:
    lines = [json.dumps({"event": "step", "step": n, "losses": {"l1": n % 7}}) for n in range(1, 1001)]
    (band,) = read_curves(written("\n".join(lines))).values()
    assert len(band) <= 60
    assert max(band) == 1000
    assert {(it.low, it.high) for it in band.values()} == {(0.0, 6.0)}


def test_names_are_as_short_as_they_can_be() -> None:
    paths = [Path("/r/a/seed-0"), Path("/r/b/seed-0"), Path("/r/c")]
    assert short_names(paths) == ["a/seed-0", "b/seed-0", "c"]
