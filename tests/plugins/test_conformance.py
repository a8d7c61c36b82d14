"""No component of the plugins that come with genlab is without its conformance suite."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from genlab.interfaces.loss import AdversarialLoss
from genlab.registry.components import Component
from genlab.registry.discovery.find import find_plugins
from genlab.testing import AdversarialLossSuite, Suite
from genlab.testing.check import SUITES

HERE = Path(__file__).parent


def first_party() -> list[Component]:
    found = (plugin for plugin in find_plugins() if plugin.package == "genlab")
    return [Component(entry, plugin, entry.name) for plugin in found for entry in plugin.registrations]


def suites() -> Iterator[type[Suite]]:
    """The suites in the plugins' tests."""
    for file in sorted(HERE.glob("*/test_conformance.py")):
        module = import_module(f"tests.plugins.{file.parent.name}.test_conformance")
        yield from (each for each in vars(module).values() if isinstance(each, type) and hasattr(each, "component"))


def is_tested_by(component: Component, suite: type[Suite]) -> bool:
    """Whether a suite is of the component's kind, and has the settings that its registration fixes."""
    kind = AdversarialLossSuite if issubclass(component.cls, AdversarialLoss) else SUITES[component.kind.name]
    fixed = component.registration.preset.items() <= dict(suite.settings).items()
    return issubclass(suite, kind) and suite.component is component.cls and fixed


@pytest.mark.parametrize("component", first_party(), ids=str)
def test_each_component_has_a_suite(component: Component) -> None:
    assert any(is_tested_by(component, suite) for suite in suites())


def test_a_component_without_one_is_found() -> None:
    (plain,) = (component for component in first_party() if component.name == "unet")
    (fixed,) = (component for component in first_party() if component.name == "encoder_decoder")
    of_networks = [suite for suite in suites() if suite.component is plain.cls]
    without_skips = [suite for suite in of_networks if suite.settings.get("skips") is False]
    others = [suite for suite in of_networks if suite not in without_skips]
    assert [any(is_tested_by(fixed, suite) for suite in group) for group in (without_skips, others, [])] == [
        True,
        False,
        False,
    ]
