"""Wrong arguments of the public functions, each of which is named before anything is done."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

import genlab
from genlab import ArgumentError, RecipeError, Run
from genlab.util.arguments import checked_arguments

FOR_PLUGINS = {
    "as_scored",
    "common_type",
    "contact_sheet",
    "discriminator_phases",
    "discriminator_terms",
    "eager_optimizer",
    "generator_terms",
    "needs_discriminator",
    "objective_side",
    "read_header",
    "read_headers",
    "read_image",
}
"""Functions that plugins call for each image or step, with what genlab gave them."""

WRONG: dict[str, tuple[object, ...]] = {
    "Callable": (None, "print"),
    "CheckpointChoice": (None, True, 2.5, "newest"),
    "ExportFormat": (None, "jpeg", 1),
    "Iterable[RunStatus]": (None, "paused", ["done"], [3]),
    "Iterable[str]": (None, "text", 3, {"a": 1}, [3], [None]),
    "Iterable[str | Path]": (None, "text", Path("file"), 3, [3], ["\ud800"]),
    "Path": (None, "text", 3),
    "PredictedSplit": (None, "train", 1),
    "PredictionSize": (None, True, 3.5, "large", (64, 64, 64), (64, True)),
    "Run": (None, "runs/one"),
    "SideName | None": ("c", 1),
    "Split | None": ("half", 1),
    "bool": (None, 1, "yes"),
    "float | None": ("1", True),
    "int": (None, True, 3.5, "3"),
    "int | None": (True, 3.5, "3"),
    "str": (None, 5, b"text", "\ud800", "\0"),
    "str | None": (5, ["text"], "\ud800"),
    "str | Path": (None, 5, True, ["text"], "\ud800", "a\0b", Path("\ud800")),
    "str | Path | None": (5, True, "\ud800"),
}
"""Values that are wrong where the annotation is this, or a `Callable`."""

RIGHT: dict[str, object] = {
    "str | Path": "nowhere",
    "str": "text",
    "int": 2,
    "Iterable[str | Path]": [],
    "Run": Run.__new__(Run),
}
"""Values for the other arguments that are required."""


def public_functions() -> dict[str, Callable[..., object]]:
    names = (name for name in genlab.__all__ if name not in FOR_PLUGINS)
    return {name: value for name in names if inspect.isfunction(value := getattr(genlab, name))}


def wrong_values(parameter: inspect.Parameter) -> tuple[object, ...]:
    return WRONG["Callable" if parameter.annotation.startswith("Callable[") else parameter.annotation]


@pytest.mark.parametrize("name", public_functions())
def test_a_wrong_argument_is_named_with_its_value(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    parameters = inspect.signature(getattr(genlab, name)).parameters
    required = {key: RIGHT.get(it.annotation) for key, it in parameters.items() if it.default is it.empty}
    for argument, parameter in parameters.items():
        for value in wrong_values(parameter):
            with pytest.raises(ArgumentError) as caught:
                getattr(genlab, name)(**(required | {argument: value}))
            where = str(caught.value.where)
            assert where in (argument, f"{argument}[0]")
            given = value[0] if where.endswith("]") and isinstance(value, list) else value
            assert repr(given) in caught.value.what or repr(str(given)) in caught.value.what
    assert not list(tmp_path.iterdir())


def test_an_error_says_what_is_valid() -> None:
    with pytest.raises(ArgumentError, match=r"^recipe: expected str or pathlib\.Path, got None$"):
        genlab.train(None)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ArgumentError, match=r"^tags\[1\]: expected str, got 3$"):
        genlab.annotate_run("runs/one", tags=["good", 3])  # pyright: ignore[reportArgumentType]
    with pytest.raises(ArgumentError, match=r"^status\[0\]: expected 'running' or .* or 'failed', got 'done'$"):
        genlab.list_runs(status=["done"])  # pyright: ignore[reportArgumentType]


def test_any_iterable_is_a_list() -> None:
    @checked_arguments
    def both(paths: Iterable[str | Path]) -> tuple[list[object], list[object]]:
        return list(paths), list(paths)

    assert both(each for each in ("a", Path("b"))) == (["a", Path("b")], ["a", Path("b")])
    assert both({"a": 1}.keys()) == both(("a",)) == both({"a"}) == (["a"], ["a"])


def test_names_of_files_that_are_not_utf_8_are_paths() -> None:
    with pytest.raises(RecipeError, match="no such file"):
        genlab.check(os.fsdecode(b"caf\xe9.toml"))
