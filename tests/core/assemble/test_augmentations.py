"""Augmentations of a recipe, before a training: their order, and what is told of those that cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.core.assemble.conftest import Cut

from genlab import PluginError, RecipeError
from genlab.assemble.experiment import build, construct

Make = Callable[..., Any]


@pytest.fixture
def made(resolved: Make, document: Make) -> Make:
    """Resolve the toy recipe with some values set, and give it with its document to a function."""
    return lambda function, *assignments: function(resolved(*assignments), document(*assignments))


def test_they_come_in_the_order_of_their_table_and_false_drops_one(resolved: Make) -> None:
    labels = ["augment.b={name='cut'}", "augment.a={name='cut', margin=1}", "augment.cut={}"]
    assert list(resolved(*labels).augmentations) == ["b", "a", "cut"]
    assert list(resolved(*labels).tables()["augment"]) == ["b", "a", "cut"]
    assert list(resolved(*labels, "augment.a=false").augmentations) == ["b", "cut"]
    assert "augment" not in resolved().tables()


@pytest.mark.parametrize(
    ("assignments", "place", "what"),
    [
        (["augment.cut.margin=x"], "--set augment.cut.margin=x", "`margin`: expected an integer"),
        (["augment.cat={}"], "--set augment.cat={}", 'no plugin gives an augmentation "cat"; there are cut'),
        (["input.jitter=0.5"], "--set input.jitter=0.5", "\n\n[augment.jitter]\namount = 0.5"),
        (["input.flip=true"], "--set input.flip=true", "\n\n[augment.flip]"),
        (["input.flip=false"], "--set input.flip=false", "augment.flip = false"),
        (["input.jitter=0"], "--set input.jitter=0", "augment.jitter = false"),
    ],
)
def test_faults_of_their_tables(resolved: Make, assignments: list[str], place: str, what: str) -> None:
    with pytest.raises(RecipeError) as caught:
        resolved(*assignments)
    (fault,) = caught.value.faults
    assert fault.place == place
    assert what in str(fault)


@pytest.mark.parametrize(
    ("function", "assignments", "place", "what"),
    [
        (construct, ["augment.cut={}", "input.size=[7, 8]"], "--set augment.cut={}", "it takes even heights, got 7"),
        (build, ["augment.cut={}", "data.channels=1"], "--set augment.cut={}", "the condition has no colors"),
        (
            build,
            ["augment.cut={}", "data.channels=1", "input.direction=b_to_a"],
            "--set augment.cut={}",
            "the target has no colors",
        ),
    ],
)
def test_sizes_and_sides_that_one_does_not_take(
    made: Make, function: Any, assignments: list[str], place: str, what: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        made(function, *assignments)
    (fault,) = caught.value.faults
    assert fault.place == place
    assert what in fault.what


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ("gives='floats'", r"expected torch.uint8 \(1, 3, 8, 8\) of the condition, got torch.float32 \(1, 3, 8, 8\)"),
        ("gives='all'", r"got torch.uint8 \(1, 3, 12, 12\)"),
        ("gives='nothing'", "got None"),
        ("margin=-1", r"expected an input size of 8 x 8 at least, got \(7, 7\)"),
    ],
)
def test_one_that_gives_something_else_is_found_before_a_training(made: Make, settings: str, what: str) -> None:
    with pytest.raises(PluginError, match=rf"the augmentation cut: .*{what}"):
        made(build, f"augment.cut={{{settings}}}")


def test_they_are_constructed_once(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    input_size = Cut.input_size
    monkeypatch.setattr(Cut, "input_size", lambda self, size: asked.append(size) or input_size(self, size))
    made(build, "augment.cut={}")
    assert len(asked) == 1
