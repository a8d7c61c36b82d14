"""Drawn facades as a data set: what a run relies on, and what makes them worth training on."""

from __future__ import annotations

import subprocess
from functools import cache
from typing import Any, get_type_hints

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter, ValidationError

import genlab_facades.drawn_facades
from genlab import ImageSide, LabelSide, Pair, Pairs
from genlab_facades.classes import PALETTE, PartClass
from genlab_facades.drawn_facades import DrawnFacades


@cache
def drawn(split: str = "train", count: int = 60, size: int = 64) -> list[Pair]:
    settings = {"count": count, "validation_count": count, "size": size}
    return list(DrawnFacades(**settings).open(split))


def same(one: Pair, other: Pair) -> bool:
    return one.key == other.key and np.array_equal(one.a, other.a) and np.array_equal(one.b, other.b)


def test_a_pair_is_a_photo_and_its_label_map() -> None:
    pairs = DrawnFacades(size=48).open("train")
    key, photo, labels, _ = pairs[17]
    assert key == "train-00017"
    assert photo.shape == (48, 48, 3)
    assert labels.shape == (48, 48)
    assert photo.dtype == labels.dtype == np.uint8
    assert pairs.a == ImageSide(3)
    assert pairs.b == LabelSide(PALETTE)


def test_there_are_as_many_as_asked_and_enough_unasked() -> None:
    data = DrawnFacades(count=7, validation_count=3, size=32)
    assert [len(data.open("train")), len(data.open("validation"))] == [7, 3]
    assert [pair.key for pair in data.open("validation")] == [f"validation-0000{index}" for index in range(3)]
    assert [len(DrawnFacades().open("train")), len(DrawnFacades().open("validation"))] == [400, 100]


def test_the_description_says_what_was_drawn() -> None:
    assert DrawnFacades(count=7, seed=5).open("train").description == "7 drawn facades (train, seed 5)"


@pytest.mark.parametrize("index", [3, -1])
def test_an_index_that_is_none_of_the_pairs(index: int) -> None:
    with pytest.raises(IndexError, match=f"3 pairs, from 0; {index}"):
        DrawnFacades(count=3).open("train")[index]


def test_the_same_pair_comes_again_whoever_asks_and_in_any_order() -> None:
    once = DrawnFacades(size=40).open("train")
    again = DrawnFacades(size=40).open("train")
    backwards = {index: again[index] for index in (5, 3, 0)}
    assert all(same(once[index], pair) for index, pair in backwards.items())


def test_a_greater_count_adds_pairs_and_changes_none() -> None:
    few, many = DrawnFacades(size=40, count=2).open("train"), DrawnFacades(size=40, count=900).open("train")
    assert all(same(few[index], many[index]) for index in range(2))


def test_splits_and_seeds_share_no_house() -> None:
    sources = [drawn(), drawn("validation", 25), list(DrawnFacades(size=64, count=15, seed=1).open("train"))]
    labels = [pair.b.tobytes() for source in sources for pair in source]
    photos = [pair.a.tobytes() for source in sources for pair in source]
    assert len(set(labels)) == len(set(photos)) == 100


def test_another_size_shows_the_same_houses() -> None:
    agreements = []
    for small, large in zip(drawn(count=12), drawn(count=12, size=256), strict=True):
        enlarged = small.b.repeat(4, axis=0).repeat(4, axis=1)
        agreements.append((enlarged == large.b).mean())
        reduced = np.asarray(Image.fromarray(large.a).reduce(4), dtype=float)
        assert np.abs(reduced - small.a).mean() < 9
    assert min(agreements) > 0.8
    assert np.mean(agreements) > 0.9


def test_all_classes_appear_and_no_two_houses_are_alike() -> None:
    labels = np.stack([pair.b for pair in drawn()])
    shares = np.bincount(labels.ravel(), minlength=len(PartClass)) / labels.size
    assert len(shares) == len(PALETTE) == 12
    assert (shares > 0.004).all()
    first = labels[:16]
    differences = [(one != other).mean() for k, one in enumerate(first) for other in first[:k]]
    assert min(differences) > 0.08


def test_windows_are_darker_than_walls_in_every_photo() -> None:
    for _, photo, labels, _ in drawn():
        window, wall = (photo[labels == kind].mean() for kind in (PartClass.WINDOW, PartClass.FACADE))
        assert window < wall - 15


def test_ledges_throw_shadows() -> None:
    """Walls are darker just below a molding than just above it."""
    above, below = [], []
    for _, photo, labels, _ in drawn(count=12, size=256):
        facade = labels == PartClass.FACADE
        molding = labels == PartClass.MOLDING
        for distance in (2, 3):
            above.append(photo[:-distance][facade[:-distance] & molding[distance:] & ~molding[:-distance]])
            below.append(photo[distance:][facade[distance:] & molding[:-distance] & ~molding[distance:]])
    assert np.concatenate(below).mean() < np.concatenate(above).mean() - 12


def test_labels_tell_much_of_the_photo() -> None:
    """The mean color of each class in each eighth of the height predicts photos better than their mean does."""
    train, validation = drawn(), drawn("validation", 25)
    photos, unseen = (np.stack([pair.a for pair in pairs]) / 127.5 - 1 for pairs in (train, validation))
    places, unseen_places = (
        np.stack([pair.b for pair in pairs]) * 8 + np.arange(64)[:, None] // 8 for pairs in (train, validation)
    )
    counts = np.bincount(places.ravel(), minlength=96)
    sums = [np.bincount(places.ravel(), photos[..., channel].ravel(), minlength=96) for channel in range(3)]
    by_class = (np.stack(sums) / np.maximum(counts, 1)).T[unseen_places]
    by_mean = photos.mean(axis=0)
    error, error_of_mean = np.abs(unseen - by_class).mean(), np.abs(unseen - by_mean).mean()
    assert error < 0.75 * error_of_mean
    assert error_of_mean > 0.25


def test_photos_are_neither_flat_nor_burnt_out() -> None:
    photos = np.stack([pair.a for pair in drawn()])
    assert 90 < photos.mean() < 180
    assert photos.std(axis=(1, 2)).min() > 15
    assert ((photos < 8) | (photos > 250)).mean() < 0.02


def fingerprint(split: str = "train", **settings: int) -> str:
    return DrawnFacades(**{"size": 40, "count": 20} | settings).open(split).fingerprint()


def test_the_fingerprint_is_that_of_the_content() -> None:
    assert fingerprint() == fingerprint()
    others = [fingerprint(**change) for change in ({"seed": 1}, {"size": 41}, {"count": 21}, {"split": "validation"})]
    assert len({fingerprint(), *others}) == 5


def test_the_fingerprint_ignores_the_other_split() -> None:
    assert fingerprint(validation_count=5) == fingerprint(validation_count=6)


def test_the_fingerprint_tells_if_houses_are_drawn_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint()
    render = genlab_facades.drawn_facades.render
    monkeypatch.setattr(genlab_facades.drawn_facades, "render", lambda *details: render(*details) ^ 1)
    assert fingerprint() != before


def test_the_fingerprint_does_not_draw_every_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    drawings = []
    render = genlab_facades.drawn_facades.render
    monkeypatch.setattr(
        genlab_facades.drawn_facades, "render", lambda *details: drawings.append(details) or render(*details)
    )
    fingerprint(count=100_000)
    assert 0 < len(drawings) < 50


@pytest.mark.parametrize(
    ("setting", "bad", "least"),
    [("count", 0, 1), ("validation_count", 0, 1), ("size", 31, 32), ("seed", -1, 0), ("size", 64.5, 32)],
)
def test_settings_that_cannot_be(setting: str, bad: Any, least: int) -> None:
    schema = TypeAdapter(get_type_hints(DrawnFacades.__init__, include_extras=True)[setting])
    assert schema.validate_python(least, strict=True) == least
    with pytest.raises(ValidationError):
        schema.validate_python(bad, strict=True)


def test_the_least_size_and_any_seed_can_be_drawn() -> None:
    pairs: Pairs = DrawnFacades(size=32, count=12, seed=2**63).open("train")
    assert all(pair.a.shape == (32, 32, 3) and (pair.b == PartClass.WINDOW).any() for pair in pairs)


@pytest.mark.cold
def test_importing_it_imports_no_torch(python: list[str]) -> None:
    code = "import sys, genlab_facades.drawn_facades; sys.exit('torch' in sys.modules)"
    subprocess.run([*python, "-c", code], check=True)
