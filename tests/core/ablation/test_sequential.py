"""Arms that get seeds until they are settled: the decisions by hand, on made-up scores, and in whole ablations."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from tests.conftest import GenCommand
from tests.core.ablation.by_seed import Score, noise, write_question
from tests.core.ablation.null_ablations import NOISES, most
from tests.core.ablation.outputs import figures, trials, weights
from tests.core.ablation.sequential_ablations import ALL_NOISES, SCHEDULE, draw_scores, settle, simulate_settling
from tests.core.ablation.test_ablate import Trained, here

from genlab.ablation.ablate import Ablation
from genlab.ablation.jobs import Job, JobEnded, JobEvent, JobStarted
from genlab.ablation.results import AblationResult
from genlab.ablation.sequential import SeedSchedule, Standing, find_standings
from genlab.ablation.statistics import compare
from genlab.cli.ablation_display import print_answer, print_plan
from genlab.cli.trial_display import Show
from genlab.config.schema import AblationTable

LOOKS = SeedSchedule(range(7), [4, 5, 6, 7], is_sequential=True)
SPREAD = [0.1, -0.2, 0.15, -0.05, 0.2, -0.1, -0.1]


def by_seed(*values: float) -> dict[int, float]:
    return dict(enumerate(values))


def standing(*differences: float, schedule: SeedSchedule = LOOKS, **more: Mapping[int, float]) -> Standing:
    """The standing of an arm with these differences from a baseline."""
    baseline = dict.fromkeys(schedule.seeds, 0.0)
    return find_standings(baseline, {"arm": by_seed(*differences), **more}, schedule)["arm"]


# The schedule


@pytest.mark.parametrize(
    ("settings", "seeds", "looks"),
    [
        ({"seeds": [0, 1, 2]}, [0, 1, 2], [3]),
        ({"max_seeds": 6, "stop": "settled"}, [0, 1, 2, 3, 4, 5], [4, 5, 6]),
        ({"max_seeds": 4, "stop": "settled"}, [0, 1, 2, 3], [4]),
        ({"seeds": [7, 3], "max_seeds": 5, "stop": "settled"}, [7, 3, 8, 9, 10], [4, 5]),
        ({"seeds": [5, 6, 7, 8, 9, 10], "max_seeds": 7, "stop": "settled"}, [5, 6, 7, 8, 9, 10, 11], [6, 7]),
        ({"seeds": [5, 6, 7, 8, 9, 10], "max_seeds": 6, "stop": "settled"}, [5, 6, 7, 8, 9, 10], [6]),
    ],
)
def test_seeds_and_looks_are_known_before_anything_is_trained(
    settings: dict[str, object], seeds: list[int], looks: list[int]
) -> None:
    schedule = SeedSchedule.of(AblationTable.model_validate({"baseline": "a", **settings}))
    assert (list(schedule.seeds), list(schedule.looks)) == (seeds, looks)


# Decisions


def test_an_arm_is_settled_at_the_first_look_whose_interval_excludes_zero() -> None:
    """By scipy's test of each look, with the error divided over the looks."""
    settled = set()
    for shift in (0.0, 0.2, 0.25, 0.3, 1.0):
        differences = [value + shift for value in SPREAD]
        excluding = [n for n in LOOKS.looks if stats.ttest_1samp(differences[:n], 0).pvalue < 0.05 / len(LOOKS.looks)]
        expected = min([*excluding, 7])
        assert standing(*differences) == Standing(expected, expected)
        settled.add(expected)
    assert {4, 7} < settled


def test_another_arm_makes_the_error_of_each_smaller() -> None:
    differences = [value + 0.8 for value in SPREAD]
    p = stats.ttest_1samp(differences[:4], 0).pvalue
    enough = math.floor(0.05 / 4 / p)
    others = {f"other {number}": by_seed() for number in range(enough)}
    assert enough > 1
    assert standing(*differences, **dict(list(others.items())[: enough - 1])).judged == 4
    assert standing(*differences, **others).judged > 4


def test_an_arm_that_cannot_differ_by_what_matters_is_settled() -> None:
    differences = [value / 10 for value in SPREAD]
    assert standing(*differences, schedule=replace(LOOKS, smallest=0.1)).wanted == 4
    assert standing(*differences, schedule=replace(LOOKS, smallest=0.01)).wanted == 7
    assert standing(*differences).wanted == 7, "only a difference settles it"


def test_an_arm_waits_for_the_trials_of_its_next_look() -> None:
    assert standing() == Standing(0, 4)
    assert standing(*SPREAD[:3]) == Standing(0, 4)
    assert standing(*SPREAD[:4]) == Standing(4, 5)
    assert standing(*SPREAD[:6]) == Standing(6, 7)
    assert standing(*SPREAD) == Standing(7, 7)


def test_a_trial_that_failed_keeps_its_arm_at_the_look_before_and_no_other() -> None:
    baseline, arm = by_seed(*[0.0] * 7), by_seed(*SPREAD)
    lost = {seed: value for seed, value in arm.items() if seed != 5}
    assert find_standings(baseline, {"arm": arm, "lost": lost}, LOOKS) == {
        "arm": Standing(7, 7),
        "lost": Standing(5, 6),
    }
    without = {seed: value for seed, value in baseline.items() if seed != 5}
    assert set(find_standings(without, {"arm": arm, "lost": lost}, LOOKS).values()) == {Standing(5, 6)}


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_a_figure_that_is_not_finite_ends_its_arm_as_more_seeds_cannot_help(odd: float) -> None:
    assert standing(0.1, odd, 0.1, -0.1) == Standing(4, 4)
    assert standing(*SPREAD[:4], odd) == Standing(5, 5)
    assert standing(*[value + 1 for value in SPREAD[:4]], odd) == Standing(4, 4), "it was settled before"


def test_without_a_spread_an_arm_is_not_settled() -> None:
    """As there is nothing to judge by until a seed differs."""
    assert standing(*[1.0] * 7, schedule=replace(LOOKS, smallest=2.0)).wanted == 7
    assert standing(0.0, 0.0, 0.0, 0.0).wanted == 5


def test_trials_beyond_a_look_never_change_what_it_decides() -> None:
    """A thousand ablations, of which an earlier one trained any trials: those that are wanted decide alike alone."""
    random = np.random.default_rng(0)
    schedule = replace(LOOKS, smallest=0.8)
    stops = set()
    for _ in range(1000):
        scores = [
            {seed: float(value) for seed, value in enumerate(row) if random.random() < 0.97}
            for row in random.normal(random.choice([0, 1, 3]), 0.5, size=(4, 7))
        ]
        baseline, arms = scores[0], dict(zip("abc", scores[1:], strict=True))
        found = find_standings(baseline, arms, schedule)
        most_wanted = max(each.wanted for each in found.values())
        alone = {arm: {s: v for s, v in values.items() if s < found[arm].wanted} for arm, values in arms.items()}
        assert find_standings({s: v for s, v in baseline.items() if s < most_wanted}, alone, schedule) == found
        # Nor do trials that come later.
        later = {arm: {**values, **dict.fromkeys(range(found[arm].wanted, 7), 9.0)} for arm, values in alone.items()}
        for arm, each in find_standings(baseline, later, schedule).items():
            if not found[arm].is_waiting:
                assert each == found[arm]
        stops |= {(each.judged, each.is_waiting) for each in found.values()}
    assert {(0, True), (4, False), (5, False), (7, False)} < stops


# The error rate

COUNT = 100_000


@pytest.mark.parametrize("smallest", [None, 1.5])
@pytest.mark.parametrize("true", [0.0, 2.0])
def test_simulated_ablations_are_decided_as_real_ones_are(smallest: float | None, true: float) -> None:
    schedule = replace(SCHEDULE, smallest=smallest)
    scores = draw_scores(100, NOISES["normal"], schedule, true)
    simulated = settle(scores, schedule)
    for row, is_different, is_alike, seeds in zip(
        scores.tolist(), simulated.is_different, simulated.is_alike, simulated.seeds.tolist(), strict=True
    ):
        baseline, *others = [by_seed(*values) for values in row]
        arms = {f"arm {number}": values for number, values in enumerate(others)}
        standings = find_standings(baseline, arms, schedule)
        assert [standing.judged for standing in standings.values()] == seeds
        used = {arm: by_seed(*list(values.values())[: standings[arm].judged]) for arm, values in arms.items()}
        judged = compare(baseline, used, len(schedule.looks)).values()
        verdicts = [each.verdict(False, smallest) for each in judged]
        assert [verdict in ("better", "worse") for verdict in verdicts] == is_different.tolist()
        assert [verdict == "no relevant difference" for verdict in verdicts] == is_alike.tolist()


@pytest.mark.parametrize("name", ["normal", "skewed, all alike", "heavy tails"])
def test_in_at_most_one_of_twenty_is_any_arm_called_different_at_any_look(name: str) -> None:
    found = simulate_settling(COUNT, ALL_NOISES[name])
    assert 0 < found.called <= most(COUNT)
    assert found.called == found.missed, "a verdict and its interval never disagree"


def test_in_at_most_one_of_twenty_is_an_arm_called_alike_that_differs_by_what_matters() -> None:
    found = simulate_settling(COUNT, NOISES["normal"], replace(SCHEDULE, smallest=1.0), 1.001)
    assert 0 < found.alike <= found.missed <= most(COUNT)


def test_collapses_of_an_arm_alone_break_it_as_the_page_says() -> None:
    assert simulate_settling(1000, ALL_NOISES["collapses, arms alone"]).called > 900


def test_large_differences_take_fewer_seeds() -> None:
    found = simulate_settling(1000, NOISES["normal"], difference=3.0)
    assert (found.low > 0).mean() > 0.95
    assert found.seeds.mean() < 6.5


# Whole ablations

BASE = [noise(seed) for seed in range(5)]
ARMS: dict[str, list[Score]] = {
    "base": [*BASE],
    "far": [score + 5 + 0.1 * noise(seed + 20) for seed, score in enumerate(BASE)],
    "near": [score + 0.4 * (-1) ** seed for seed, score in enumerate(BASE)],
}
Again = Callable[..., AblationResult]
SETTINGS = 'stop = "settled"\nmax_seeds = 5\nsmallest_difference = 0.5'
OPEN = ["base/seed-4", "near/seed-4"]
ALL = sorted([f"{arm}/seed-{seed}" for arm in ARMS for seed in range(4)] + OPEN)


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished ablation, and what was shown: one arm is settled at the first look, one gets all seeds."""
    folder = tmp_path_factory.mktemp("settled")
    write_question(folder, Path(__file__).parents[2] / "assets" / "tiny.toml", SETTINGS, ARMS)
    made = planned(folder, folder / "out")
    estimate = made.time_estimate()
    with ExitStack() as stack:
        for name, redirect in (("stdout", redirect_stdout), ("stderr", redirect_stderr)):
            stack.enter_context(redirect(stack.enter_context((folder / name).open("w"))))
        print_plan(made, estimate, 1)
        lengths = {str(trial): trial.recipe.settings.train.steps for trial in made.plan.trials}
        show = stack.enter_context(Show(lengths, estimate, 1, is_sequential=True))
        print_answer(made.run(1, False, show, here), folder / "out")
    return folder


@pytest.fixture
def copy(settled: Path, tmp_path: Path) -> Path:
    """A finished ablation that may be changed."""
    return Path(shutil.copytree(settled / "out", tmp_path / "out"))


def planned(settled: Path, folder: Path, *overrides: str) -> Ablation:
    return Ablation(settled / "question.toml", folder, overrides=overrides, plugins=[settled / "by_seed.py"])


@pytest.fixture
def again(settled: Path, copy: Path) -> Again:
    """The same ablation again, in the copy."""

    def call(*overrides: str, on_event: Callable[[JobEvent], None] = lambda event: None) -> AblationResult:
        return planned(settled, copy, *overrides).run(1, False, on_event, here)

    return call


def test_an_arm_that_differs_by_much_stops_early_and_others_get_all_seeds(settled: Path) -> None:
    assert trials(settled / "out") == ALL
    told = (settled / "stderr").read_text()
    assert "3 arms x 4 to 5 seeds (0, 1, 2, 3, 4) = 12 to 15 trainings" in told
    assert told.index("far, after 4 seeds: worse") < told.index("near, seed 4")
    far, near = (settled / "stdout").read_text().splitlines()[:2]
    assert far.startswith("far is worse than base")
    assert "4 of at most 5 paired seeds" in far
    assert near.startswith("No difference shown between near and base")
    assert "5 of at most 5 paired seeds" in near


def test_the_report_has_the_intervals_of_the_looks_and_says_how_wide_they_are(settled: Path) -> None:
    report = json.loads((settled / "out" / "report.json").read_text())
    assert (report["stop"], report["seeds"], report["looks"]) == ("settled", [0, 1, 2, 3, 4], [4, 5])
    found = report["metrics"]["validation/by_seed"]["differences"]
    for arm, n in (("far", 4), ("near", 5)):
        values = [float(score) - base for score, base in zip(ARMS[arm][:n], BASE[:n], strict=True)]
        # Two arms, and two looks.
        expected = stats.ttest_1samp(values, 0).confidence_interval(1 - 0.05 / 4)
        assert (found[arm]["n"], list(found[arm]["by_seed"])) == (n, [str(seed) for seed in range(n)])
        assert (found[arm]["low"], found[arm]["high"]) == pytest.approx((expected.low, expected.high))
    wider = [stats.t.ppf(1 - 0.05 / 8, n - 1) / stats.t.ppf(1 - 0.05 / 4, n - 1) for n in (4, 5)]
    for name in ("report.md", "report.html"):
        page = (settled / "out" / name).read_text()
        assert f"{wider[0]:.2f} times with 4 seeds, {wider[1]:.2f} times with 5 seeds" in page
        assert "0, 1, 2, 3, 4 in this order: 4 of them, and then one at a time until they are settled" in page


def test_what_is_lost_is_trained_again_by_workers_with_the_same_end(settled: Path, copy: Path, gen: GenCommand) -> None:
    """Two at a time, in processes of their own, where the others were trained one after the other in this one."""
    for trial in ("far/seed-2", *OPEN):
        shutil.rmtree(copy / "trials" / trial)
    done = gen("ablate", settled / "question.toml", "--plugin", settled / "by_seed.py", "--out", "out", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    told = done.stderr
    assert told.count("far, after 4 seeds: worse") == 1
    assert told.index("far, seed 2") < told.index("far, after 4 seeds: worse")
    assert figures(copy) == figures(settled / "out")
    assert weights(copy) == weights(settled / "out")


def test_an_interruption_begins_no_other_round_and_the_same_command_goes_on(
    again: Again, settled: Path, copy: Path
) -> None:
    for trial in ["far/seed-3", *OPEN]:
        shutil.rmtree(copy / "trials" / trial)
    asked: list[list[str]] = []

    def interrupted(
        jobs: Sequence[Job],
        environments: object,
        log: Path,
        on_event: Callable[[JobEvent], None],
        is_over: Callable[[], bool],
    ) -> None:
        """Train the first job, as if Ctrl-C had come during the second one."""
        asked.append([job.name for job in jobs])
        here(jobs[:1], [], log, on_event, is_over)
        for job in jobs[1:2]:
            on_event(JobStarted(job))
            on_event(JobEnded(job, "interrupted", None))

    result = planned(settled, copy).run(1, False, lambda event: None, interrupted)
    assert [len(jobs) for jobs in asked] == [3]
    assert not result.is_complete
    assert any("each arm is judged by its last look" in caution for caution in result.cautions())
    again()
    assert figures(copy) == figures(settled / "out")


def test_called_again_after_more_seeds_it_decides_the_same_and_trains_nothing(
    again: Again, settled: Path, copy: Path
) -> None:
    fixed = again("ablation.stop=fixed", "ablation.max_seeds=false", "ablation.seeds=[0, 1, 2, 3, 4]")
    assert fixed.differences("validation/by_seed")["far"].n == 5
    assert any("looked after 4, 5 seeds, this one after 5" in caution for caution in fixed.cautions())
    trained = Trained()
    result = again(on_event=trained)
    assert trained.ended == []
    assert "far/seed-4" in trials(copy)
    assert not any("was changed" in caution for caution in result.cautions()), "it is what was planned first"
    assert figures(copy) == figures(settled / "out")


def test_the_plan_says_what_may_still_be_trained_and_what_more_seeds_would_show(
    settled: Path, copy: Path, gen: GenCommand
) -> None:
    shutil.rmtree(copy / "trials" / "near" / "seed-4")
    command = ("ablate", settled / "question.toml", "--plugin", settled / "by_seed.py", "--out", "out", "--plan")
    told = gen(*command).stderr
    assert "13 of 15 trials are finished; the others take at most about 0:00:0" in told
    assert "seeds show 0.5; to train them and the baseline's takes 0:00:0" in told
    plan = json.loads(gen(*command, "--json").stdout)
    assert (plan["missing"], plan["looks"], plan["stop"]) == (1, [4, 5], "settled")
    near = plan["power"]["arms"]["near"]
    assert near["n"] == 4
    assert near["deviation"] == pytest.approx(0.4 * (4 / 3) ** 0.5)
    assert near["seeds"][0] < near["seeds"][1]
    assert near["seconds"][1] / near["seconds"][0] == pytest.approx(near["seeds"][1] / near["seeds"][0])


def test_an_arm_whose_trial_fails_waits_and_the_others_go_on(settled: Path, copy: Path) -> None:
    for trial in ["far/seed-1", *OPEN]:
        shutil.rmtree(copy / "trials" / trial)
    asked: list[str] = []

    def failing(
        jobs: Sequence[Job],
        environments: object,
        log: Path,
        on_event: Callable[[JobEvent], None],
        is_over: Callable[[], bool],
    ) -> None:
        """Train all jobs but those of one arm, which fail."""
        asked.extend(job.name for job in jobs)
        here([job for job in jobs if not job.name.startswith("far")], [], log, on_event, is_over)
        for job in [job for job in jobs if job.name.startswith("far")]:
            on_event(JobEnded(job, "failed", "no more memory"))

    result = planned(settled, copy).run(1, False, lambda event: None, failing)
    assert sorted(asked) == ["base, seed 4", "far, seed 1", "near, seed 4"], "each is tried once"
    assert not result.is_complete
    assert list(result.differences("validation/by_seed")) == ["near"]
    assert result.sentences("validation/by_seed")[0].startswith("far is not judged before it and base have")
    assert "not judged yet" in (copy / "report.svg").read_text()
