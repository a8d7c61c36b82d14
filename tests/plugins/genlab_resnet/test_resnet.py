import pytest
import torch
from torch import nn
from torch.nn import functional as F

from genlab_resnet.resnet import ResNet


def small(**settings) -> ResNet:
    network = ResNet(**{"in_channels": 3, "out_channels": 2, "blocks": 2, "channels": 3} | settings)
    rng = torch.Generator().manual_seed(7)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.4, generator=rng)
    return network.double()


def by_hand(w: dict[str, torch.Tensor], x: torch.Tensor, scale: int, norm: str, padding: str) -> torch.Tensor:
    """The papers' generator with two blocks, line by line, as it is in training."""

    def conv(x, name, stride=1, pad=padding):
        weight = w[f"{name}.weight"]
        reach = weight.shape[-1] // 2
        mode = "constant" if pad == "zeros" else pad
        return F.conv2d(F.pad(x, [reach] * 4, mode=mode), weight, w.get(f"{name}.bias"), stride)

    def up(x, name):
        return F.conv_transpose2d(x, w[f"{name}.weight"], w.get(f"{name}.bias"), 2, padding=1, output_padding=1)

    def normed(x, name):
        if norm == "none":
            return x
        variance, mean = torch.var_mean(x, (2, 3) if norm == "instance" else (0, 2, 3), correction=0, keepdim=True)
        x = (x - mean) / torch.sqrt(variance + 1e-5)
        return x if norm == "instance" else x * w[f"{name}.weight"][:, None, None] + w[f"{name}.bias"][:, None, None]

    def relu(x):
        return x.clamp(min=0)

    x = relu(normed(conv(x, "first.conv"), "first.norm"))
    for i in range(2 if scale == 1 else 0):
        x = relu(normed(conv(x, f"down.{i}.conv", 2, "zeros"), f"down.{i}.norm"))
    for i in range(2):
        y = relu(normed(conv(x, f"blocks.{i}.first.conv"), f"blocks.{i}.first.norm"))
        x = x + normed(conv(y, f"blocks.{i}.second.conv"), f"blocks.{i}.second.norm")
    for i in range({1: 2, 2: 1, 4: 2, 8: 3}[scale]):
        x = relu(normed(up(x, f"up.{i}.conv"), f"up.{i}.norm"))
    return conv(x, "last")


@pytest.mark.parametrize("scale", [1, 2, 4, 8])
@pytest.mark.parametrize(("norm", "padding"), [("instance", "reflect"), ("batch", "zeros"), ("none", "replicate")])
def test_computes_what_the_papers_say(norm, padding, scale):
    network = small(norm=norm, padding=padding, scale=scale)
    condition = torch.randn(2, 3, 16, 12, dtype=torch.float64)
    expected = by_hand(dict(network.named_parameters()), condition, scale, norm, padding)
    given = network(condition)
    assert given.shape == (2, 2, 16 * scale, 12 * scale)
    torch.testing.assert_close(given, expected)


@pytest.mark.parametrize(("blocks", "parameters"), [(9, 11_378_179), (6, 7_837_699)])
def test_has_the_parameters_of_the_reference(blocks, parameters):
    with torch.device("meta"):
        network = ResNet(in_channels=3, out_channels=3, blocks=blocks)
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


def test_a_prediction_four_times_as_large_keeps_its_channels():
    """Layers 9x9 at both ends, four blocks, and two doublings: Johnson et al., section 3.1."""
    with torch.device("meta"):
        network = ResNet(in_channels=3, out_channels=3, blocks=4, scale=4, norm="batch")
    shapes = [tuple(parameter.shape) for parameter in network.parameters() if parameter.ndim == 4]
    assert shapes == [(64, 3, 9, 9), *[(64, 64, 3, 3)] * (8 + 2), (3, 64, 9, 9)]
    assert (network.scale, network.size_multiple) == (4, 1)


def test_no_edge_is_seen_where_images_are_padded_by_their_reflection():
    """An image of one color has a prediction of one color."""
    condition = torch.full((1, 3, 16, 16), 0.5, dtype=torch.float64)
    blocks = small(norm="none", scale=2).eval().blocks
    given = blocks[0](condition)
    torch.testing.assert_close(given, given[:, :, :1, :1].expand_as(given))


def test_features_are_those_of_the_first_half():
    network, seen = small(blocks=5), []
    for layer in (network.first, *network.down, *network.blocks[:3]):
        layer.register_forward_hook(lambda _m, _i, output: seen.append(output))
    features = network.features(torch.randn(1, 3, 16, 16, dtype=torch.float64))
    assert [feature.shape[1] for feature in features] == network.feature_channels == [3, 6, 12, 12, 12, 12]
    assert all(map(torch.equal, features, seen))


def test_dropout_is_between_the_convolutions_of_a_block():
    network, condition = small(dropout=0.5), torch.randn(1, 3, 16, 16, dtype=torch.float64)
    assert not torch.equal(network(condition), network(condition))
    assert all(block.dropout.p == 0.5 for block in network.blocks)
    network.eval()
    assert torch.equal(network(condition), network(condition))


def test_levels_are_the_stages_in_the_order_of_the_forward_pass():
    network, called = small(), []
    for level in network.levels():
        level.module.register_forward_hook(lambda *_, name=level.name: called.append(name))
    network(torch.randn(1, 3, 16, 16, dtype=torch.float64))
    assert called == [level.name for level in network.levels()]
    assert called == ["first", "down 1", "down 2", "block 1", "block 2", "up 1", "up 2", "last"]


def test_first_weights_are_those_of_the_paper():
    network = ResNet(in_channels=3, out_channels=3, channels=16, blocks=1, norm="batch")
    for name, parameter in network.named_parameters():
        network.initialize(name, parameter, torch.Generator().manual_seed(sum(name.encode())))
        if name.endswith("bias"):
            assert not parameter.any(), name
        elif "norm" in name:
            assert abs(parameter.mean() - 1) < 0.02 and 0.005 < parameter.std() < 0.04, name
        else:
            assert abs(parameter.mean()) < 0.004 and abs(parameter.std() - 0.02) < 0.004, name
