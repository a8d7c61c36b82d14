"""The datasets' suite finds what is planted, and lets sound datasets through."""

from __future__ import annotations

import hashlib
import io
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.core.testing.conftest import Planted, failures, require_found, suite_on, unproven

from genlab import (
    Choice,
    DataError,
    Dataset,
    DataUnavailableError,
    ImageSide,
    LabelSide,
    Pair,
    Pairs,
    SideImage,
    SideName,
    Split,
    Unpaired,
)
from genlab.testing import DatasetSuite
from genlab.testing.check import run_test

Array = NDArray[np.generic]

SIZE = 8
IMAGE = ImageSide()


class Noise(Pairs):
    """Images of noise, a few of them, each a function of its split and its index."""

    count = 5

    def __init__(self, split: Split, a: Any = IMAGE, b: Any = IMAGE, description: str = "noise") -> None:
        super().__init__(a, b, description)
        self.split: Split = split

    def __len__(self) -> int:
        return self.count

    def noise(self, index: int) -> Array:
        """Both sides, one after the other, as bytes."""
        seed = [len(self.split), index]
        return np.random.default_rng(seed).integers(0, 256, (2, SIZE, SIZE, 3), dtype=np.uint8)

    def key(self, index: int) -> str:
        return f"{self.split} {index}"

    def __getitem__(self, index: int) -> Pair:
        if not 0 <= index < 5:
            raise DataError("there is no such pair", where=str(index))
        return Pair(self.key(index), *self.noise(index))


class Small(Dataset):
    """Noise to train and to validate on."""

    pairs: ClassVar[Callable[[Split], Pairs]] = Noise

    def open(self, split: Split) -> Pairs:
        return type(self).pairs(split)


def of(pairs: Callable[[Split], Pairs]) -> type[Dataset]:
    """A dataset of such pairs."""
    return type(getattr(pairs, "__name__", "Made"), (Small,), {"pairs": staticmethod(pairs)})


class Whole(Noise):
    """Tells the sizes of pictures that hold both sides."""

    def sizes(self, side: SideName) -> list[tuple[int, int]]:
        return [(SIZE, 2 * SIZE)]


class Unnamed(Small):
    """Takes settings of any name."""

    def __init__(self, **settings: int) -> None: ...


class NoHelp(Small):
    """Does not say what its setting is for."""

    def __init__(self, *, root: Path = Path()) -> None: ...


# What a dataset may do wrong before there are pairs


class Missing(Small):
    """Is not there."""

    def probe(self) -> None:
        raise DataUnavailableError("there is no such folder", where="data/facades")


class Slow(Small):
    """Downloads all, to see whether it can."""

    def probe(self) -> None:
        time.sleep(0.3)


class ChoosingItself(Small):
    """Chooses a dataset, and gives no choice."""

    def choose(self) -> Choice:
        return self


class Listed(Small):
    """Gives a list of pairs."""

    def open(self, split: Split) -> Pairs:
        return list(super().open(split))


class NotConstructed(Noise):
    """Has a constructor that does not call the one it overrides."""

    def __init__(self, split: Split) -> None:
        self.split = split


class OneSplit(Small):
    """Has nothing to validate on."""

    def open(self, split: Split) -> Pairs:
        pairs = super().open(split)
        pairs.count = 5 if split == "train" else 0
        return pairs


class UnknownSplit(Small):
    """Opens a split that there is not."""

    def available_splits(self) -> list[str]:
        return ["train", "validation", "holdout"]


class TestedOnTraining(Small):
    """Tests on the pairs that it trains on."""

    def available_splits(self) -> Sequence[Split]:
        return ("train", "validation", "test")

    def open(self, split: Split) -> Pairs:
        return super().open("train" if split == "test" else split)


def nameless(split: Split) -> Pairs:
    return Noise(split, description=" ")


def wordy(split: Split) -> Pairs:
    return Noise(split, description="5 pairs of noise\nof 8 x 8 pixels")


def undeclared(split: Split) -> Pairs:
    return Noise(split, a="RGB", b="RGB")


# What a pair may be that its sides do not declare


class Tuples(Noise):
    def __getitem__(self, index: int) -> Pair:
        return tuple(super().__getitem__(index))


class OneRowLess(Noise):
    def __getitem__(self, index: int) -> Pair:
        pair = super().__getitem__(index)
        return pair._replace(b=pair.b[1:])


class Gray(Noise):
    """Some images of a photo collection are."""

    def __getitem__(self, index: int) -> Pair:
        pair = super().__getitem__(index)
        return pair._replace(a=pair.a[..., 0]) if index == 4 else pair


class Floats(Noise):
    """Floats whose range is not declared."""

    def __getitem__(self, index: int) -> Pair:
        pair = super().__getitem__(index)
        return pair._replace(a=pair.a / np.float32(255))


class Signed(Noise):
    """What a library for medical images gives."""

    def __getitem__(self, index: int) -> Pair:
        pair = super().__getitem__(index)
        return pair._replace(a=pair.a.astype(np.int16))


class OutOfRange(Noise):
    """Declares that images are normalized, and does not normalize them."""

    def __init__(self, split: Split) -> None:
        super().__init__(split, ImageSide(range=(0.0, 1.0)))

    def __getitem__(self, index: int) -> Pair:
        pair = super().__getitem__(index)
        return pair._replace(a=pair.a.astype(np.float32))


class Holes(Noise):
    """Depth, which is not known everywhere."""

    def __init__(self, split: Split) -> None:
        super().__init__(split, ImageSide(range=(0.0, 255.0)))

    def __getitem__(self, index: int) -> Pair:
        pair = super().__getitem__(index)
        return pair._replace(a=np.where(pair.a == pair.a.max(), np.nan, pair.a).astype(np.float32))


PALETTE = ((0, 0, 0), (255, 0, 0), (0, 255, 0))


class Labels(Noise):
    """Sound: label maps of three classes on side b."""

    classes = 3

    def __init__(self, split: Split) -> None:
        super().__init__(split, ImageSide(), LabelSide(PALETTE))

    def __getitem__(self, index: int) -> Pair:
        pair = super().__getitem__(index)
        return pair._replace(b=pair.b[..., 0] % self.classes)


class NoColor(Labels):
    """Counts classes from 1."""

    classes = 4


class Void(Labels):
    """Marks pixels of no class by -1."""

    def __getitem__(self, index: int) -> Pair:
        pair = super().__getitem__(index)
        return pair._replace(b=pair.b.astype(np.int64) - 1)


class Colored(Labels):
    """Declares labels, and gives their colors."""

    def __getitem__(self, index: int) -> Pair:
        pair = super().__getitem__(index)
        return pair._replace(b=np.array(PALETTE, np.uint8)[pair.b])


class OneTooMany(Noise):
    """Counts a file that is no pair."""

    count = 6


class ManyAndOneTooMany(Noise):
    """Sound but for its last, which a look at every other pair would miss."""

    count = 101

    def __getitem__(self, index: int) -> Pair:
        if index == 100:
            raise DataError("there is no such pair", where=str(index))
        return Pair(self.key(index), *self.noise(index))


class Stems(Noise):
    """Takes names of files in several folders for keys."""

    def key(self, index: int) -> str:
        return str(index // 2)


class Numbers(Noise):
    """Has numbers for keys."""

    def key(self, index: int) -> str:
        return index


class SameSide(Noise):
    """Reads one side alone, always the first."""

    def read_side(self, index: int, side: SideName) -> SideImage:
        return SideImage(self.key(index), self[index].a)


class Arrays(Noise):
    """Reads one side alone, without its key."""

    def read_side(self, index: int, side: SideName) -> Array:
        return getattr(self[index], side)


class Twice(Noise):
    """Counts the images of both sides."""

    def count_of(self, side: SideName) -> int:
        return 10


class Zoo(Unpaired):
    """Sound: three horses and five zebras, of several sizes."""

    counts: ClassVar[dict[SideName, int]] = {"a": 3, "b": 5}

    def __init__(self, split: Split) -> None:
        super().__init__(IMAGE, IMAGE, "a zoo")
        self.split: Split = split

    def count_of(self, side: SideName) -> int:
        return self.counts[side]

    def key(self, index: int, side: SideName) -> str:
        return f"{side} {index}"

    def read_side(self, index: int, side: SideName) -> SideImage:
        seed = [len(self.split), ord(side), index]
        image = np.random.default_rng(seed).integers(0, 256, (SIZE + index, SIZE, 3), dtype=np.uint8)
        return SideImage(self.key(index, side), image)


class OneEmptySide(Zoo):
    counts: ClassVar[dict[SideName, int]] = {"a": 3, "b": 0}


class RepeatedZebra(Zoo):
    """Names images by their kind."""

    counts: ClassVar[dict[SideName, int]] = {"a": 5, "b": 3}

    def key(self, index: int, side: SideName) -> str:
        return super().key(index, side) if side == "a" else "zebra"


class Larger(Noise):
    """Sound: targets of twice the height and width, for super-resolution."""

    def __getitem__(self, index: int) -> Pair:
        pair = super().__getitem__(index)
        return pair._replace(b=pair.b.repeat(2, axis=0).repeat(2, axis=1))


# What may change from one reading to the next


class Augmenting(Noise):
    """Makes images a little noisier than they are."""

    def noise(self, index: int) -> Array:
        return super().noise(index) ^ np.random.default_rng().integers(0, 2, (2, SIZE, SIZE, 3), dtype=np.uint8)


class Shuffled(Noise):
    """Has its pairs in another order each time it is opened."""

    opened = 0

    def __init__(self, split: Split) -> None:
        super().__init__(split)
        Shuffled.opened += 1
        self.order = [(index + Shuffled.opened) % 5 for index in range(5)]

    def __getitem__(self, index: int) -> Pair:
        return super().__getitem__(self.order[index])


class Growing(Noise):
    """Looks at a folder that something else writes to."""

    opened = 0

    def __init__(self, split: Split) -> None:
        super().__init__(split)
        Growing.opened += 1
        self.count = 1 + Growing.opened % 4


# What threads and processes do


class OneBuffer(Noise):
    """Reads every pair into the same memory."""

    def __init__(self, split: Split) -> None:
        super().__init__(split)
        self.buffer = np.empty((2, SIZE, SIZE, 3), np.uint8)

    def noise(self, index: int) -> Array:
        self.buffer[:] = super().noise(index)
        return self.buffer


class OneFile(Noise):
    """Reads every pair from the same open file, in two steps."""

    def __init__(self, split: Split) -> None:
        super().__init__(split)
        self.file = io.BytesIO(b"".join(super(OneFile, self).noise(index).tobytes() for index in range(5)))

    def noise(self, index: int) -> Array:
        size = 2 * SIZE * SIZE * 3
        self.file.seek(index * size)
        data = self.file.read(size)
        return np.frombuffer(data, np.uint8).reshape(2, SIZE, SIZE, 3)


class SmallCache(Noise):
    """Keeps the last pair, and makes room for it before it is there."""

    def __init__(self, split: Split) -> None:
        super().__init__(split)
        self.cache: dict[int, Array] = {}

    def noise(self, index: int) -> Array:
        if index not in self.cache:
            self.cache.clear()
            self.cache[index] = super().noise(index)
        return self.cache[index]


class Locked(Noise):
    """Sound but for its lock, which no process can send to another."""

    def __init__(self, split: Split) -> None:
        super().__init__(split)
        self.lock = Lock()

    def __getitem__(self, index: int) -> Pair:
        with self.lock:
            return super().__getitem__(index)


class Lambda(Noise):
    """Keeps a function without a name."""

    def __init__(self, split: Split) -> None:
        super().__init__(split)
        self.turned: Callable[[Array], Array] = lambda image: image[::-1].copy()

    def noise(self, index: int) -> Array:
        return self.turned(super().noise(index))


class ForgettingWhatItIs(Noise):
    """Leaves out of its pickle what it takes for a cache."""

    offset = 0

    def __init__(self, split: Split) -> None:
        super().__init__(split)
        self.offset = 100

    def noise(self, index: int) -> Array:
        return super().noise(index + self.offset)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "offset"}


# What a fingerprint may be that is none


class ByTime(Noise):
    """Hashes when it was asked."""

    def fingerprint(self) -> str:
        return hashlib.sha256(str(time.time_ns()).encode()).hexdigest()


class ByIdentity(Noise):
    """Hashes itself, as Python does."""

    def fingerprint(self) -> str:
        return str(hash(self))


class Number(Noise):
    """Gives a number."""

    def fingerprint(self) -> str:
        return 17


class OfTheFolder(Noise):
    """Hashes where both splits lie."""

    def fingerprint(self) -> str:
        return hashlib.sha256(b"data/facades").hexdigest()


def training_twice(split: Split) -> Pairs:
    return Noise("train")


class TrainingByAnotherName(Noise):
    """Validates on training pairs, and hashes the split's name with them."""

    def __init__(self, split: Split) -> None:
        super().__init__("train")
        self.name = split

    def fingerprint(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()


_DECLARED = "test_pairs_are_what_their_sides_declare"
_SIDES = "test_sides_are_read_as_pairs_are"
_SAME = "test_the_same_index_gives_the_same_pair"
_PRINT = "test_its_fingerprint_is_that_of_its_content"

PLANTED = [
    Planted(Unnamed, "test_a_recipe_can_name_it", "its constructor takes `**settings`"),
    Planted(NoHelp, "test_settings_have_help", "the docstring says nothing of `root` under `Args:`"),
    Planted(Missing, "test_it_can_be_had", "there is no such folder"),
    Planted(Slow, "test_it_can_be_had", "its probe took 0.3 s, and may take 0.2"),
    Planted(ChoosingItself, "test_it_can_be_had", "choose() returns a ChoosingItself; expected a Choice"),
    Planted(Listed, "test_its_splits_have_pairs", 'open("train") returns a list; expected Pairs'),
    Planted(UnknownSplit, "test_its_splits_have_pairs", "expected train, validation, and perhaps test"),
    Planted(TestedOnTraining, "test_its_fingerprint_is_that_of_its_content", "it tests on the pairs that it trains or"),
    Planted(of(NotConstructed), "test_its_splits_have_pairs", "does not call that of genlab.Pairs"),
    Planted(OneSplit, "test_its_splits_have_pairs", "there are no pairs to validate"),
    Planted(of(nameless), "test_its_splits_have_pairs", "the pairs of train have no description"),
    Planted(of(wordy), "test_its_splits_have_pairs", "the description of train has several lines"),
    Planted(of(undeclared), "test_its_splits_have_pairs", "the sides of train are not declared as ImageSide or"),
    Planted(of(Tuples), _DECLARED, "pair 0 of train is a tuple; expected a Pair"),
    Planted(of(OneRowLess), _DECLARED, "its sides have (8, 8) and (7, 8) for height and width"),
    Planted(of(Gray), _DECLARED, "train 4: expected an image of 3 channels as declared, got an array of shape (8, 8)"),
    Planted(of(Floats), _DECLARED, "values of float32 need a range"),
    Planted(of(Signed), _DECLARED, "values of int16 need a range"),
    Planted(of(OutOfRange), _DECLARED, "its values go from 0 to 255, and 0 to 1 is declared"),
    Planted(of(Holes), _DECLARED, "some of its values are not finite"),
    Planted(of(NoColor), _DECLARED, "class 3 has no color: the palette has 3"),
    Planted(of(Void), _DECLARED, "expected a label map (height, width) of uint8 or uint16, got int64"),
    Planted(of(Colored), _DECLARED, "got uint8 (8, 8, 3)"),
    Planted(of(OneTooMany), _DECLARED, "5: there is no such pair"),
    Planted(of(ManyAndOneTooMany), _DECLARED, "100: there is no such pair"),
    Planted(of(Whole), "test_sizes_are_those_of_pairs", 'sizes("a") of train gives [(8, 16)], and images have [(8, 8'),
    Planted(of(SameSide), _SIDES, "read_side(0, 'b') of train is not that of the pair"),
    Planted(of(Arrays), _SIDES, "read_side(0, 'a') of train gives a ndarray; expected a SideImage"),
    Planted(of(Twice), _SIDES, "train has 5 pairs, and 10 images of side a"),
    Planted(of(OneEmptySide), "test_its_splits_have_pairs", "there are no pairs to train"),
    Planted(of(RepeatedZebra), "test_keys_are_unique", "two images of side b of train have the key 'zebra'"),
    Planted(of(Stems), "test_keys_are_unique", "two pairs of train have the key '0'"),
    Planted(of(Numbers), "test_keys_are_unique", "non-text key in train: [0, 1, 2]"),
    Planted(of(Augmenting), _SAME, "differs each time: never augment"),
    Planted(of(Shuffled), _SAME, "differs when opened again"),
    Planted(of(Growing), _SAME, "opened twice, train has"),
    Planted(of(OneBuffer), "test_it_is_read_from_several_threads", "pair 0 changes when pair 1 is read after it"),
    Planted(of(OneFile), "test_it_is_read_from_several_threads", "read from several threads at once"),
    Planted(of(SmallCache), "test_it_is_read_from_several_threads", "it raises KeyError"),
    Planted(of(Locked), "test_it_can_be_sent_to_a_process", "its pairs cannot be pickled: cannot pickle"),
    Planted(of(Lambda), "test_it_can_be_sent_to_a_process", "its pairs cannot be pickled: "),
    Planted(of(ForgettingWhatItIs), "test_it_can_be_sent_to_a_process", "pickled and read back, pairs are others"),
    Planted(of(ByTime), _PRINT, "its fingerprint differs each time"),
    Planted(of(ByIdentity), _PRINT, "its fingerprint differs each time"),
    Planted(of(Number), _PRINT, "its fingerprint is 17; expected text"),
    Planted(of(OfTheFolder), _PRINT, "it validates on the pairs that it trains on: their fingerprints are equal"),
    Planted(of(training_twice), _PRINT, "it validates on the pairs that it trains on"),
    Planted(of(TrainingByAnotherName), "test_it_validates_on_other_pairs", "it validates on pairs that it trains on"),
]


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite waits less for a probe."""
    monkeypatch.setattr("genlab.testing.dataset._PATIENCE", 0.2)


@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_mistake_is_found(planted: Planted) -> None:
    require_found(DatasetSuite, planted)


def test_every_test_finds_a_mistake() -> None:
    assert unproven(DatasetSuite, PLANTED) == set()


# Sound datasets of other kinds


class Deep(Noise):
    """Gray of 16 bits on side a, floats in a range on side b, that resizing has gone a little beyond."""

    def __init__(self, split: Split) -> None:
        super().__init__(split, ImageSide(channels=1), ImageSide(range=(-1000.0, 3000.0)))

    def __getitem__(self, index: int) -> Pair:
        pair = super().__getitem__(index)
        deep = pair.a[..., :1].astype(np.uint16) * 257
        return pair._replace(a=deep, b=pair.b.astype(np.float32) / 255 * 4100 - 1050)


class ManyClasses(Labels):
    """Label maps of 16 bits, of the sizes that pictures of all kinds have."""

    def __getitem__(self, index: int) -> Pair:
        pair = super().__getitem__(index)
        return pair._replace(a=pair.a[: 8 - index], b=pair.b[: 8 - index].astype(np.uint16))


class DrawnAtFirst(Small):
    """Draws in its constructor, from random numbers that a run seeds."""

    def __init__(self) -> None:
        self.seed = random.getrandbits(32)

    def open(self, split: Split) -> Pairs:
        pairs = Noise(split)
        pairs.split = f"{split} {self.seed}"
        return pairs


class Standing(Small):
    """Stands for another one."""

    def open(self, split: Split) -> Pairs:
        raise AssertionError("the one that it chooses is asked instead")

    def choose(self) -> Choice:
        return Choice(Small(), "it is here")


class OneOfEach(Noise):
    """As few as can be."""

    count = 1


SOUND = [of(Zoo), of(Larger), Small, of(Labels), of(Deep), of(ManyClasses), DrawnAtFirst, Standing, of(OneOfEach)]


@pytest.mark.parametrize("dataset", SOUND)
def test_a_sound_one_passes(dataset: type[Dataset]) -> None:
    found = failures(DatasetSuite, dataset)
    found.pop("test_settings_have_help", None)  # of those that are made of functions and bare classes
    assert found == {}


class Counting(Noise):
    """Of many pairs, it knows which are read."""

    count = 1000
    read: ClassVar[set[int]] = set()

    def __getitem__(self, index: int) -> Pair:
        self.read.add(index)
        return Pair(self.key(index), *self.noise(index))


def test_of_many_pairs_a_few_are_read_the_last_among_them() -> None:
    assert failures(DatasetSuite, of(Counting), most=4).keys() <= {"test_settings_have_help"}
    assert Counting.read == set(range(1000)), "for the fingerprint all are"
    Counting.read.clear()
    run_test(suite_on(DatasetSuite, of(Counting), most=4), "test_pairs_are_what_their_sides_declare")
    assert Counting.read == {0, 250, 500, 750, 999}
