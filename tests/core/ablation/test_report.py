"""Reports of scores that are made up: what they show, say and caution against."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from genlab.ablation.ablate import Ablation
from genlab.ablation.folder import AblationFolder
from genlab.ablation.report import write_ablation_report
from genlab.ablation.results import AblationResult, TrialResult, read_result

METRICS = ("validation/l1", "gap/l1")
Scores = Mapping[str, Sequence[float]]
Reported = Callable[..., AblationResult]


@pytest.fixture(scope="module")
def made(whole: Path) -> Ablation:
    return Ablation(whole.parent / "arms.toml", whole)


@pytest.fixture
def reported(made: Ablation, whole: Path, tmp_path: Path) -> Reported:
    """Write the report of these scores, by arm and over the seeds from 0, with None for a failed trial."""
    done = made.folder.trial("skips", 0).read()

    def report(scores: Mapping[str, Sequence[float | None]], first_seeds: Sequence[int] = ()) -> AblationResult:
        seeds = list(range(len(scores["skips"])))
        settings = made.plan.settings.model_copy(update={"seeds": seeds, "metrics": list(METRICS)})
        trials = [
            TrialResult(arm, seed, whole, done.model_copy(update=facts(value)), {1: dict.fromkeys(METRICS, 0.5)})
            for arm, values in scores.items()
            for seed, value in enumerate(values)
        ]
        result = AblationResult(replace(made.plan, settings=settings), trials, list(first_seeds) or seeds)
        write_ablation_report(result, AblationFolder(tmp_path), made.parameters)
        return result

    return report


def facts(value: float | None) -> dict[str, object]:
    return {"metrics": dict.fromkeys(METRICS, value)} if value is not None else {"status": "failed", "metrics": {}}


def page(folder: Path, name: str = "report.html") -> str:
    return (folder / name).read_text(encoding="utf-8")


def test_the_forest_plot_comes_first_then_the_sentences_then_the_tables(reported: Reported, tmp_path: Path) -> None:
    result = reported({"skips": (1, 2, 3, 4, 5), "no-skips": (2, 3.1, 4, 5, 6.2)})
    (sentence,) = result.sentences("validation/l1")
    html = page(tmp_path)
    places = [html.index(words) for words in ("<svg", f'">{sentence}', "<h2>Arms", "<h2>Differences", "<h2>Curves")]
    assert places == sorted(places)
    assert html[: html.index("<h2>Arms")].count("<circle") == 5
    assert page(tmp_path, "report.md").index("](report.svg)") < page(tmp_path, "report.md").index(f"**{sentence}**")
    assert page(tmp_path, "report.svg") in html


def test_the_primary_metric_decides_and_others_are_marked_as_secondary(reported: Reported, tmp_path: Path) -> None:
    result = reported({"skips": (1, 2, 3), "no-skips": (2, 3.1, 4)})
    assert len(result.sentences("validation/l1")) == 1
    for name in ("report.html", "report.md"):
        first, second = page(tmp_path, name).split("Secondary metrics")
        assert "The answer goes by validation/l1 alone" in second
        assert "over all 2 metrics" in second
        assert "worse" in first


def test_the_report_and_its_json_agree_on_verdict_and_interval(reported: Reported, tmp_path: Path) -> None:
    reported({"skips": (1, 2, 3), "no-skips": (2, 3.1, 4)})
    found = json.loads(page(tmp_path, "report.json"))["metrics"]["validation/l1"]["differences"]["no-skips"]
    assert (found["verdict"], found["n"], found["by_seed"]) == ("worse", 3, {"0": 1.0, "1": 1.1, "2": 1.0})
    assert found["low"] > 0
    assert set(found) == {"by_seed", "mean", "low", "high", "n", "verdict"}
    assert f"| {found['low']:+.4g} to {found['high']:+.4g} | 3 | worse |" in page(tmp_path, "report.md")


@pytest.mark.parametrize(
    ("scores", "first_seeds", "words"),
    [
        ({"skips": (1, 2, 3, 4), "no-skips": (2, 3.1, 4, 5)}, (), ["fewer than 5 seeds"]),
        ({"skips": (1, 2, 3, 4, 5), "no-skips": (2, 3.1, 4, 5, 6)}, (), []),
        ({"skips": (1, 2), "no-skips": (2, 3.1)}, (), []),
        ({"skips": (1, 2, 3), "no-skips": (1, 2, 3)}, (), []),
        ({"skips": (1, 2, 3), "no-skips": (1, math.nan, 3)}, (), []),
        (
            {"skips": (1, 2, 3, 4, 5, 6), "no-skips": (2, 3.1, 4, 5, 6, None)},
            (),
            ["11 of 12 trials are finished, so these are interim figures"],
        ),
        ({"skips": (1, 2, 3, 4, 5), "no-skips": (2, 3.1, 4, 5, 6)}, (0, 1, 2), ["(then 0, 1, 2, now 0, 1, 2, 3, 4)"]),
    ],
)
def test_cautions(
    reported: Reported, scores: Scores, first_seeds: Sequence[int], words: list[str], tmp_path: Path
) -> None:
    found = reported(scores, first_seeds).cautions()
    assert len(found) == len(words)
    assert all(part in caution for part, caution in zip(words, found, strict=True))
    assert json.loads(page(tmp_path, "report.json"))["cautions"] == found
    for name in ("report.html", "report.md"):
        assert all(caution in page(tmp_path, name) for caution in found)


def test_figures_that_are_not_finite_leave_a_report_without_a_plot(reported: Reported, tmp_path: Path) -> None:
    reported({"skips": (math.nan, 1), "no-skips": (1, math.inf)})
    assert "report.svg" not in page(tmp_path, "report.md")
    assert "not finite" in page(tmp_path)
    assert not [word for word in ("nan", "inf<", "inf ") if word in page(tmp_path)]


def test_pictures_open_large_without_scripts_or_other_files(whole: Path) -> None:
    html = page(whole)
    assert "<script" not in html
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")
    opened = [part.split('"')[0] for part in html.split('popovertarget="')[1:]]
    assert opened
    assert all(html.count(f'id="{name}" popover') == 1 for name in opened)
    assert html.count("data:image/png") == len(opened)


def read(made: Ablation) -> AblationResult:
    return read_result(made.plan, made.folder, {str(settled.trial): settled.identity for settled in made.trials})


def test_seeds_that_were_added_after_a_report_are_told(copy: Path, recipe: Path) -> None:
    more = Ablation(recipe, copy, overrides=["ablation.seeds=[0, 1, 2]"])
    for _ in range(2):  # the second time, from a report that has three seeds itself
        result = read(more)
        assert (result.first_seeds, result.seeds) == ([0, 1], [0, 1, 2])
        assert any("(then 0, 1, now 0, 1, 2)" in caution for caution in result.cautions())
        write_ablation_report(result, more.folder, more.parameters)
    assert read(Ablation(recipe, copy)).first_seeds == [0, 1]


def test_a_report_on_other_runs_does_not_count(copy: Path, recipe: Path) -> None:
    """As when all was trained again after a change of the recipe."""
    report = json.loads((copy / "report.json").read_text())
    for trial in report["trials"]:
        trial["updated"] = "2020-01-01T00:00:00+00:00"
    (copy / "report.json").write_text(json.dumps(report))
    more = Ablation(recipe, copy, overrides=["ablation.seeds=[0, 1, 2]"])
    assert read(more).first_seeds == [0, 1, 2]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"seeds": "none"}'])
def test_a_report_that_cannot_be_read_does_not_count(copy: Path, recipe: Path, text: str) -> None:
    (copy / "report.json").write_text(text)
    assert read(Ablation(recipe, copy)).first_seeds == [0, 1]
