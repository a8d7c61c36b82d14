"""No component of the plugins that come with genlab is without its conformance suite."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path

import pytest

from genlab.registry.components import Component
from genlab.registry.discovery.find import find_plugins
from genlab.registry.hooks import GROUP
from genlab.testing import Suite
from genlab.testing.check import suite_class

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


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
    fixed = component.registration.preset.items() <= dict(suite.settings).items()
    return issubclass(suite, suite_class(component)) and suite.component is component.cls and fixed


@pytest.mark.parametrize("component", first_party(), ids=str)
def test_each_component_has_a_suite(component: Component) -> None:
    package, fixed = component.cls.__module__.partition(".")[0], dict(component.registration.preset)
    suite = suite_class(component).__name__
    assert any(is_tested_by(component, each) for each in suites()), (
        f"add to tests/plugins/{package}/test_conformance.py a class that derives from {suite} of "
        f"genlab.testing, with `component = {component.cls.__name__}`{f' and `settings = {fixed}`' if fixed else ''}"
    )


def test_each_package_is_declared() -> None:
    """A package that is no entry point is no plugin, and import-linter reads those alone that it is given."""
    packages = sorted(path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = sorted(project["project"]["entry-points"]["genlab"].values())
    assert declared == packages, "list the packages of `plugins` in pyproject.toml, [project.entry-points.genlab]"
    checked = project["tool"]["importlinter"]["root_packages"]
    assert sorted(checked) == ["genlab", *packages], "list them in pyproject.toml, [tool.importlinter], root_packages"
    installed = sorted(entry.value for entry in distribution("genlab").entry_points if entry.group == GROUP)
    assert installed == packages, "run `pip install -e .` again: entry points are read when a package is installed"


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
