"""Whole ablations on the tiny recipe, most of them trained in this process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from tests.conftest import GenCommand
from tests.core.ablation.outputs import figures, trials, weights
from tests.core.runs.scripted import PLUGIN, SETTINGS
from tests.manifests import edit_manifest, read_manifest

import genlab
from genlab import RecipeError, RunError
from genlab.ablation.ablate import Ablation
from genlab.ablation.folder import AblationFolder
from genlab.ablation.jobs import Job, JobEnded, JobEvent, JobStarted
from genlab.ablation.results import AblationResult, read_result
from genlab.ablation.train import train_trial
from genlab.assemble.experiment import build_networks
from genlab.config.document import Document

NOTHING = """
import math

import genlab


class Nothing(genlab.Metric):
    higher_is_better = False

    def update(self, condition, target, prediction): ...

    def compute(self):
        return math.nan

    def reset(self): ...

    def merge(self, other): ...


@genlab.hookimpl
def genlab_register(registry):
    registry.metric("nothing", Nothing)
"""


def here(
    jobs: Sequence[Job],
    environments: Sequence[Mapping[str, str]],
    log: Path,
    on_event: Callable[[JobEvent], None],
    is_over: Callable[[], bool],
) -> None:
    """Train all jobs in this process, one after the other."""
    for job in jobs:
        on_event(JobStarted(job))
        on_event(train_trial(job))


def ablate(
    recipe: Path,
    *,
    out: Path,
    overrides: Sequence[str] = (),
    plugins: Sequence[Path] = (),
    retrain: bool = False,
    on_event: Callable[[JobEvent], None] = lambda event: None,
) -> AblationResult:
    """`genlab.ablate` without workers."""
    return Ablation(recipe, out, overrides=overrides, plugins=plugins).run(1, retrain, on_event, here)


class Trained:
    """Remembers which trials ended how."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, str]] = []
        self.failures: list[str] = []

    def __call__(self, event: object) -> None:
        if isinstance(event, JobEnded):
            self.ended.append((event.job.name, event.status))
            self.failures += [event.failure] if event.failure else []


def test_every_arm_is_trained_with_every_seed_and_compared(whole: Path) -> None:
    assert trials(whole) == ["no-skips/seed-0", "no-skips/seed-1", "skips/seed-0", "skips/seed-1"]
    report = json.loads((whole / "report.json").read_text())
    (difference,) = report["metrics"]["validation/l1"]["differences"].values()
    assert difference["n"] == 2
    assert "2 paired seeds): no verdict with fewer than 3 seeds" in report["answer"][0]
    assert [trial["status"] for trial in report["trials"]] == ["finished"] * 4
    for name in ("report.md", "report.html"):
        assert report["answer"][0].split(":")[0] in (whole / name).read_text()


def test_a_metric_that_is_a_mean_over_images_has_a_bootstrap_over_them(whole: Path) -> None:
    report = json.loads((whole / "report.json").read_text())["metrics"]["validation/l1"]
    found, paired = report["over_images"]["no-skips"], report["differences"]["no-skips"]
    assert (found["images"], found["n"]) == (3, 2)
    assert found["mean"] == pytest.approx(paired["mean"])
    assert found["low"] <= found["mean"] <= found["high"]
    assert "95 % bootstrap interval" in (whole / "report.md").read_text()


def test_the_targets_themselves_stand_below_the_arms(recipe: Path, judge: Path, tmp_path: Path) -> None:
    judged = f"evaluate.metrics.label_recovery.judge={judge}"
    name = "label_recovery/class_iou"
    asked = [judged, f"ablation.metric=validation/{name}", "ablation.seeds=[0]", "train.steps=2"]
    result = ablate(recipe, overrides=asked, out=tmp_path / "out")
    real = genlab.open_run(tmp_path / "out" / "trials" / "skips" / "seed-0").metrics
    assert result.target_scores(f"validation/{name}").mean == real["validation/label_recovery/real_class_iou"]
    (row,) = [line for line in (tmp_path / "out" / "report.md").read_text().splitlines() if "the targets them" in line]
    assert f"{real['validation/label_recovery/real_class_iou']:.4g}" in row
    for page in ("report.html", "report.md"):
        text = (tmp_path / "out" / page).read_text()
        assert "the targets themselves" in text
        assert f"judged by {judge}" in text
    assert "over_images" in json.loads((tmp_path / "out" / "report.json").read_text())["metrics"][f"validation/{name}"]


def test_another_judge_makes_other_cells(recipe: Path, judge: Path, good_judge: Path, tmp_path: Path) -> None:
    shutil.copytree(judge, tmp_path / "judge")
    asked = [f"evaluate.metrics.label_recovery.judge={tmp_path / 'judge'}", "ablation.seeds=[0]", "train.steps=1"]
    for trains, other in ((2, judge), (0, judge), (2, good_judge)):
        shutil.rmtree(tmp_path / "judge")
        shutil.copytree(other, tmp_path / "judge")
        trained = Trained()
        ablate(recipe, overrides=asked, out=tmp_path / "out", on_event=trained)
        assert len(trained.ended) == trains


def test_arms_with_different_judges_are_not_compared(
    recipe: Path, judge: Path, good_judge: Path, tmp_path: Path
) -> None:
    asked = [
        f"evaluate.metrics.label_recovery.judge={judge}",
        f"ablation.arms.no-skips.evaluate.metrics.label_recovery.judge={good_judge}",
    ]
    with pytest.raises(RunError, match="depends on different content in different arms"):
        ablate(recipe, overrides=asked, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_that_is_not_what_was_planned_does_not_count(copy: Path, recipe: Path) -> None:
    """As when data were replaced while the ablation ran."""
    made = Ablation(recipe, copy)
    wanted = {str(settled.trial): settled.identity for settled in made.trials}
    assert read_result(made.plan, made.folder, wanted).is_complete
    wanted["skips, seed 1"] = {**wanted["skips, seed 1"], "the data": "others"}
    result = read_result(made.plan, made.folder, wanted)
    assert not result.is_complete
    assert [trial.seed for trial in result.finished if trial.arm == "skips"] == [0]
    (failed,) = [trial for trial in result.trials if trial.manifest and trial.manifest.status == "failed"]
    assert "the data changed while the ablation ran, so this run does not count" in str(failed.manifest)
    assert "1 paired seed)" in result.sentences("validation/l1")[0]


def test_an_arm_without_a_finished_run_is_not_passed_over(copy: Path, recipe: Path) -> None:
    made = Ablation(recipe, copy)
    shutil.rmtree(copy / "trials" / "no-skips")
    wanted = {str(settled.trial): settled.identity for settled in made.trials}
    result = read_result(made.plan, made.folder, wanted)
    assert result.sentences("validation/l1") == [
        "no-skips and skips have no finished seed in common, so they cannot be compared."
    ]


def test_a_metric_that_is_no_number_leaves_a_report(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "nothing.py").write_text(NOTHING)
    asked = ["evaluate.metrics.nothing={}", 'ablation.metrics=["validation/nothing"]', "train.steps=1"]
    ablate(recipe, overrides=asked, plugins=[tmp_path / "nothing.py"], out=tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["metrics"]["validation/nothing"]["arms"]["skips"]["mean"] is None
    assert "not finite" in (tmp_path / "out" / "report.md").read_text()
    assert (tmp_path / "out" / "report.html").is_file()


def test_seeds_pair_the_arms(whole: Path) -> None:
    """With one seed both arms start from the same weights where layers agree; with two they do not."""
    recipes = {trial: genlab.open_run(whole / "trials" / trial).recipe for trial in trials(whole)}
    first = {trial: build_networks(recipe, (3, 3), Document({}, {})) for trial, recipe in recipes.items()}

    def weight(trial: str, role: str, name: str) -> torch.Tensor:
        return dict(first[trial][role].named_parameters())[name]

    for role, name in (("generator", "encoder.1.conv.weight"), ("discriminator", "layers.0.conv.weight")):
        assert weight("skips/seed-0", role, name).equal(weight("no-skips/seed-0", role, name))
        assert not weight("skips/seed-0", role, name).equal(weight("skips/seed-1", role, name))


def test_finished_cells_keep_their_weights_and_not_their_optimizers(whole: Path) -> None:
    names = {Path(name).name for name in weights(whole)}
    assert "generator.safetensors" in names
    assert not any("optimizer" in name for name in names)
    assert genlab.open_run(whole / "trials" / "skips" / "seed-0").generator


def test_called_again_it_trains_nothing(copy: Path, recipe: Path) -> None:
    trained = Trained()
    ablate(recipe, out=copy, on_event=trained)
    assert trained.ended == []


@pytest.mark.parametrize(
    "left", ["00000008/generator.optimizer.safetensors", ".00000007.partial/generator.safetensors"]
)
def test_what_a_killed_process_left_of_a_finished_trial_is_removed(copy: Path, recipe: Path, left: str) -> None:
    """It was killed when its trial was finished, while it removed optimizers and earlier checkpoints."""
    before = weights(copy)
    file = copy / "trials" / "skips" / "seed-0" / "checkpoints" / left
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"left")
    assert weights(copy) != before
    ablate(recipe, out=copy)
    assert weights(copy) == before


def test_another_seed_and_another_arm_are_all_that_is_trained(copy: Path, recipe: Path) -> None:
    trained = Trained()
    ablate(recipe, out=copy, overrides=["ablation.seeds=[0, 1, 5]"], on_event=trained)
    assert sorted(trained.ended) == [("no-skips, seed 5", "finished"), ("skips, seed 5", "finished")]
    recipe.write_text(recipe.read_text() + "[ablation.arms.l1]\nlosses.adversarial.weight = 0\n")
    trained = Trained()
    ablate(recipe, out=copy, on_event=trained)
    assert sorted(trained.ended) == [("l1, seed 0", "finished"), ("l1, seed 1", "finished")]
    assert "skips/seed-5" not in trials(copy), "a seed that the recipe does not have any more is put aside"


def test_an_edit_that_is_taken_back_costs_nothing(copy: Path, recipe: Path) -> None:
    first = figures(copy)
    trained = Trained()
    ablate(recipe, out=copy, overrides=["train.steps=2"], on_event=trained)
    assert len(trained.ended) == 4
    assert figures(copy) != first
    trained = Trained()
    ablate(recipe, out=copy, on_event=trained)
    assert trained.ended == []
    assert figures(copy) == first


def test_a_trial_whose_recipe_was_edited_is_refused(copy: Path, recipe: Path) -> None:
    edited = copy / "trials" / "skips" / "seed-0" / "recipe.toml"
    edited.write_text(edited.read_text().replace("amount = 0.125", "amount = 0.25"))
    with pytest.raises(RunError, match=r"augment\.jitter\.amount: 0\.125 -> 0\.25") as caught:
        ablate(recipe, out=copy)
    assert caught.value.where == str(edited.parent)


@pytest.mark.parametrize(
    ("begun_with", "changed", "counts"),
    [
        ("train.steps=1", "train.steps={steps}", False),
        ("checkpoint.keep=1", "checkpoint.keep=5", True),
        ("train.values_every=1", "train.values_every=3", True),
    ],
)
def test_a_trial_whose_recipe_was_changed_counts_if_that_does_not_decide_its_result(
    copy: Path, recipe: Path, begun_with: str, changed: str, counts: bool
) -> None:
    place, planned = copy / "trials" / "skips" / "seed-0", copy / "planned" / "skips.seed-0.toml"
    steps = genlab.open_run(place).manifest.steps
    shutil.rmtree(place)
    genlab.train(planned, overrides=[begun_with], out=place, stop_at=1)
    begun = genlab.resume(place, overrides=[changed.format(steps=steps)], stop_at=steps - 1).manifest.id
    trained = Trained()
    ablate(recipe, out=copy, on_event=trained)
    assert trained.ended == [("skips, seed 0", "finished")]
    assert (genlab.open_run(place).manifest.id == begun) == counts, "resumed, or trained again"


@pytest.mark.parametrize(
    ("name", "is_taken"), [(".lock", True), (".recipe.toml.7-7.partial", True), (".mine.7-7.partial", False)]
)
def test_what_an_ablation_left_that_was_killed_at_its_start_is_taken(tmp_path: Path, name: str, is_taken: bool) -> None:
    (tmp_path / name).touch()
    with nullcontext() if is_taken else pytest.raises(RunError, match="already exists"):
        AblationFolder.at(tmp_path)


def test_a_trial_that_another_command_finished_is_not_shown_without_its_pictures(copy: Path, recipe: Path) -> None:
    place, planned = copy / "trials" / "skips" / "seed-0", copy / "planned" / "skips.seed-0.toml"
    shutil.rmtree(place)
    genlab.train(planned, out=place)
    with pytest.raises(RunError, match="skips, seed 0 was finished by another command") as caught:
        ablate(recipe, out=copy)
    assert str(place) in caught.value.hint


def test_what_was_trained_with_other_code_is_not_mixed_in(copy: Path, recipe: Path) -> None:
    run = copy / "trials" / "skips" / "seed-1"
    edit_manifest(run, code={**read_manifest(run)["code"], "genlab_pix2pix": "0" * 64})
    trained = Trained()
    with pytest.raises(RunError, match="skips, seed 1 were trained with other code") as caught:
        ablate(recipe, out=copy, on_event=trained)
    assert "the code of genlab_pix2pix" in caught.value.what
    assert "--retrain" in caught.value.hint
    assert trained.ended == []
    ablate(recipe, out=copy, retrain=True, on_event=trained)
    assert trained.ended == [("skips, seed 1", "finished")]


def test_the_code_of_listeners_does_not_count(whole: Path) -> None:
    """They watch; a change of what is shown is no reason to train again."""
    code = json.loads((whole / "trials" / "skips" / "seed-0" / "run.json").read_text())["code"]
    assert {"genlab", "genlab_pix2pix", "genlab_losses"} < set(code)
    assert "genlab_listeners" not in code


def test_two_at_once_do_not_plan_one_ablation(recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlab.ablation.folder._PATIENCE", 0.0)
    with AblationFolder.at(tmp_path / "out").locked(), pytest.raises(RunError, match="another process is planning"):
        ablate(recipe, out=tmp_path / "out")


def test_a_folder_of_something_else_is_left_alone(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "note").write_text("mine")
    with pytest.raises(RunError, match="not an ablation"):
        ablate(recipe, out=tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["note"]


def test_an_ablation_of_an_earlier_genlab_is_refused_and_left_alone(recipe: Path, copy: Path) -> None:
    (copy / "trials").rename(copy / "cells")
    before = sorted(copy.rglob("*"))
    for action in (genlab.plan_ablation, ablate):
        with pytest.raises(RunError, match=r"made by an earlier genlab[^$]*Choose another --out"):
            action(recipe, out=copy)
    assert sorted(copy.rglob("*")) == before


def test_a_folder_that_an_earlier_genlab_was_run_in_too_still_has_its_trials(recipe: Path, copy: Path) -> None:
    (copy / "cells").mkdir()
    assert not genlab.plan_ablation(recipe, out=copy).time_estimate().missing


def test_the_plan_alone_trains_nothing(gen: GenCommand, recipe: Path, tmp_path: Path) -> None:
    done = gen("ablate", recipe, "--out", "out", "--plan")
    assert done.returncode == 0
    assert "2 arms x 2 seeds (0, 1) = 4 trainings" in done.stderr
    assert "generator.skips=false" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_plan_tells_how_long_what_is_missing_takes(gen: GenCommand, recipe: Path, copy: Path) -> None:
    """Going by what is there."""
    command = ("ablate", recipe, "--out", copy, "--plan", "--set", "ablation.seeds=[0, 1, 2]")
    told = gen(*command)
    assert "4 of 6 trials are finished; the others take about 0:00:0" in told.stderr, told.stderr
    plan = json.loads(gen(*command, "--json").stdout)
    seconds = [json.loads((copy / "trials" / trial / "run.json").read_text())["seconds"] for trial in trials(copy)]
    assert plan["missing"] == 2
    assert plan["seconds"] == pytest.approx(sum(seconds) / 2)


def test_faults_are_told_before_anything_is_trained(recipe: Path, tmp_path: Path) -> None:
    recipe.write_text(recipe.read_text().replace("skips = false", "skip = false"))
    with pytest.raises(RecipeError, match="has no setting `skip`"):
        ablate(recipe, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


# Trials that end early


def early(
    recipe: Path, tmp_path: Path, *overrides: str, on_event: Callable[[JobEvent], None] = lambda event: None
) -> AblationResult:
    """An ablation of one seed whose trials may end early."""
    plugin = tmp_path / "scripted_scores.py"
    plugin.write_text(PLUGIN)
    more = ["ablation.seeds=[0]", "ablation.metric=validation/told", *SETTINGS, *overrides]
    return ablate(recipe, out=tmp_path / "out", overrides=more, plugins=[plugin], on_event=on_event)


def test_a_trial_that_ended_by_its_own_rule_counts_and_keeps_its_best(recipe: Path, tmp_path: Path) -> None:
    result = early(recipe, tmp_path, "train.patience=3")
    assert result.is_complete
    assert result.values("skips", "validation/told") == {0: 0.2}
    run = tmp_path / "out" / "trials" / "skips" / "seed-0"
    assert [genlab.open_run(run, checkpoint=choice, trust=True).step for choice in ("last", "best")] == [5, 2]
    assert not list((run / "checkpoints").rglob("*.optimizer.safetensors"))
    assert any("2 of 2 trials ended early" in caution for caution in result.cautions())
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert [(trial["steps"], trial["ended_early"]["by"]) for trial in report["trials"]] == [(5, "train.patience")] * 2
    with pytest.raises(RunError, match="ended early, after 5 of 8 steps") as caught:
        genlab.resume(run, trust=True)
    assert "--set train.patience=N" in str(caught.value.hint)
    trained = Trained()
    early(recipe, tmp_path, "train.patience=3", on_event=trained)
    assert trained.ended == [], "they are finished"


def test_a_trial_that_a_listener_ended_counts_as_long_as_the_listener_is_the_same(recipe: Path, tmp_path: Path) -> None:
    assert early(recipe, tmp_path, "listeners.clock.stop_at=5").is_complete
    result = early(recipe, tmp_path, "listeners.clock.stop_at=6")
    assert not result.finished
    failures = [trial.manifest.failure for trial in result.trials if trial.manifest]
    assert all("listeners.clock ended it, and has other settings now; remove its folder" in str(it) for it in failures)
    assert not early(recipe, tmp_path, "listeners.clock=false").finished
    assert early(recipe, tmp_path, "listeners.clock.stop_at=5", "listeners.jsonl=false").is_complete
