"""Base class of all conformance suites: the component under test, and its construction."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import torch

from genlab.engine.seeding import seeded_construction
from genlab.interfaces.kinds import KINDS
from genlab.registry.contract import check_class, read_contract


class ConformanceError(AssertionError):
    """A violated requirement; any other exception in a test comes from the component's code."""


def require(condition: object, what: str) -> None:
    """Fail the calling test with a message unless a condition holds."""
    if not condition:
        raise ConformanceError(what)


@contextmanager
def drawing(seed: int) -> Generator[None, None, None]:
    """Context with fixed random numbers; the caller's RNG state is restored afterwards."""
    with seeded_construction(seed, "test"):
        yield


class Suite:
    """Requirements of a component of any kind.

    A subclass names the class in `component`, and in `settings` what a recipe would say of it, if the defaults do not
    do. Whatever else a suite needs to know it has as class attributes, which a subclass may set otherwise.
    """

    kind: ClassVar[str]
    component: ClassVar[Any]
    settings: ClassVar[Mapping[str, Any]] = {}

    def setup_method(self) -> None:
        """Before each test, under pytest as without: small networks are many times faster in one thread."""
        self.threads = torch.get_num_threads()
        torch.set_num_threads(1)

    def teardown_method(self) -> None:
        """After each test."""
        torch.set_num_threads(self.threads)

    def build(self, **supplied: Any) -> Any:
        """One of the component, with its settings and what the framework supplies."""
        return type(self).component(**supplied, **self.settings)

    def construct(self, seed: int = 0, **supplied: Any) -> Any:
        """One as a run has it: what its constructor draws is a function of the seed."""
        with seeded_construction(seed, self.kind):
            return self.build(**supplied)

    def test_a_recipe_can_name_it(self) -> None:
        """It has all that its interface asks for, and its constructor says which settings there are."""
        cls = check_class(self.component, KINDS[self.kind])
        contract = read_contract(cls, KINDS[self.kind], ())
        given = {name: value for name, value in self.settings.items() if name not in contract.nested}
        unknown = sorted(given.keys() - contract.settings.model_fields.keys())
        require(not unknown, f"the suite gives it a setting `{unknown and unknown[0]}`, which it does not take")

    def test_settings_have_help(self) -> None:
        """Its docstring says what it is, and under `Args:` what each setting is."""
        cls = self.component
        require(cls.__doc__ and inspect.getdoc(cls), f"{cls.__name__} has no docstring")
        fields = read_contract(cls, KINDS[self.kind], ()).settings.model_fields
        silent = [name for name, field in fields.items() if not field.description]
        require(not silent, f"the docstring says nothing of {', '.join(f'`{name}`' for name in silent)} under `Args:`")


def require_fingerprint(one: Any, other: Any) -> None:
    """Require that what a component loads has a hash, or none: the same for another one of the same settings."""
    fingerprint: object = one.fingerprint()
    is_text = fingerprint is None or isinstance(fingerprint, str)
    require(is_text, f"its fingerprint is {fingerprint!r:.60}; expected text or None")
    require(other.fingerprint() == fingerprint, "its fingerprint differs each time")


def tests_of(suite: type[Suite]) -> dict[str, Callable[[Suite], None]]:
    """A suite's tests by name, those that all components have first."""
    classes = [cls for cls in reversed(suite.__mro__) if issubclass(cls, Suite)]
    names = dict.fromkeys(name for cls in classes for name in vars(cls) if name.startswith("test_"))
    return {name: getattr(suite, name) for name in names}
