from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from tests.plugins.genlab_features.inception import as_genlab, photo, published_shapes, write_published

from genlab import TrainingError
from genlab_features.inception_fid import InceptionFID

FILE_BYTES = 95_628_359
"""Size of the published file."""

RECORDED = {
    (40, 56): (0.314698, 2.558868, 0.895702, 6.155543, 0.0, 0.0, 11.400979, 0.015666),
    (330, 310): (0.661088, 3.733117, 1.080899, 7.628245, 0.0, 0.01522, 15.267457, 0.022455),
}
"""Each 256th feature that torch-fidelity 0.4.0's network gives, with these weights, for `photo` of this size."""


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> InceptionFID:
    with pytest.MonkeyPatch.context() as patch:
        return InceptionFID(weights=write_published(tmp_path_factory.mktemp("weights"), patch))


def test_names_and_shapes_are_the_published_ones(network: InceptionFID):
    given = published_shapes()
    classifier = {name for name in given if name.startswith("fc.")}
    found = {name: tuple(tensor.shape) for name, tensor in network.body.state_dict().items()}
    counts = {name for name in found if name.endswith("num_batches_tracked")}
    assert {name: shape for name, shape in found.items() if name not in counts} == {
        name: shape for name, shape in given.items() if name not in classifier
    }
    overhead = FILE_BYTES - 4 * sum(map(math.prod, given.values()))
    assert 0 < overhead < 256 * len(given), "the file has room for these, and for no further tensor of a layer"


@pytest.mark.parametrize("size", RECORDED, ids=str)
def test_features_are_those_of_torch_fidelity(network: InceptionFID, size: tuple[int, int]):
    """Images that are enlarged, and reduced; other padding, pooling or resizing changes features by 1 % and more."""
    found = network.features(as_genlab(photo(*size)))
    assert [feature.shape for feature in found] == [(1, 2048, 8, 8)]
    features = found[0].mean(dim=(2, 3))
    torch.testing.assert_close(features[0, ::256], torch.tensor(RECORDED[size]), rtol=1e-5, atol=2e-5)


def test_it_stays_in_evaluation_and_repeats_gray_images(network: InceptionFID):
    gray = as_genlab(photo(8, 8))[:, :1]
    expected = network(gray.repeat(1, 3, 1, 1))
    assert torch.equal(network.train()(gray), expected)


def test_images_of_other_channels_are_refused(network: InceptionFID):
    with pytest.raises(TrainingError, match="reads images of 1 or 3 channels, got 4"):
        network.features(torch.zeros(1, 4, 8, 8))


def test_gradients_reach_the_image(network: InceptionFID):
    image = as_genlab(photo(8, 8)).requires_grad_()
    (gradient,) = torch.autograd.grad(network(image).square().mean(), image)
    assert gradient.any()
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_a_missing_or_another_file_is_named(tmp_path: Path):
    file = tmp_path / "inception.pth"
    where = "https://github.com/mseitzer/pytorch-fid/releases"
    with pytest.raises(ValueError, match=rf"weights: there is no file .*inception\.pth; it is at {where}"):
        InceptionFID(weights=file)
    file.write_bytes(b"another")
    with pytest.raises(ValueError, match=rf"inception\.pth is not FID's Inception: .* expected 6726825d.* at {where}"):
        InceptionFID(weights=file)
