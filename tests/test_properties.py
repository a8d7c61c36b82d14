"""Invariants, tried on what hypothesis finds: order, augmentation, merging, and what checkpoints give back."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from hypothesis import given, strategies as st
from hypothesis.strategies import DrawFn
from tests.core.toys import ToyMethod, networks
from tests.optimizers import adam

from genlab.config.document import Document, Source, from_source
from genlab.config.schema import Input
from genlab.data.augment import crop_and_flip, load_size
from genlab.data.order import draw, evenly_spaced
from genlab.engine.checkpoint import restore, save
from genlab.engine.checkpoint_state import TrainProgress, open_checkpoint
from genlab.engine.train_state import TrainState

SEEDS = st.integers(0, 2**63 - 1)

# Order


@given(SEEDS, st.integers(1, 40), st.integers(0, 5))
def test_an_epoch_has_each_pair_once(seed: int, count: int, epoch: int) -> None:
    draws = [draw(seed, epoch * count + place, count) for place in range(count)]
    assert sorted(item.index for item in draws) == list(range(count))
    assert {item.epoch for item in draws} == {epoch}


@given(SEEDS, st.integers(1, 40), st.lists(st.integers(0, 200), min_size=1, max_size=10))
def test_a_position_says_the_same_whatever_was_asked_before(seed: int, count: int, asked: list[int]) -> None:
    assert [draw(seed, position, count) for position in asked] == [
        draw(seed, position, count) for position in reversed(asked)
    ][::-1]


@given(st.integers(1, 500), st.integers(1, 500))
def test_indices_are_spread_without_a_repetition(count: int, most: int) -> None:
    found = evenly_spaced(count, most)
    assert len(set(found)) == len(found) == min(count, most)
    assert found == sorted(found)
    assert found[0] == 0 and found[-1] < count


# Augmentation


@st.composite
def inputs(drawn: DrawFn) -> Input:
    size = drawn(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    return Input(size=size, jitter=drawn(st.floats(0, 1)), flip=drawn(st.booleans()))


@given(inputs(), SEEDS, st.integers(1, 5))
def test_both_sides_move_together_and_no_pixel_is_made_up(settings: Input, seed: int, count: int) -> None:
    height, width = load_size(settings)
    places = torch.arange(count * height * width).view(count, 1, height, width)
    draws = [draw(seed, position, count) for position in range(count)]
    labels = crop_and_flip(places, draws, settings)
    photo = crop_and_flip(places.expand(count, 3, height, width).double(), draws, settings)
    assert labels.shape == (count, 1, *settings.height_width)
    assert torch.equal(labels.expand(photo.shape).double(), photo)
    # A crop keeps neighbors: rows follow each other, and columns do, forwards or backwards.
    assert (labels.diff(dim=2) == width).all()
    assert (labels.diff(dim=3).abs() == 1).all()
    for number, image in enumerate(labels):
        assert places[number].min() <= image.min() and image.max() <= places[number].max()


# Merging

KEYS = st.sampled_from(["a", "b", "generator", "losses", "name"])
VALUES = st.integers(0, 3) | st.sampled_from(["x", "y"])
TABLES = st.recursive(
    st.dictionaries(KEYS, VALUES, max_size=3), lambda inner: st.dictionaries(KEYS, VALUES | inner, max_size=3)
)


def document(values: dict[str, Any], name: str) -> Document:
    return from_source(values, Source(name, ""), name)


def leaves(table: Any, at: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if not isinstance(table, dict):
        return {at: table}
    return {keys: value for key, inner in table.items() for keys, value in leaves(inner, (*at, key)).items()}


@given(TABLES, TABLES)
def test_what_is_laid_over_wins_and_every_value_knows_its_source(over: dict[str, Any], base: dict[str, Any]) -> None:
    first = (dict(leaves(over)), dict(leaves(base)))
    found = document(over, "over").over(document(base, "base"))
    values = leaves(dict(found.values))
    assert leaves(over).items() <= values.items()
    for keys, value in values.items():
        source = found.origins[keys].name
        assert {"over": leaves(over), "base": leaves(base)}[source][keys] == value
    assert (leaves(over), leaves(base)) == first, "neither is changed"


@given(TABLES)
def test_nothing_over_and_nothing_below_change_nothing(table: dict[str, Any]) -> None:
    mine, nothing = document(table, "mine"), document({}, "nothing")
    for found in (mine.over(nothing), nothing.over(mine), mine.over(mine)):
        assert found.values == table
        assert set(found.origins) == set(mine.origins)


@given(TABLES, TABLES)
def test_beside_another_a_document_keeps_its_own_values(one: dict[str, Any], two: dict[str, Any]) -> None:
    found = leaves(dict(document(one, "1").beside(document(two, "2")).values))
    assert leaves(one).items() <= found.items()
    assert found.items() <= {**leaves(two), **leaves(one)}.items()


# Checkpoints

NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False, allow_subnormal=True)


@given(st.lists(NUMBERS, min_size=1, max_size=20), st.dictionaries(st.text(max_size=5), st.floats(), max_size=3))
def test_a_checkpoint_gives_back_every_bit(values: list[float], metrics: dict[str, float]) -> None:
    def train_state(seed: int) -> TrainState:
        made = networks(seed)
        return TrainState(ToyMethod(made, {}), adam(made))

    def bits(trained: TrainState) -> dict[str, bytes]:
        found = {role: network.state_dict() for role, network in trained.method.networks.items()}
        return {f"{role}/{name}": t.numpy().tobytes() for role, state in found.items() for name, t in state.items()}

    one, other = train_state(0), train_state(1)
    with torch.no_grad():
        for network in one.method.networks.values():
            for parameter in network.parameters():
                flat = torch.tensor(values).repeat(parameter.numel())[: parameter.numel()]
                parameter.copy_(flat.view(parameter.shape))
    with TemporaryDirectory() as folder:
        saved = save(Path(folder), TrainProgress(step=3, metrics=metrics), one, keep=1)
        position = restore(open_checkpoint(saved, run="", optimizers=True), other)
    assert bits(one) == bits(other)
    assert repr(position.metrics) == repr(metrics), "NaN and infinities too"
