"""What is reported of pairs before anything is trained, and what is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.core.inspection.kinds import COUNT, SOUND, SUSPICIOUS, Array, Kind, halves, photos

from genlab.config.schema import Input
from genlab.data.check import Selection
from genlab.data.prepared import PreparedPairs
from genlab.inspection.inspector import PairInspector, find_suspicions
from genlab.interfaces.dataset import Pairs
from genlab.testing.toys import MemoryPairs


def suspicions_of(kind: Kind) -> list[str]:
    return [str(suspicion) for suspicion in find_suspicions(everything(kind.pairs, kind.settings), kind.settings)]


def everything(pairs: Pairs, settings: Input) -> Selection:
    return Selection.of_pairs(PreparedPairs(pairs, settings, (32, 32)), range(len(pairs)))


@pytest.mark.parametrize("name", SOUND)
def test_nothing_is_said_of_sound_pairs(name: str) -> None:
    assert suspicions_of(SOUND[name]()) == []


@pytest.mark.parametrize("name", SUSPICIOUS)
def test_suspicious_pairs_are_reported_once_with_a_remedy(name: str) -> None:
    make, words = SUSPICIOUS[name]
    (suspicion,) = suspicions_of(make())
    for word in words:
        assert word in suspicion


def facade_pictures(folder: Path) -> Iterator[Array]:
    for file in sorted((folder / "train").iterdir())[::10]:
        yield np.asarray(Image.open(file))


def test_nothing_is_said_of_the_real_facades(facades: Path) -> None:
    photo, labels = halves(list(facade_pictures(facades)))
    assert suspicions_of(Kind(photo, labels)) == []
    assert suspicions_of(Kind(labels, photo)) == []


def test_halves_of_the_real_facades_photos_are_reported(facades: Path) -> None:
    photo, _ = halves(list(facade_pictures(facades)))
    (suspicion,) = suspicions_of(Kind(*halves(photo)))
    assert "side b continues side a" in suspicion


def test_a_few_pairs_say_little_about_a_seam() -> None:
    left, right = halves(photos(50))
    assert suspicions_of(Kind(left[:3], right[:3])) == []
    assert len(suspicions_of(Kind(left[:8], right[:8]))) == 1


def test_no_more_than_32_pairs_are_read_and_they_are_spread() -> None:
    kind = SUSPICIOUS["masks of 0 and 1"].make()
    many = kind._replace(a=[*kind.a] * 8, b=[*kind.b] * 8)
    pairs = many.pairs
    (suspicion,) = find_suspicions(everything(pairs, many.settings), many.settings)
    assert suspicion.what.startswith("of 32 pairs that were looked at, side b uses")
    assert sum(map(bool, pairs.reads)) == 32
    assert any(pairs.reads[-COUNT:])


def test_few_large_pairs_are_read() -> None:
    image = np.zeros((2048, 2048, 3), np.uint8)
    pairs = Kind([image] * 20, [image] * 20).pairs
    find_suspicions(everything(pairs, Input()), Input())
    assert sum(map(bool, pairs.reads)) == 4


def test_pairs_that_are_not_trained_on_are_not_read() -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    pairs = MemoryPairs([image] * 9, [image] * 9, broken=range(3, 9))
    find_suspicions(everything(pairs, Input())._replace(conditions=[0, 1, 2]), Input())
    assert [*map(bool, pairs.reads)] == [True] * 3 + [False] * 6


def test_all_pairs_are_looked_at_where_all_are_read() -> None:
    kind = SOUND["depth of 16 bits"]()
    kind.b[-1][0, 0] = 60_000
    inspector = PairInspector(kind.pairs, kind.settings, COUNT)
    for pair in kind.pairs:
        inspector.add(pair)
    assert inspector.inspection().statistics["b"].maximum == 60_000
