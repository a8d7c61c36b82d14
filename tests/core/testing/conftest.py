"""How the suites are tested: components with a mistake planted in them, and the test that must find it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from genlab.testing.check import Result, run_suite, run_test
from genlab.testing.probing import without_shape_checks
from genlab.testing.suite import Suite, tests_of


class Planted(NamedTuple):
    """A mistake that a plugin's author may make.

    Args:
        component: a class that makes it.
        test: the test of the suite that must find it.
        says: a part of what is said of it.
        attributes: the suite's class attributes, where they matter.
    """

    component: Any
    test: str
    says: str
    attributes: Mapping[str, Any] = {}

    def __str__(self) -> str:
        return f"{self.component.__name__}-{self.test.removeprefix('test_')}"


def suite_on(suite: type[Suite], component: Any, **attributes: Any) -> type[Suite]:
    """A suite for a component, as an author's test file has it."""
    return type(f"Test{component.__name__}", (suite,), {"component": component, **attributes})


def results(suite: type[Suite], component: Any, **attributes: Any) -> dict[str, Result]:
    """How each test of a suite ends on a component."""
    return {result.test: result for result in run_suite(suite_on(suite, component, **attributes))}


def failures(suite: type[Suite], component: Any, **attributes: Any) -> dict[str, str]:
    """The tests that fail on a component, and why."""
    found = results(suite, component, **attributes).values()
    return {result.test: result.why for result in found if result.outcome == "failed"}


def require_found(suite: type[Suite], planted: Planted) -> None:
    """Fail unless the test that must find a mistake does, and says so."""
    result = run_test(suite_on(suite, planted.component, **planted.attributes), planted.test)
    assert result.outcome == "failed", result
    assert planted.says in result.why


def unproven(suite: type[Suite], planted: list[Planted]) -> set[str]:
    """The tests of a suite that find none of the mistakes."""
    return set(tests_of(suite)) - {each.test for each in planted}


@pytest.fixture(autouse=True)
def no_other_checks() -> Iterator[None]:
    """The suites find mistakes where a stranger runs them: without the checks of shapes that these tests have."""
    with without_shape_checks():
        yield
