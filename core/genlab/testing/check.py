"""Conformance tests run without pytest, for `gen plugins check`."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Literal, NamedTuple, cast
from unittest import SkipTest

from genlab.config.overrides import read_assignments
from genlab.errors import Fault, PluginError, RecipeError
from genlab.interfaces.loss import AdversarialLoss, Objective
from genlab.registry.components import Component, ComponentConfig, Components, ComponentTable
from genlab.registry.discovery.blame import failure_in_plugin
from genlab.registry.discovery.find import find_plugins
from genlab.testing.adversarial_loss import AdversarialLossSuite
from genlab.testing.augmentation import AugmentationSuite
from genlab.testing.dataset import DatasetSuite
from genlab.testing.discriminator import DiscriminatorSuite
from genlab.testing.generator import GeneratorSuite
from genlab.testing.listener import ListenerSuite
from genlab.testing.loss import LossSuite
from genlab.testing.method import MethodSuite
from genlab.testing.metric import MetricSuite
from genlab.testing.network import NetworkSuite
from genlab.testing.objective import ObjectiveSuite
from genlab.testing.optimizer import OptimizerSuite
from genlab.testing.schedule import ScheduleSuite
from genlab.testing.suite import ConformanceError, Suite, tests_of
from genlab.util.arguments import as_path, checked_arguments
from genlab.util.exceptions import summarize_with_location

SUITES: dict[str, type[Suite]] = {
    suite.kind: suite
    for suite in (
        GeneratorSuite,
        DiscriminatorSuite,
        NetworkSuite,
        LossSuite,
        DatasetSuite,
        AugmentationSuite,
        MetricSuite,
        MethodSuite,
        OptimizerSuite,
        ScheduleSuite,
        ListenerSuite,
    )
}


OTHER_SUITES: dict[type, type[Suite]] = {AdversarialLoss: AdversarialLossSuite, Objective: ObjectiveSuite}
"""Suites of further interfaces of a kind."""


class Result(NamedTuple):
    """Outcome of one test of a suite.

    Args:
        test: its name.
        says: one sentence on what it tests.
        outcome: how it ended.
        why: reason of the failure, or of the skip.
    """

    test: str
    says: str
    outcome: Literal["passed", "failed", "skipped"]
    why: str = ""


def suite_class(component: Component) -> type[Suite]:
    """The suite of a component's interface, of which a kind may have several."""
    others = (suite for interface, suite in OTHER_SUITES.items() if issubclass(component.cls, interface))
    return next(others, SUITES[component.kind.name])


def suite_of(component: Component, config: ComponentConfig) -> type[Suite]:
    """The suite of a component with the settings of a config.

    Raises:
        PluginError: it breaks the contract in a way that prevents testing.
    """
    cls, base = component.cls, suite_class(component)

    def build(_: Suite, **supplied: Any) -> Any:
        return config.build(**supplied)

    return cast(type[Suite], type(f"Test{cls.__name__}", (base,), {"component": cls, "build": build}))


def run_suite(suite: type[Suite]) -> Iterator[Result]:
    """Run the tests of a suite lazily, one after the other."""
    return (run_test(suite, name) for name in tests_of(suite))


def run_test(suite: type[Suite], name: str) -> Result:
    """Run one test on a new instance of its suite; its output is discarded."""
    test, made = tests_of(suite)[name], suite()
    says = inspect.cleandoc(test.__doc__ or "").partition("\n")[0]
    made.setup_method()
    try:
        with TemporaryFile("w+") as dropped, redirect_stdout(dropped), redirect_stderr(dropped):
            test(made)
    except SkipTest as error:
        return Result(name, says, "skipped", str(error))
    except ConformanceError as error:
        return Result(name, says, "failed", str(error))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  (the code under test may raise anything)
        failure = failure_in_plugin(error)
        return Result(name, says, "failed", failure.what if failure else summarize_with_location(error))
    finally:
        made.teardown_method()
    return Result(name, says, "passed")


class CheckedComponent(NamedTuple):
    """A component and the results of its suite, which is run lazily."""

    component: Component
    results: Iterator[Result]


@checked_arguments
def check_components(
    name: str | None = None,
    kind: str | None = None,
    *,
    settings: Iterable[str] = (),
    plugins: Iterable[str | Path] = (),
) -> Iterator[CheckedComponent]:
    """Run the conformance suites of components by name.

    Args:
        name: a component's name, `package:name`, or a package's; without one, all components in the files of
            `plugins`.
        kind: the kind, where components of several have that name.
        settings: `KEY=VALUE` texts, for the component.
        plugins: Python files with plugins.

    Raises:
        RecipeError: the settings are not those of the component, if there is one alone.
        PluginError: there is nothing to check, or it breaks its contract so far that its suite cannot be run; among
            several, that is a result.
    """
    files = [as_path(file) for file in plugins]
    if name is None and not files:
        hint = "Give a NAME from `gen plugins list`, or a file with --plugin FILE."
        raise PluginError("nothing to check", hint=hint)
    components = Components(find_plugins(files))
    names = [name] if name else list(dict.fromkeys(file.name for file in files))
    found = [component for each in names for component in components.called(each, kind)]
    return run_suites(components, found, dict(read_assignments(settings).values))


def run_suites(
    components: Components, found: Sequence[Component], settings: ComponentTable
) -> Iterator[CheckedComponent]:
    """Run the suites of these components.

    Args:
        components: all that there are.
        found: those to check.
        settings: their settings.

    Raises:
        RecipeError: the settings are not those of the component, if there is one alone.
        PluginError: it breaks its contract so far that its suite cannot be run; among several, that is a result.
    """
    for component in found:
        try:
            config, faults = components.settled(component, settings)
            error = None if config else RecipeError([_with_advice(fault) for fault in faults])
        except PluginError as broken:
            config, error = None, broken
        if config:
            yield CheckedComponent(component, run_suite(suite_of(component, config)))
        elif error and len(found) == 1:
            raise error
        else:
            yield CheckedComponent(component, iter([Result("test_a_recipe_can_name_it", "", "failed", str(error))]))


def _with_advice(fault: Fault) -> Fault:
    advice = "Set it with --set KEY=VALUE."
    return replace(fault, hint=f"{fault.hint}\n{advice}" if fault.hint else advice)
