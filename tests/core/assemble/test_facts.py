from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from genlab import Generator
from genlab.assemble.experiment import build
from genlab.assemble.facts import count_parameters, facts
from genlab.assemble.read import read_recipe


def test_facts_are_what_a_person_wants_to_know_first(resolved: Callable[..., Any], document: Any) -> None:
    assignments = ("seed=3", "train.steps=4_000")
    found = facts(build(resolved(*assignments), document()), "recipes/toys.toml", document(*assignments))
    assert found.pop("device").startswith("cpu")
    assert found == {
        "recipe": "recipes/toys.toml",
        "set": "seed=3, train.steps=4_000",
        "data": "3 pairs for train; 2 to validate",
        "input": "8 x 8, batch 1, a_to_b",
        "generator": "net, 17 parameters",
        "discriminator": "judge, 55 parameters, receptive field 3",
        "training": "4,000 steps (1,333 epochs), seed 3",
        "optimizer": "adam 0.0002, constant rate",
    }
    assert list(found) == ["recipe", "set", "data", "input", "generator", "discriminator", "training", "optimizer"]


def test_averages_are_told_and_so_are_statistics_of_each_batch_by_itself(tiny: Path) -> None:
    values = ["train.batch_size=2", "train.accumulate=3", "ema.horizon=2_000", "train.steps=5"]
    checked = read_recipe(tiny, overrides=values)
    found = facts(build(checked.recipe, checked.document), "tiny", checked.document)
    assert found["input"] == "32 x 32, batch 2 x 3 a step, b_to_a"
    assert found["average"] == "weights of the generator, over 2,000 pairs"
    assert found["training"].startswith("5 steps (6.0 epochs)")
    warnings = [value for name, value in found.items() if name.startswith("warning")]
    assert (
        "Batch norm of the generator and the discriminator has the statistics of each batch of 2 pairs" in warnings[0]
    )
    assert not any("pixels that count" in value for value in warnings)
    checked = read_recipe(tiny, overrides=[*values, "generator.norm=instance", "discriminator.norm=instance"])
    found = facts(build(checked.recipe, checked.document), "tiny", checked.document)
    assert not any("Batch norm" in value for value in found.values())


def test_a_choice_of_data_is_told_with_its_reason(resolved: Callable[..., Any], document: Any) -> None:
    assignments = ("data.name=last", 'data.sources=[{ name = "memory" }, { name = "memory", count = 5 }]')
    found = facts(build(resolved(*assignments), document(*assignments)), "toys", document())
    assert (found["data"], found["because"]) == ("5 pairs for train; 2 to validate", "the first was not wanted")


def test_every_parameter_counts_once() -> None:
    class Tied(Generator):
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.Linear(2, 3)
            self.other = self.one
            self.register_buffer("mean", torch.zeros(5))

        def forward(self, condition: Any) -> Any:
            return condition

    assert count_parameters(Tied()) == 9


def test_a_training_of_the_way_from_images_to_what_is_computed_of_them_is_warned_of(tiny: Path) -> None:
    for direction, number in (("b_to_a", 1), ("a_to_b", 0)):  # the recipe that is extended has b_to_a
        source = 'data={name="gray", source={name="drawn_facades", count=5, validation_count=3, size=36}}'
        checked = read_recipe(tiny, overrides=[source, f"input.direction={direction}"])
        found = facts(build(checked.recipe, checked.document), "tiny", checked.document)
        assert sum("Side a is computed from side b" in value for value in found.values()) == number
