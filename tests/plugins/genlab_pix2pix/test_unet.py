import pytest
import torch
from torch import nn
from torch.nn import functional as F

from genlab_pix2pix.unet import UNet

NORMS = ["batch", "instance", "none"]


def small(**settings) -> UNet:
    return UNet(**{"in_channels": 3, "out_channels": 3, "levels": 4, "channels": 2} | settings)


def randomize(network: nn.Module) -> None:
    """Weights of a size that lets every layer matter, norms and biases included."""
    rng = torch.Generator().manual_seed(7)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.4, generator=rng)


def seeded(network: UNet, seed: int = 0) -> dict[str, torch.Tensor]:
    """The first weights as a run gives them: each parameter from a generator of its own."""
    for name, parameter in network.named_parameters():
        network.initialize(name, parameter, torch.Generator().manual_seed(seed + sum(name.encode())))
    return dict(network.named_parameters())


def four_levels(w: dict[str, torch.Tensor], x: torch.Tensor, skips: list[int], norm: str) -> torch.Tensor:
    """The paper's generator with 4 levels, line by line, as it is in training without dropout."""

    def down(x, block):
        return F.conv2d(x, w[f"{block}.conv.weight"], w.get(f"{block}.conv.bias"), stride=2, padding=1)

    def up(x, block):
        return F.conv_transpose2d(x, w[f"{block}.conv.weight"], w.get(f"{block}.conv.bias"), stride=2, padding=1)

    def normed(x, block):
        if norm == "none":
            return x
        dims = (0, 2, 3) if norm == "batch" else (2, 3)
        variance, mean = torch.var_mean(x, dims, correction=0, keepdim=True)
        scale, shift = w[f"{block}.norm.weight"], w[f"{block}.norm.bias"]
        return (x - mean) / torch.sqrt(variance + 1e-5) * scale[:, None, None] + shift[:, None, None]

    def leaky(x):
        return torch.where(x > 0, x, 0.2 * x)

    def relu(x):
        return x.clamp(min=0)

    def join(level, e, d):
        return torch.cat([e, d], dim=1) if level in skips else d

    e1 = down(x, "encoder.0")
    e2 = normed(down(leaky(e1), "encoder.1"), "encoder.1")
    e3 = normed(down(leaky(e2), "encoder.2"), "encoder.2")
    e4 = down(leaky(e3), "encoder.3")
    d4 = normed(up(relu(e4), "decoder.3"), "decoder.3")
    d3 = normed(up(relu(join(3, e3, d4)), "decoder.2"), "decoder.2")
    d2 = normed(up(relu(join(2, e2, d3)), "decoder.1"), "decoder.1")
    return up(relu(join(1, e1, d2)), "decoder.0")


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("skips", "levels"), [(True, [1, 2, 3]), (False, []), ([2], [2]), ([1, 3], [1, 3])])
def test_computes_what_the_paper_says(skips, levels, norm):
    network = small(skips=skips, norm=norm, dropout=0.0).double()
    randomize(network)
    condition = torch.randn(2, 3, 32, 48, dtype=torch.float64)
    expected = four_levels(dict(network.named_parameters()), condition, levels, norm)
    torch.testing.assert_close(network(condition), expected)


def test_has_the_parameters_of_the_reference():
    with torch.device("meta"):
        network = UNet(in_channels=3, out_channels=3)
    assert sum(parameter.numel() for parameter in network.parameters()) == 54_413_955


def test_features_double_up_to_eight_times_the_first():
    network = UNet(in_channels=1, out_channels=1, levels=6, channels=3)
    assert [block.conv.out_channels for block in network.encoder] == [3, 6, 12, 24, 24, 24]
    assert [block.conv.out_channels for block in network.decoder] == [1, 3, 6, 12, 24, 24]
    assert [block.conv.in_channels for block in network.decoder] == [6, 12, 24, 48, 48, 24]


@pytest.mark.parametrize(("norm", "biases"), [("batch", 1), ("instance", 1), ("none", 8)])
def test_only_convolutions_without_a_norm_to_shift_them_have_a_bias(norm, biases):
    convolutions = [m for m in small(norm=norm).modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    assert sum(conv.bias is not None for conv in convolutions) == biases
    assert small(norm=norm).decoder[0].conv.bias is not None


@pytest.mark.parametrize("norm", NORMS)
def test_with_bias_every_convolution_has_one_that_is_used(norm):
    network, x = small(norm=norm, bias=True).double(), torch.randn(2, 3, 32, 32, dtype=torch.float64)
    randomize(network)
    plain = small(norm=norm).double()
    plain.load_state_dict(network.state_dict(), strict=False)
    biases = [name for name, _ in network.named_parameters() if name.endswith("conv.bias")]
    assert len(biases) == 8
    for name in biases:
        torch.nn.init.zeros_(network.get_parameter(name))
    network.decoder[0].conv.bias.data.copy_(plain.decoder[0].conv.bias)
    if norm != "none":
        torch.testing.assert_close(network.eval()(x), plain.eval()(x))
    with torch.no_grad():
        network.encoder[0].conv.bias += 1
    assert not torch.allclose(network(x), plain(x))


@pytest.mark.parametrize(
    ("levels", "settings", "expected"),
    [
        (8, {}, ["decoder 8", "decoder 7", "decoder 6"]),
        (8, {"dropout_blocks": [2, 3, 4]}, ["decoder 7", "decoder 6", "decoder 5"]),
        (8, {"dropout_blocks": []}, []),
        (4, {"dropout_blocks": [3]}, ["decoder 2"]),
        (3, {}, ["decoder 3", "decoder 2"]),
        (2, {}, ["decoder 2"]),
    ],
)
def test_dropout_stands_last_in_the_chosen_blocks(levels, settings, expected):
    network = small(levels=levels, dropout=0.3, **settings)
    with_dropout = [level for level in network.levels() if any(isinstance(m, nn.Dropout) for m in level.module)]
    assert [level.name for level in with_dropout] == expected
    for level in with_dropout:
        *_, norm, dropout = level.module
        assert isinstance(norm, nn.BatchNorm2d)
        assert dropout.p == 0.3


def test_dropout_is_noise_in_training_alone():
    network, condition = small(norm="instance"), torch.randn(1, 3, 32, 32)
    randomize(network)
    assert not torch.equal(network(condition), network(condition))
    network.eval()
    assert torch.equal(network(condition), network(condition))


@pytest.mark.parametrize("skips", [[0], [4], [1, 9]])
def test_refuses_a_skip_where_there_is_none(skips):
    with pytest.raises(ValueError, match=rf"level {skips[-1]}; with 4 levels a skip can be at levels 1 to 3"):
        small(skips=skips)


@pytest.mark.parametrize(("levels", "blocks"), [(8, [1, 8]), (8, [0]), (4, [4]), (2, [4])])
def test_refuses_dropout_in_a_block_that_has_none(levels, blocks):
    with pytest.raises(ValueError, match=rf"decoder block {blocks[-1]}; .* blocks 1 \(the innermost\) to {levels - 1}"):
        small(levels=levels, dropout_blocks=blocks)


def test_takes_other_channels_and_any_multiple_of_its_size():
    network = small(in_channels=1, out_channels=4)
    assert network.size_multiple == 16
    assert network(torch.randn(2, 1, 16, 80)).shape == (2, 4, 16, 80)


def test_ends_with_its_last_convolution():
    network, condition = small(norm="none").eval().double(), torch.randn(1, 3, 32, 32, dtype=torch.float64)
    randomize(network)
    before = network(condition)
    with torch.no_grad():
        network.decoder[0].conv.weight.mul_(100)
        network.decoder[0].conv.bias.mul_(100)
    torch.testing.assert_close(network(condition), 100 * before)


def test_features_are_what_the_encoder_gives():
    network, condition = small(channels=3), torch.randn(2, 3, 32, 32)
    seen = []
    for encode in network.encoder:
        encode.register_forward_hook(lambda _m, _i, output: seen.append(output))
    features = network.features(condition)
    assert [feature.shape[1] for feature in features] == network.feature_channels == [3, 6, 12, 24]
    assert all(map(torch.equal, features, seen))


def timed(**settings) -> UNet:
    network = small(time=True, dropout=0.0, **settings)
    randomize(network)
    return network.eval()


@pytest.mark.parametrize("norm", NORMS)
def test_a_time_scales_and_shifts_what_the_norms_give(norm):
    """Ho et al. 2020, appendix B, and Dhariwal and Nichol 2021, section 3.1, line by line."""
    network, time = timed(norm=norm).double(), torch.tensor([0.25, 0.8], dtype=torch.float64)
    w, condition = dict(network.named_parameters()), torch.randn(2, 3, 32, 32, dtype=torch.float64)
    angles = torch.stack([1000 * time * 10_000 ** (-i / 64) for i in range(64)], dim=1)
    embedded = torch.cat([angles.sin(), angles.cos()], dim=1)
    for layer in ("time.layers.0", "time.layers.2"):
        embedded = F.silu(embedded @ w[f"{layer}.weight"].T + w[f"{layer}.bias"])
    blocks = [*(f"encoder.{i}" for i in range(4)), *(f"decoder.{i}" for i in (1, 2, 3))]
    modules = dict(network.named_modules())
    seen = {}
    for name in blocks:
        last = "norm" if hasattr(modules[name], "norm") else "conv"
        modules[f"{name}.{last}"].register_forward_hook(lambda _m, _i, output, name=name: seen.update({name: [output]}))
        modules[name].register_forward_hook(lambda _m, _i, output, name=name: seen[name].append(output))
    network(condition, time=time)
    for name in blocks:
        before, after = seen[name]
        both = embedded @ w[f"{name}.time.linear.weight"].T + w[f"{name}.time.linear.bias"]
        scale, shift = both[..., None, None].chunk(2, dim=1)
        torch.testing.assert_close(after, before * (1 + scale) + shift)


def test_each_image_of_a_batch_has_its_own_time():
    network, condition = timed(norm="instance"), torch.randn(2, 3, 32, 32)
    both = network(condition, time=torch.tensor([0.1, 0.9]))
    for at, time in enumerate([0.1, 0.9]):
        torch.testing.assert_close(network(condition[at : at + 1], time=torch.tensor([time])), both[at : at + 1])
    assert not torch.allclose(network(condition, time=torch.tensor([0.1, 0.1])), both)


def test_a_time_changes_no_weights_of_the_rest():
    without, with_time = seeded(small()), seeded(small(time=True))
    assert list(without) == [name for name in with_time if "time" not in name]
    assert all(torch.equal(without[name], with_time[name]) for name in without)
    for name in with_time.keys() - without.keys():
        assert with_time[name].any() != name.endswith("bias"), name


@pytest.mark.parametrize(("has_time", "time"), [(True, None), (False, torch.tensor([0.5]))])
def test_refuses_a_time_that_it_does_not_expect(has_time, time):
    with pytest.raises(ValueError, match="expected a time" if has_time else "expected no time"):
        small(time=has_time)(torch.randn(1, 3, 16, 16), time=time)


def test_levels_are_the_blocks_in_the_order_of_the_forward_pass():
    network = small(skips=[1, 3])
    levels, called = network.levels(), []
    for level in levels:
        level.module.register_forward_hook(lambda *_, name=level.name: called.append(name))
    network(torch.randn(1, 3, 16, 16))
    assert called == [level.name for level in levels]
    assert called == [f"encoder {i}" for i in (1, 2, 3, 4)] + [f"decoder {i}" for i in (4, 3, 2, 1)]
    assert [level.skip for level in levels] == [""] * 5 + ["+ encoder 3", "", "+ encoder 1"]
    listed = [p for level in levels for p in level.module.parameters()]
    assert sorted(map(id, listed)) == sorted(map(id, network.parameters()))


def test_changes_no_tensor_that_others_still_use():
    network, condition = small(), torch.randn(1, 3, 32, 32)
    seen = [(condition, condition.clone())]
    for level in network.levels():
        level.module.register_forward_hook(lambda _m, _i, output: seen.append((output, output.clone())))
    network(condition)
    assert all(torch.equal(tensor, copy) for tensor, copy in seen)


def test_first_weights_are_those_of_the_paper():
    weights = seeded(small(channels=16))
    for name, weight in weights.items():
        if name.endswith("bias"):
            assert not weight.any(), name
        elif "norm" in name:
            assert abs(weight.mean() - 1) < 0.02 and 0.005 < weight.std() < 0.04, name
        else:
            assert abs(weight.mean()) < 0.004 and abs(weight.std() - 0.02) < 0.004, name


def test_first_weights_come_from_the_given_generator_alone():
    torch.manual_seed(1)
    once = seeded(small())
    torch.manual_seed(2)
    state = torch.get_rng_state()
    network = small()
    torch.set_rng_state(state)
    again = seeded(network)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(once[name], again[name]) for name in once)
    other = seeded(network, seed=1)
    assert not torch.equal(once["encoder.0.conv.weight"], other["encoder.0.conv.weight"])


@pytest.mark.parametrize(
    "variant", [{"skips": False}, {"skips": [2]}, {"norm": "instance"}, {"norm": "none"}, {"dropout_blocks": []}]
)
def test_layers_of_the_same_name_and_shape_start_equal_in_every_variant(variant):
    baseline, changed = seeded(small()), seeded(small(**variant))
    shared = [name for name in baseline if name in changed and baseline[name].shape == changed[name].shape]
    assert {f"encoder.{i}.conv.weight" for i in range(4)} | {"decoder.3.conv.weight"} <= set(shared)
    assert all(torch.equal(baseline[name], changed[name]) for name in shared)
    if "skips" in variant:
        assert list(baseline) == list(changed)
