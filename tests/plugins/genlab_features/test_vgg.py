from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from tests.plugins.genlab_features.weights import CONVOLUTIONS, random_weights, write_weights

from genlab import TrainingError
from genlab_features.vgg import VGG

IMAGE = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return write_weights(tmp_path / "vgg.pth", random_weights())


def test_features_are_those_of_the_named_layers(weights: Path):
    """Convolutions and ReLUs of the normalized image, by their definition."""
    given = random_weights()
    photo = (IMAGE + 1) / 2
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    first = F.conv2d((photo - mean.view(3, 1, 1)) / deviation.view(3, 1, 1), *parts(given, 0), padding=1)
    second = F.conv2d(first.relu(), *parts(given, 2), padding=1).relu()
    pooled = F.max_pool2d(second, 2)
    third = F.conv2d(pooled, *parts(given, 5), padding=1)
    network = VGG(weights=weights, layers=["conv2_1", "conv1_1", "pool1", "relu1_2"])
    assert network.feature_channels == (64, 64, 64, 128)
    for found, expected in zip(network.features(IMAGE), (first, second, pooled, third), strict=True):
        torch.testing.assert_close(found, expected)
    torch.testing.assert_close(network(IMAGE), third)


def parts(given: dict[str, torch.Tensor], index: int) -> tuple[torch.Tensor, torch.Tensor]:
    return given[f"features.{index}.weight"], given[f"features.{index}.bias"]


@pytest.mark.parametrize(("depth", "last"), [(16, "conv5_3"), (19, "conv5_4")])
def test_layers_lie_where_torchvision_has_them(depth: int, last: str, tmp_path: Path):
    """A file of these names lacks none and has none too many; the first that does not fit is told by its shape."""
    empty = {f"features.{index}.{part}": torch.zeros(0) for index in CONVOLUTIONS[depth] for part in ("weight", "bias")}
    with torch.device("meta"), pytest.raises(ValueError, match=r"features\.0\.weight has the shape \(0,\)"):
        VGG(weights=write_weights(tmp_path / "vgg.pth", empty), depth=depth, layers=[last])


def test_gray_images_are_repeated(weights: Path):
    network, gray = VGG(weights=weights, layers=["relu1_2"]), IMAGE[:, :1]
    assert torch.equal(network(gray), network(gray.repeat(1, 3, 1, 1)))


def test_both_formats_give_the_same(weights: Path, tmp_path: Path):
    safe = write_weights(tmp_path / "vgg.safetensors", random_weights())
    one, other = (VGG(weights=file, layers=["relu1_2"]) for file in (weights, safe))
    assert torch.equal(one(IMAGE), other(IMAGE))


def of_vgg_19() -> dict[str, torch.Tensor]:
    return {**random_weights(), "features.16.weight": torch.zeros(1)}


def with_shape() -> dict[str, torch.Tensor]:
    return {**random_weights(), "features.2.bias": torch.zeros(32)}


class Code:
    """Runs when it is unpickled by a reader that allows it."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("echo run > ran",)


@pytest.mark.parametrize(
    ("content", "settings", "what"),
    [
        (None, {}, r"there is no file .*vgg\.pth; torchvision's are at https://download\.pytorch\.org/models/vgg16-"),
        (None, {"depth": 19}, r"at https://download\.pytorch\.org/models/vgg19-"),
        (b"hello", {}, r"vgg\.pth cannot be read as weights: KeyError"),
        (b"no weights", {}, r"vgg\.pth cannot be read as weights"),
        (Code(), {}, r"vgg\.pth cannot be read as weights"),
        ([torch.zeros(1)], {}, r"vgg\.pth is not a state dict"),
        (random_weights(2), {}, r"vgg\.pth lacks features\.5\.weight, features\.5\.bias, which VGG-16 has"),
        (of_vgg_19(), {}, r"vgg\.pth is not of VGG-16: it has features\.16\.weight; is `depth` right\?"),
        (with_shape(), {}, r"features\.2\.bias has the shape \(32,\); expected \(64,\)"),
        (random_weights(), {"layers": ["relu9"]}, r"layers names relu9; VGG-16 has conv1_1, relu1_1, "),
        (random_weights(), {"layers": []}, r"layers names none; VGG-16 has conv1_1, "),
    ],
)
def test_weights_that_do_not_fit_are_named(content, settings, what: str, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "vgg.pth"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        torch.save(content, file)
    with pytest.raises(ValueError, match=what):
        VGG(weights=file, **{"layers": ["relu2_1"], **settings})
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("shape", [(1, 4, 8, 8), (1, 3, 1, 8)])
def test_images_that_it_cannot_read(weights: Path, shape: tuple[int, ...]):
    network = VGG(weights=weights, layers=["relu2_1"])
    told = re.escape(f"at least 2 pixels a side, got {shape[1]} channels, {shape[2]} x 8")
    with pytest.raises(TrainingError, match=told):
        network.features(torch.zeros(shape))
