"""What a component's class and constructor must be like, and what an author who breaks the contract is told."""

import inspect
import json
import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pytest
from annotated_types import Ge, MinLen
from pydantic import ValidationError
from torch import Tensor, nn

from genlab import Dataset, Discriminator, Generator, Listener, Loss, Method, Metric, Network, Pairs, PluginError, Split
from genlab.interfaces.kinds import KINDS
from genlab.registry.contract import argument_help, check_class, nested_kind, read_contract


class Base(Dataset):
    def open(self, split: Split) -> Pairs:
        raise NotImplementedError


class Color(Enum):
    RED = "red"
    GREEN = "green"


class Full(Base):
    """Every type of setting that there is.

    Args:
        root: where pairs are,
            or should be: here.
        levels (int): how many.

        color: one of two.

    Raises:
        ValueError: if something is wrong.
    """

    def __init__(
        self,
        *,
        root: Path,
        levels: Annotated[int, Ge(1)] = 3,
        skips: bool | list[int] = True,
        betas: tuple[float, float] = (0.5, 0.999),
        layers: Sequence[int] = (1, 2),
        names: list[str] = ["a"],  # noqa: B006
        norm: Literal["batch", "none"] = "batch",
        color: Color = Color.RED,
        table: dict[str, float] = {},  # noqa: B006
        limit: float = math.inf,
        threads: int | None = None,
        copy: bool = False,
        model_channels: int = 64,
    ) -> None: ...


def contract(cls: type, kind: str = "dataset", preset: Sequence[str] = ()) -> Any:
    return read_contract(cls, KINDS[kind], preset)


def broken(cls: Any, kind: str = "dataset", preset: Sequence[str] = ()) -> str:
    with pytest.raises(PluginError) as caught:
        read_contract(check_class(cls, KINDS[kind]), KINDS[kind], preset)
    return str(caught.value)


def test_the_constructor_says_the_settings_with_their_defaults() -> None:
    read = contract(Full).settings.model_validate_json('{"root": "a/b"}')
    assert read.model_dump() == {
        "root": Path("a/b"),
        "levels": 3,
        "skips": True,
        "betas": (0.5, 0.999),
        "layers": (1, 2),
        "names": ["a"],
        "norm": "batch",
        "color": Color.RED,
        "table": {},
        "limit": math.inf,
        "threads": None,
        "copy": False,
        "model_channels": 64,
    }


@pytest.mark.parametrize("wrong", [{"levels": True}, {"levels": 0}, {"copy": 1}, {"names": "a"}, {"unknown": 1}])
def test_values_are_held_to_the_types_strictly(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        contract(Full).settings.model_validate_json(json.dumps({"root": "a", **wrong}))


def test_the_docstring_is_the_help() -> None:
    fields = contract(Full).settings.model_fields
    helps = {name: field.description for name, field in fields.items() if field.description}
    assert helps == {"root": "where pairs are, or should be: here.", "levels": "how many.", "color": "one of two."}


def test_a_default_is_not_shared_by_those_that_take_it() -> None:
    model = contract(Full).settings
    model.model_validate_json('{"root": "a"}').names.append("b")
    assert model.model_validate_json('{"root": "a"}').names == ["a"]


def test_what_the_framework_supplies_or_the_registration_fixes_is_no_setting() -> None:
    class Net(Generator):
        def __init__(self, *, in_channels: int, out_channels: int, levels: int = 3, skips: bool = True) -> None: ...

        def forward(self, condition: Tensor) -> Tensor:
            return condition

    assert list(contract(Net, "generator").settings.model_fields) == ["levels", "skips"]
    assert list(contract(Net, "generator", ["skips"]).settings.model_fields) == ["levels"]


def test_a_class_without_a_constructor_has_no_settings() -> None:
    assert list(contract(Base).settings.model_fields) == []
    assert list(contract(check_class(type("Quiet", (Listener,), {}), KINDS["listener"]), "listener")[1]) == []


def test_a_dataclass_will_do() -> None:
    @dataclass
    class Data(Base):
        """Pairs.

        Args:
            count: how many.
        """

        count: int = 3

    (field,) = contract(Data).settings.model_fields.values()
    assert (field.default, field.description) == (3, "how many.")


def test_a_constructor_may_be_inherited() -> None:
    class Child(Full):
        """Without arguments of its own."""

    assert "levels" in contract(Child).settings.model_fields


class Wrapped(Base):
    def __init__(
        self,
        *,
        inner: Dataset,
        sources: list[Dataset],
        more: list[Dataset] = [],  # noqa: B006
        spare: Dataset | None = None,
        metric: Metric | None = None,
    ) -> None: ...


def test_settings_that_are_components_are_tables() -> None:
    read = contract(Wrapped)
    assert read.nested == {
        "inner": "dataset",
        "sources": "dataset",
        "more": "dataset",
        "spare": "dataset",
        "metric": "metric",
    }
    given = read.settings.model_validate_json('{"inner": {"name": "a"}, "sources": [{}], "more": []}')
    assert (given.inner, given.sources, given.more, given.spare) == ({"name": "a"}, [{}], [], None)
    with pytest.raises(ValidationError, match="at least 1 item"):
        read.settings.model_validate_json('{"inner": {}, "sources": []}')


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (Dataset, "dataset"),
        (list[Loss], "loss"),
        (list[Metric] | None, "metric"),
        (Base, None),
        (int, None),
        (list[int], None),
        (Dataset | int, None),
        ("Dataset", None),
    ],
)
def test_only_an_interface_nests(annotation: Any, kind: str | None) -> None:
    assert nested_kind(annotation) == kind


# Classes that break the contract, and what is said of each.


class NoDataset:
    pass


class Unfinished(Generator):
    @abstractmethod
    def encode(self) -> None: ...


class NoBetter(Metric):
    def update(self, condition: Tensor, target: Tensor, prediction: Tensor) -> None: ...

    def compute(self) -> float:
        return 0.0

    def reset(self) -> None: ...

    def merge(self, other: Self) -> None: ...


@pytest.mark.parametrize(
    ("cls", "kind", "what"),
    [
        (NoDataset, "dataset", "NoDataset does not derive from genlab.Dataset"),
        (Base, "metric", "Base does not derive from genlab.Metric"),
        (Network, "generator", "Network does not derive from genlab.Generator"),
        (Dataset, "loss", "Dataset does not derive from genlab.Loss or genlab.AdversarialLoss or genlab.Objective"),
        (Dataset, "optimizer", "Dataset does not derive from torch.optim.Optimizer"),
        (lambda: 1, "dataset", "<lambda> does not derive from genlab.Dataset"),
        (Base(), "dataset", "does not derive from genlab.Dataset"),
        (Unfinished, "generator", "Unfinished lacks `encode`, `forward`"),
        (
            type("Old", (NoBetter,), {"better": "lower"}),
            "metric",
            "its `better` is called `higher_is_better` now, and 'lower' is False",
        ),
        (type("Old", (NoBetter,), {"figures": ("a",)}), "metric", "its `figures` is called `scores` now"),
        (
            type("Old", (NoBetter,), {"of_targets": {"a": "b"}}),
            "metric",
            "its `of_targets` is called `target_scores` now",
        ),
        (
            type("Old", (Discriminator,), {"least_size": 4}),
            "discriminator",
            "its `least_size` is called `min_size` now",
        ),
        (NoBetter, "metric", "NoBetter lacks `higher_is_better`"),
        (Method, "method", "Method lacks `forward`, `phases`, `predict`"),
    ],
)
def test_a_class_is_a_whole_component_of_its_kind(cls: Any, kind: str, what: str) -> None:
    assert broken(cls, kind).endswith(what)


def test_old_names_are_all_told_at_once_with_their_class_s_line() -> None:
    class Old(NoBetter):
        better = "higher"
        figures = ("mean",)

    line = inspect.getsourcelines(Old)[1]
    names = "its `better` is called `higher_is_better` now, and 'higher' is True; its `figures` is called `scores` now"
    assert broken(Old, "metric").endswith(f"{names} (test_contract.py, line {line})")


def test_an_old_name_beside_the_new_one_is_the_class_s_own() -> None:
    class Own(NoBetter):
        higher_is_better = True
        scores = ("mean",)
        figures = ("drawn",)

    assert check_class(Own, KINDS["metric"]) is Own


def test_a_method_that_is_called_as_an_attribute_once_was_is_the_class_s_own() -> None:
    class Drawing(NoBetter):
        higher_is_better = True

        def figures(self) -> None: ...

    assert check_class(Drawing, KINDS["metric"]) is Drawing


class Image(Generator):
    def forward(self, condition: Tensor) -> Tensor:
        return condition


class OneWay(Image):
    def __init__(self, *, in_channels: int) -> None: ...


class Weighty(Loss):
    def __init__(self, *, weight: float = 1.0) -> None: ...

    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> Tensor:
        return target


@pytest.mark.parametrize(
    ("cls", "kind", "what"),
    [
        (OneWay, "generator", "its constructor does not take `out_channels`, which the framework supplies"),
        (Image, "generator", "its constructor does not take `in_channels`, which the framework supplies"),
        (Weighty, "loss", "its setting `weight` collides with the framework's reserved key"),
    ],
)
def test_the_framework_can_construct_it(cls: type, kind: str, what: str) -> None:
    assert broken(cls, kind) == what


def taking(constructor: Callable[..., None]) -> type:
    return type("Taking", (Base,), {"__init__": constructor})


def named(self: Any, *, name: str = "x") -> None: ...
def keywords(self: Any, **options: int) -> None: ...
def positions(self: Any, *sizes: int) -> None: ...
def positional(self: Any, size: int = 1, /) -> None: ...
def untyped(self: Any, *, size=1) -> None: ...  # pyright: ignore
def hidden(self: Any, *, _size: int = 1) -> None: ...
def unimported(self: Any, *, size: "OrderedDict | None" = None) -> None: ...  # noqa: F821  # pyright: ignore
def strange(self: Any, *, size: int = 1, net: nn.Module | None = None) -> None: ...
def callable_default(self: Any, *, activation: Callable[..., Any] = print) -> None: ...
def wrong_default(self: Any, *, size: int = "large") -> None: ...  # pyright: ignore
def none_default(self: Any, *, size: int = None) -> None: ...  # noqa: RUF013  # pyright: ignore
def low_default(self: Any, *, size: Annotated[int, Ge(1)] = 0) -> None: ...
def nested_generator(self: Any, *, teacher: Generator) -> None: ...
def nested_default(self: Any, *, inner: Dataset = None) -> None: ...  # pyright: ignore


@pytest.mark.parametrize(
    ("constructor", "what"),
    [
        (named, "its setting `name` collides with the framework's reserved key"),
        (keywords, "its constructor takes `**options`; settings must be named one by one"),
        (positions, "its constructor takes `*sizes`; settings must be named one by one"),
        (positional, "its setting `size` cannot be given by name"),
        (untyped, "its setting `size` has no type"),
        (hidden, "its setting `_size` begins with an underscore"),
        (
            unimported,
            "the types of its constructor cannot be read: name 'OrderedDict' is not defined;"
            " import them in the module, not only for type checkers",
        ),
        (strange, "its setting `net` is of a type that a recipe cannot give"),
        (callable_default, "the default of its setting `activation` cannot be written in a recipe"),
        (wrong_default, 'the default of its setting `size`, "large", does not fit its type'),
        (none_default, "the default of its setting `size`, None, does not fit its type"),
        (low_default, "the default of its setting `size`, 0, does not fit its type"),
        (nested_generator, "its setting `teacher` asks for a generator, which only the framework can construct"),
        (nested_default, "the default of its setting `inner`, None, does not fit its type"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_settings_are_named_typed_and_such_as_a_recipe_can_give(constructor: Callable[..., None], what: str) -> None:
    assert broken(taking(constructor)) == what


@pytest.mark.parametrize(
    ("preset", "what"),
    [
        ("size", "it is registered with `size` fixed, which its constructor does not take"),
        ("in_channels", "it is registered with `in_channels` fixed, which the framework supplies"),
    ],
)
def test_what_a_registration_fixes_must_be_a_setting(preset: str, what: str) -> None:
    class Net(Image):
        def __init__(self, *, in_channels: int, out_channels: int) -> None: ...

    assert broken(Net, "generator", [preset]) == what


def test_help_is_read_from_class_and_constructor_at_any_indentation() -> None:
    class Documented:
        """One.

        Args:
          a: two
            lines.
          b: another: one.

        Returns:
          c: no argument.
        """

        def __init__(self) -> None:
            """Make it.

            Args:
                d: of the constructor.
            """

    assert argument_help(Documented) == {"a": "two lines.", "b": "another: one.", "d": "of the constructor."}
    assert argument_help(type("Bare", (), {})) == {}


@pytest.mark.parametrize("form", [Annotated[list[Dataset], MinLen(2)], tuple[Dataset, ...], dict[str, Dataset]])
def test_components_nest_in_lists_or_alone(form: Any) -> None:
    def nesting(self: Any, *, sources: Any) -> None: ...

    nesting.__annotations__["sources"] = form
    assert broken(taking(nesting)) == "its setting `sources` is of a type that a recipe cannot give"
