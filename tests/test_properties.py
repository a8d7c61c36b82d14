"""Invariants, tried on what hypothesis finds: order, augmentation, merging, and what checkpoints give back."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import numpy as np
import torch
from hypothesis import given, settings, strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import NDArray
from tests.core.toys import MemoryPairs, ToyMethod, networks
from tests.optimizers import adam
from torch.nn import functional as F

from genlab import Augmentation, AugmentedSide, Batch, ImageSide, LabelSide
from genlab.config.document import Document, Source, from_source
from genlab.config.schema import Input, Resize
from genlab.data.augment import augmentation_steps, load_size
from genlab.data.batches import Batches
from genlab.data.order import draw, evenly_spaced
from genlab.data.prepared import PreparedPairs
from genlab.engine.checkpoint import restore, save
from genlab.engine.checkpoint_state import TrainProgress, open_checkpoint
from genlab.engine.train_state import TrainState
from genlab.registry.discovery.find import list_plugins
from genlab_augment.affine import Affine
from genlab_augment.d4 import D4
from genlab_augment.flip import Flip
from genlab_augment.jitter import Jitter

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


MOVING: dict[str, Augmentation] = {
    "jitter": Jitter(amount=0.3),
    "flip": Flip(),
    "d4": D4(),
    "affine": Affine(rotation=20.0, scale=0.2, shift=0.2),
}
LABELS = LabelSide(tuple((shade, shade, shade) for shade in range(256)))
IMAGES = (ImageSide(1), ImageSide(1))
ORDERS = st.lists(st.sampled_from(sorted(MOVING)), unique=True)


def test_all_augmentations_that_move_pixels_are_tried() -> None:
    registered = {row.name for row in list_plugins() if row.kind == "augmentation" and row.plugin.package == "genlab"}
    assert set(MOVING) == registered - {"color"}


@st.composite
def inputs(drawn: DrawFn) -> tuple[Input, tuple[int, int]]:
    """Square ones, which all augmentations take, from images of any aspect that are large enough for all."""
    scale, resize = drawn(st.sampled_from([1, 2])), drawn(st.sampled_from(get_args(Resize)))
    chosen = Input(size=drawn(st.integers(8, 16)), scale=scale, resize=resize)
    return chosen, drawn(st.tuples(st.integers(32, 40), st.integers(32, 40)))


def plane(height: int, width: int, step: float) -> NDArray[np.uint8]:
    """Values that rise slowly to the right and faster down, so that each way to move an image shows."""
    rows, columns = np.ogrid[:height, :width]
    return np.round((4 * rows + columns) * step).astype(np.uint8)


def batch_of(pairs: MemoryPairs, settings: Input, labels: list[str], seed: int) -> Batch:
    steps = augmentation_steps({label: MOVING[label] for label in labels}, settings.height_width)
    prepared = PreparedPairs(pairs, settings, load_size(steps, settings.height_width))
    with closing(Batches(prepared, steps, seed, 2).starting_at(0)) as batches:
        return next(batches)


@settings(max_examples=60)
@given(inputs(), ORDERS, SEEDS)
def test_a_target_stays_the_same_function_of_its_condition(
    made: tuple[Input, tuple[int, int]], labels: list[str], seed: int
) -> None:
    """In every order of all that moves pixels, however pairs are resized."""
    chosen, (height, width) = made
    scale = chosen.scale
    condition, target = plane(height, width, 1), plane(height * scale, width * scale, 1 / scale)

    # A label map of the same values: nearest neighbors are off by half a pixel, before and after.
    of_labels = MemoryPairs([condition], [target[..., None]], (LABELS, ImageSide(1)))
    batch = batch_of(of_labels, chosen, labels, seed)
    seen = F.avg_pool2d(batch.target, scale) - batch.condition[:, :1]
    pixel = max(height, width) / min(chosen.height_width) + 1
    assert seen.abs().max() * 127.5 <= (4 + 1) * pixel

    # A negative: both sides are images, and equal but for roundings.
    if scale == 1:
        negative = 255 - condition
        batch = batch_of(MemoryPairs([condition[..., None]], [negative[..., None]], IMAGES), chosen, labels, seed)
        torch.testing.assert_close(batch.target, -batch.condition, rtol=0, atol=2.1 / 127.5)


@settings(max_examples=60)
@given(inputs(), ORDERS, SEEDS)
def test_labels_keep_their_classes_and_move_together(
    made: tuple[Input, tuple[int, int]], labels: list[str], seed: int
) -> None:
    chosen, size = made[0].model_copy(update={"scale": 1}), made[1]
    classes = np.random.default_rng(0).choice([3, 70, 200], size).astype(np.uint8)
    batch = batch_of(MemoryPairs([classes], [255 - classes], (LABELS, LABELS)), chosen, labels, seed)
    torch.testing.assert_close(batch.target, -batch.condition, rtol=0, atol=1e-6)
    assert {round(float(value) * 127.5 + 127.5) for value in batch.condition.unique()} <= {3, 70, 200}


@given(st.integers(1, 12), st.integers(1, 12), st.lists(st.sampled_from(["jitter", "flip"]), unique=True), SEEDS)
def test_a_crop_makes_up_no_pixel(height: int, width: int, labels: list[str], seed: int) -> None:
    steps = augmentation_steps({label: MOVING[label] for label in labels}, (height, width))
    rows, columns = load_size(steps, (height, width))
    images = torch.arange(2 * rows * columns, dtype=torch.int32).view(2, 1, rows, columns)
    cut, draws = images, [draw(seed, place, 2) for place in (0, 1)]
    for step in steps:
        cut = step.apply(cut, AugmentedSide("target", True, (height, width)), draws)
    # A crop keeps neighbors: rows follow each other, and columns do, forwards or backwards.
    assert cut.shape == (2, 1, height, width)
    assert (cut.diff(dim=2) == columns).all()
    assert (cut.diff(dim=3).abs() == 1).all()
    assert all(images[at].min() <= cut[at].min() and cut[at].max() <= images[at].max() for at in (0, 1))


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
