import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from genlab import Discriminator
from genlab.engine.precision import Precision
from genlab.engine.seeding import initialize
from genlab.testing.field import measured_field
from genlab_pix2pix.patchgan import PatchGAN

PARAMETERS = {1: 9_024, 16: 139_585, 34: 666_433, 70: 2_768_705, 142: 6_964_033, 286: 11_159_361}
FIELDS = list(PARAMETERS)


def small(receptive_field: int = 70, **settings) -> PatchGAN:
    channels = {"condition_channels": 3, "image_channels": 3, "channels": 2}
    return PatchGAN(receptive_field=receptive_field, **channels | settings)


def randomize(network: nn.Module) -> None:
    rng = torch.Generator().manual_seed(7)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.4, generator=rng)


def scores(network: PatchGAN, condition: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    return network(condition, image).maps[0]


def convolutions(network: PatchGAN) -> list[nn.Conv2d]:
    return [module for module in network.modules() if isinstance(module, nn.Conv2d)]


@pytest.mark.parametrize("field", FIELDS)
def test_has_the_parameters_of_the_reference(field):
    with torch.device("meta"):
        network = PatchGAN(condition_channels=3, image_channels=3, receptive_field=field)
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS[field]


@pytest.mark.parametrize("field", FIELDS)
def test_states_the_field_that_is_asked_for(field):
    assert small(field).receptive_field == field


@pytest.mark.parametrize(("field", "shape"), [(1, (256, 128)), (16, (126, 62)), (70, (30, 14)), (286, (6, 2))])
def test_gives_a_score_for_each_patch(field, shape):
    image = torch.zeros(2, 3, 256, 128)
    assert scores(small(field, channels=1), image, image).shape == (2, 1, *shape)


def computed_by_hand(w: dict[str, torch.Tensor], seen: torch.Tensor, strides: list[int], padding: int) -> torch.Tensor:
    """The layers one after the other, with batch norm as it is in training."""
    x = seen
    for i, stride in enumerate(strides):
        x = F.conv2d(x, w[f"layers.{i}.conv.weight"], w.get(f"layers.{i}.conv.bias"), stride=stride, padding=padding)
        if 0 < i < len(strides) - 1:
            variance, mean = torch.var_mean(x, (0, 2, 3), correction=0, keepdim=True)
            scale, shift = w[f"layers.{i}.norm.weight"], w[f"layers.{i}.norm.bias"]
            x = (x - mean) / torch.sqrt(variance + 1e-5) * scale[:, None, None] + shift[:, None, None]
        if i < len(strides) - 1:
            x = torch.where(x > 0, x, 0.2 * x)
    return x


@pytest.mark.parametrize(
    ("field", "strides", "padding"), [(1, [1, 1, 1], 0), (16, [2, 1, 1], 1), (70, [2, 2, 2, 1, 1], 1)]
)
def test_computes_what_the_paper_says(field, strides, padding):
    network = small(field).double()
    randomize(network)
    condition, image = torch.randn(2, 2, 3, 40, 48, dtype=torch.float64)
    expected = computed_by_hand(
        dict(network.named_parameters()), torch.cat([condition, image], dim=1), strides, padding
    )
    torch.testing.assert_close(scores(network, condition, image), expected)


def test_features_double_up_to_eight_times_the_first():
    assert [conv.out_channels for conv in convolutions(small(286, channels=3))] == [3, 6, 12, 24, 24, 24, 1]
    assert [conv.out_channels for conv in convolutions(small(1, channels=3))] == [3, 6, 1]


@pytest.mark.parametrize(
    ("field", "norm", "expected"),
    [
        (34, "batch", [True, False, False, True]),
        (34, "instance", [True, False, False, True]),
        (34, "none", [True, True, True, True]),
        (1, "batch", [True, False, False]),
        (1, "none", [True, True, True]),
    ],
)
def test_has_a_bias_where_no_norm_shifts(field, norm, expected):
    assert [conv.bias is not None for conv in convolutions(small(field, norm=norm))] == expected


def test_instance_norm_is_batch_norm_at_batch_one():
    batch, instance = small(norm="batch"), small(norm="instance")
    randomize(batch)
    randomize(instance)
    condition, image = torch.randn(2, 1, 3, 64, 64)
    torch.testing.assert_close(scores(batch, condition, image), scores(instance, condition, image))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_scores_several_images_in_one_pass_as_each_by_itself(norm, batch_size, training):
    alone, together = (small(norm=norm).double().train(training) for _ in range(2))
    condition, *images = torch.randn(3, batch_size, 3, 48, 64, dtype=torch.float64)
    images[1].mul_(3)
    results, passes = [], {alone: 0, together: 0}
    for network in (alone, together):
        randomize(network)
        network.register_forward_hook(lambda network, *_: passes.update({network: passes[network] + 1}))
    for network, score_each in ((alone, Discriminator.score_each), (together, PatchGAN.score_each)):
        scored = score_each(network, condition, images)
        sum(number * each.maps[0].square().mean() for number, each in enumerate(scored, start=1)).backward()
        buffers = dict(network.named_buffers())
        results.append([scored, [parameter.grad for parameter in network.parameters()], buffers])
    torch.testing.assert_close(results[1], results[0])
    assert passes == {alone: 2, together: 1}


def test_scores_several_images_in_the_precision_of_the_training():
    network = small().eval()
    randomize(network)
    condition, *images = torch.randn(3, 1, 3, 64, 64)
    with Precision("bfloat16", torch.device("cpu")).applied([network]):
        together = network.score_each(condition, images)
        alone = [network(condition, image) for image in images]
    for given, expected in zip(together, alone, strict=True):
        torch.testing.assert_close(given.maps[0], expected.maps[0], rtol=0.05, atol=0.05)
    exact = network.score_each(condition, images)
    assert not torch.allclose(together[0].maps[0], exact[0].maps[0], rtol=1e-4)


class WithANormOfItsOwn(PatchGAN):
    """What somebody makes of it: another norm first, and memory saved by computing features twice."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.first = nn.BatchNorm2d(3)

    def forward(self, condition, image):
        return checkpoint(super().forward, condition, self.first(image), use_reentrant=False)


def test_a_class_that_derives_from_it_may_have_any_layers():
    alone, together = (WithANormOfItsOwn(condition_channels=3, image_channels=3, channels=2) for _ in range(2))
    together.load_state_dict(alone.state_dict())
    condition, *images = torch.randn(3, 1, 3, 64, 64)
    images[1].mul_(3)
    expected, given = [alone(condition, image) for image in images], together.score_each(condition, images)
    for scored in (expected, given):
        sum(number * each.maps[0].square().mean() for number, each in enumerate(scored, start=1)).backward()
    torch.testing.assert_close(given, expected)
    gradients = [[parameter.grad for parameter in network.parameters()] for network in (together, alone)]
    torch.testing.assert_close(*gradients)


def test_after_several_images_a_batch_is_one_batch_again():
    network, other = small(), small()
    randomize(network)
    randomize(other)
    condition, image = torch.randn(2, 2, 3, 64, 64)
    small_condition, small_image = condition[..., :8, :8], image[..., :8, :8]
    with pytest.raises(RuntimeError, match=r"[Kk]ernel size"):
        network.score_each(small_condition, [small_image, small_image])
    network.score_each(condition, [image, image])
    assert torch.equal(scores(network, condition, image), scores(other, condition, image))


def test_judges_the_image_together_with_its_condition():
    network, (condition, other, image) = small(), torch.randn(3, 1, 3, 64, 64)
    randomize(network)
    assert not torch.equal(scores(network, condition, image), scores(network, other, image))
    assert not torch.equal(scores(network, condition, image), scores(network, condition, other))


def test_unconditional_sees_the_image_alone():
    network = small(conditional=False, condition_channels=5)
    randomize(network)
    condition, image = torch.randn(1, 5, 64, 64), torch.randn(1, 3, 64, 64)
    assert convolutions(network)[0].in_channels == 3
    assert torch.equal(scores(network, condition, image), scores(network, torch.zeros_like(condition), image))


def test_levels_are_the_layers_in_order():
    network, called = small(34), []
    for level in network.levels():
        level.module.register_forward_hook(lambda *_, name=level.name: called.append(name))
    image = torch.zeros(1, 3, 64, 64)
    network(image, image)
    assert called == ["layer 1", "layer 2", "layer 3", "layer 4"]


def test_first_weights_are_those_of_the_paper():
    network, rng = small(channels=32), torch.Generator().manual_seed(0)
    for name, parameter in network.named_parameters():
        network.initialize(name, parameter, rng)
    first, second, *_, last = network.layers
    assert abs(second.conv.weight.std() - 0.02) < 0.001 and abs(second.conv.weight.mean()) < 0.001
    assert abs(second.norm.weight.mean() - 1) < 0.02 and abs(second.norm.weight.std() - 0.02) < 0.01
    assert not first.conv.bias.any() and not second.norm.bias.any() and not last.conv.bias.any()


def test_at_full_size_its_field_is_measured_as_the_stated_one():
    """Whatever forms its convolutions take, which round where a score sees nothing."""
    network = PatchGAN(condition_channels=3, image_channels=3)
    assert measured_field(network, torch.rand(1, 3, 172, 172)) == (70, 70)


def test_features_are_those_of_all_layers_but_the_last():
    network, seen = small(34), []
    for layer in network.layers:
        layer.register_forward_hook(lambda _m, _i, output: seen.append(output))
    image = torch.randn(2, 3, 64, 64)
    scored = network(image, image)
    assert [features.shape[1] for features in scored.features] == network.feature_channels == [2, 4, 8]
    for given, expected in zip([*scored.features, *scored.maps], seen, strict=True):
        assert torch.equal(given, expected)


@pytest.mark.parametrize("conditional", [True, False])
def test_scores_the_image_alone_for_a_method_that_shows_no_condition(conditional):
    network, image = small(condition_channels=0, conditional=conditional), torch.randn(1, 3, 64, 64)
    assert convolutions(network)[0].in_channels == 3
    assert torch.equal(*(scores(network, image[:, :0], image) for _ in range(2)))
    assert len(network.score_each(image[:, :0], [image, image])) == 2


def spectral(seed: int = 0, **settings) -> PatchGAN:
    """With the first weights of a run."""
    network = small(spectral_norm=True, **settings)
    initialize(network, seed, "discriminator")
    return network


def singular_values(network: PatchGAN) -> list[float]:
    """The largest of each convolution's weights, as they are used."""
    return [torch.linalg.matrix_norm(conv.weight.flatten(1), 2).item() for conv in convolutions(network)]


def test_spectral_norm_makes_the_largest_singular_value_one_from_the_start():
    network = spectral(channels=16).eval()
    assert all(abs(value - 1) < 0.05 for value in singular_values(network))
    plain = small(channels=16)
    initialize(plain, 0, "discriminator")
    ratio = network.layers[1].conv.parametrizations.weight.original / network.layers[1].conv.weight
    torch.testing.assert_close(ratio, ratio.flatten()[0].expand_as(ratio))
    assert not [value for value in singular_values(plain) if abs(value - 1) < 0.05]


def test_spectral_norm_is_estimated_once_a_pass():
    """Kernels read a weight several times, and each time that it is read is a step of the estimate."""
    one = spectral(channels=32)
    plain = copy.deepcopy(one)
    plain.make_plain()
    condition, image = torch.randn(2, 1, 3, 128, 128)
    for network in (one, plain):
        for _ in range(2):
            network(condition, image)
    torch.testing.assert_close(dict(one.named_buffers()), dict(plain.named_buffers()))


def test_first_weights_of_a_spectral_norm_are_drawn_alike():
    originals = [conv.parametrizations.weight.original for conv in convolutions(spectral(channels=16))]
    assert all(abs(weight.std() - 0.02) < 0.003 for weight in originals)


@pytest.mark.parametrize(("channels", "side"), [(32, 128), (64, 48)])
@pytest.mark.parametrize("settings", [{}, {"norm": "instance", "spectral_norm": True}], ids=str)
def test_a_penalty_on_gradients_has_the_gradients_of_pytorchs_layers(channels, side, settings):
    """The fast forms of convolutions have gradients of their own, which a penalty differentiates once more."""
    results = []
    fast = small(channels=channels, **settings)
    initialize(fast, 0, "discriminator")
    exact = copy.deepcopy(fast).double()
    exact.make_plain()
    condition, image = torch.randn(2, 2, 3, side, side, generator=torch.Generator().manual_seed(0))
    for network in (fast, exact):
        seen = image.to(next(network.parameters()).dtype).requires_grad_()
        map_ = scores(network, condition.to(seen.dtype), seen)
        (gradient,) = torch.autograd.grad(map_.sum(), seen, create_graph=True)
        penalty = gradient.square().sum(dim=(1, 2, 3)).mean()
        penalty.backward()
        results.append([parameter.grad for parameter in network.parameters() if parameter.ndim > 1])
    assert len(results[0]) == 5
    for given, expected in zip(*results, strict=True):
        assert (given - expected).norm() < 0.01 * expected.norm()
