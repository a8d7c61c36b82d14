"""Suites run without pytest: on which component, and what is told of each test."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Annotated, Any
from unittest import SkipTest

import pytest
from annotated_types import Ge
from tests.core.testing.test_dataset_suite import Small
from tests.core.testing.test_objective_suite import Penalty

import genlab.testing
from genlab import Choice, Dataset, Loss, Pairs, PluginError, RecipeError, Registry, Split
from genlab.interfaces.kinds import KINDS
from genlab.registry.components import Component, ComponentConfig, Components
from genlab.registry.discovery.find import find_plugins
from genlab.registry.discovery.plugin import Plugin
from genlab.testing import (
    AdversarialLossSuite,
    AugmentationSuite,
    DatasetSuite,
    DiscriminatorSuite,
    GeneratorSuite,
    ListenerSuite,
    LossSuite,
    MethodSuite,
    MetricSuite,
    ObjectiveSuite,
    Recorder,
    Suite,
    ToyAdversarialLoss,
    ToyDiscriminator,
    ToyGenerator,
    ToyLoss,
    ToyMethod,
    ToyMetric,
)
from genlab.testing.check import SUITES, Result, run_suite, run_suites, run_test, suite_of
from genlab.testing.suite import require
from genlab_augment.flip import Flip


class Behind(Dataset):
    """Pairs of another dataset, but for the first few.

    Args:
        source: where they come from.
        skipped: how many are left out.
    """

    def __init__(self, *, source: Dataset, skipped: Annotated[int, Ge(0)] = 0) -> None:
        if skipped > 4:
            raise ValueError(f"`skipped` is {skipped}, and so many are not there")
        self.source = source
        self.skipped = skipped

    def open(self, split: Split) -> Pairs:
        pairs = self.source.open(split)
        pairs.count -= self.skipped
        return pairs

    def choose(self) -> Choice:
        return Choice(self)


class Unfinished(Loss):
    """Has no forward pass yet."""


@pytest.fixture
def components() -> Components:
    registry = Registry()
    registry.generator("toy", ToyGenerator)
    registry.generator("slim", ToyGenerator, channels=2)
    registry.discriminator("toy", ToyDiscriminator)
    registry.loss("toy", ToyLoss)
    registry.loss("game", ToyAdversarialLoss)
    registry.loss("penalty", Penalty)
    registry.loss("unfinished", Unfinished)
    registry.dataset("toy", Small)
    registry.dataset("behind", Behind)
    registry.augmentation("toy", Flip)
    registry.metric("toy", ToyMetric)
    registry.method("toy", ToyMethod)
    registry.listener("toy", Recorder)
    return Components([Plugin("mine", "genlab-mine", "1.0", registrations=registry.registrations)])


def spec_of(components: Components, kind: str, **table: Any) -> ComponentConfig:
    spec, faults = components.configure(kind, table, ())
    assert spec is not None, faults
    return spec


def suite_for(components: Components, kind: str, **table: Any) -> type[Suite]:
    spec = spec_of(components, kind, **table)
    return suite_of(spec.component, spec)


# Which suite


@pytest.mark.parametrize(
    ("kind", "name", "suite"),
    [
        ("generator", "toy", GeneratorSuite),
        ("discriminator", "toy", DiscriminatorSuite),
        ("loss", "toy", LossSuite),
        ("loss", "game", AdversarialLossSuite),
        ("loss", "penalty", ObjectiveSuite),
        ("dataset", "toy", DatasetSuite),
        ("augmentation", "toy", AugmentationSuite),
        ("metric", "toy", MetricSuite),
        ("method", "toy", MethodSuite),
        ("listener", "toy", ListenerSuite),
    ],
)
def test_each_kind_has_its_suite(components: Components, kind: str, name: str, suite: type[Suite]) -> None:
    made = suite_for(components, kind, name=name)
    assert issubclass(made, suite)
    assert made.component is components.get(kind, name).cls


def test_there_is_a_suite_for_every_kind() -> None:
    assert sorted(SUITES) == sorted(KINDS), "derive a class from Suite in genlab/testing, and list it in SUITES"
    assert {suite.__name__ for suite in SUITES.values()} <= set(genlab.testing.__all__)


def test_what_the_registration_fixes_and_what_a_recipe_says_is_given(components: Components) -> None:
    supplied = {"in_channels": 3, "out_channels": 3}
    assert suite_for(components, "generator", name="slim")().build(**supplied).inner.out_channels == 2
    assert suite_for(components, "generator", name="toy", channels=6)().build(**supplied).inner.out_channels == 6


def test_components_among_the_settings_are_constructed(components: Components) -> None:
    suite = suite_for(components, "dataset", name="behind", source={"name": "toy"}, skipped=2)
    assert [len(suite().build().open(split)) for split in ("train", "validation")] == [3, 3]
    assert {result.outcome for result in run_suite(suite)} == {"passed"}


# How a test ends


class Odd(Suite):
    """Ends in every way that a test can."""

    kind = "loss"
    component = ToyLoss

    def test_passes(self) -> None:
        """It holds.

        And this is not said.
        """
        print("what nobody wants to read")  # noqa: T201
        print("nor this", file=sys.stderr)  # noqa: T201

    def test_fails(self) -> None:
        require(False, "it does not hold")

    def test_is_skipped(self) -> None:
        raise SkipTest("it cannot be told here")

    def test_raises(self) -> None:
        raise ValueError("no such thing")

    def test_asserts(self) -> None:
        assert self.kind == "metric"

    def test_ends_the_process(self) -> None:
        sys.exit("enough")


def line_of(test: Any, text: str) -> int:
    lines, first = inspect.getsourcelines(test)
    return first + next(number for number, line in enumerate(lines) if text in line)


def test_each_way_to_end_is_told() -> None:
    found = {result.test: result for result in run_suite(Odd)}
    assert found["test_passes"] == Result("test_passes", "It holds.", "passed")
    assert found["test_fails"] == Result("test_fails", "", "failed", "it does not hold")
    assert found["test_is_skipped"] == Result("test_is_skipped", "", "skipped", "it cannot be told here")


def test_what_is_raised_is_told_with_its_place() -> None:
    raised = run_test(Odd, "test_raises").why
    assert raised == f"ValueError: no such thing (test_check.py, line {line_of(Odd.test_raises, 'raise ')})"
    asserted = run_test(Odd, "test_asserts").why
    assert asserted.startswith("AssertionError")
    assert asserted.endswith(f"(test_check.py, line {line_of(Odd.test_asserts, 'assert ')})")
    ended = run_test(Odd, "test_ends_the_process")
    assert (ended.outcome, ended.why.partition(" (")[0]) == ("failed", "SystemExit: enough")


def test_what_a_test_prints_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    list(run_suite(Odd))
    assert capsys.readouterr() == ("", "")


def test_a_person_can_stop_it() -> None:
    class Stopped(Odd):
        def test_is_interrupted(self) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_suite(Stopped))


def test_tests_that_all_components_have_come_first_and_each_is_run_when_it_is_asked_for() -> None:
    results = run_suite(Odd)
    assert [next(results).test for _ in range(3)] == [
        "test_a_recipe_can_name_it",
        "test_settings_have_help",
        "test_passes",
    ]


def test_each_test_has_a_suite_of_its_own() -> None:
    class Spoiled(Odd):
        def test_passes(self) -> None:
            self.component = None

    assert [run_test(Spoiled, name).outcome for name in ("test_passes", "test_settings_have_help")] == ["passed"] * 2


# Components by name


def checked(components: Components, kind: str, name: str, **settings: Any) -> dict[str, list[Result]]:
    found: list[Component] = [each for each in components.called(name, kind) if each.kind.name == kind]
    return {str(each.component): list(each.results) for each in run_suites(components, found, settings)}


def test_components_are_checked_by_name(components: Components) -> None:
    (results,) = checked(components, "loss", "toy").values()
    assert [result.test for result in results][:2] == ["test_a_recipe_can_name_it", "test_settings_have_help"]
    assert {result.outcome for result in results} == {"passed"}


def test_settings_that_are_wanting_are_told_with_how_to_give_them(components: Components) -> None:
    with pytest.raises(RecipeError) as caught:
        checked(components, "dataset", "behind")
    assert 'dataset "behind" needs `source`' in str(caught.value)
    assert str(caught.value).endswith("\nSet it with --set KEY=VALUE.")


def test_a_setting_of_another_name_is_told_with_the_nearest(components: Components) -> None:
    with pytest.raises(RecipeError) as caught:
        checked(components, "generator", "toy", channel=3)
    assert "channels" in str(caught.value)
    assert "Set it with --set KEY=VALUE." in str(caught.value)


def test_a_class_that_is_no_component_is_told_as_a_fault_of_its_plugin(components: Components) -> None:
    with pytest.raises(
        PluginError, match=r'loss "unfinished" of genlab-mine 1\.0 breaks the contract: Unfinished lacks'
    ):
        checked(components, "loss", "unfinished")


def test_among_several_one_that_breaks_its_contract_is_a_result(components: Components) -> None:
    found = [components.get("loss", name) for name in ("unfinished", "toy")]
    broken, sound = (list(each.results) for each in run_suites(components, found, {}))
    (result,) = broken
    assert result.outcome == "failed"
    assert "Unfinished lacks `forward`" in result.why
    assert len(sound) > 1


def test_settings_that_a_constructor_refuses_fail_the_tests_that_need_it(components: Components) -> None:
    (results,) = checked(components, "dataset", "behind", source={"name": "toy"}, skipped=5).values()
    assert {result.outcome for result in results[:2]} == {"passed"}
    (why,) = {result.why for result in results[2:]}
    assert "`skipped` is 5, and so many are not there" in why


def test_what_is_wrong_in_a_plugins_file_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text('''\
import genlab

class Picky(genlab.Loss):
    """Refuses all."""

    def forward(self, condition, target, prediction):
        raise NotImplementedError("not yet")

@genlab.hookimpl
def genlab_register(registry):
    registry.loss("picky", Picky)
''')
    (results,) = checked(Components(find_plugins([file])), "loss", "picky").values()
    told = {result.test: result.why for result in results}
    assert told["test_it_is_a_mean"] == "NotImplementedError: not yet (mine.py, line 7)"
