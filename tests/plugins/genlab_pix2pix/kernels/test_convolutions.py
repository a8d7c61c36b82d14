"""The forms in which convolutions are computed: that they are the same convolution, and which shape takes which."""

from __future__ import annotations

import jaxtyping
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlab_pix2pix.kernels import convolutions, one_channel, skinny, subpixel, winograd
from genlab_pix2pix.kernels.convolutions import Convolution, TransposedConvolution

STRIDE, PADDING = (2, 2), (1, 1)

# The paper's networks at 256 x 256: channels in and out, and the side of the input.
ENCODER = [(3, 64, 256), (64, 128, 128), (128, 256, 64), (256, 512, 32), *((512, 512, side) for side in (16, 8, 4, 2))]
DECODER = [
    (512, 512, 1),
    *((1024, 512, side) for side in (2, 4, 8)),
    (1024, 256, 16),
    (512, 128, 32),
    (256, 64, 64),
    (128, 3, 128),
]
SLIDE = [(256, 512, 32), (128, 256, 64), (512, 512, 16), (512, 1, 31), (128, 1, 127)]


def parts(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def results(layer: nn.Module, x: Tensor) -> list[Tensor]:
    """Output, and gradients of input and parameters."""
    x = x.clone().requires_grad_()
    output = layer(x)
    gradient = parts(*output.shape).to(x.dtype)
    return [output.detach(), *torch.autograd.grad(output, [x, *layer.parameters()], gradient)]


def assert_same(layer: nn.Module, plain: nn.Module, x: Tensor) -> None:
    """Within 1e-5 of the largest value of what double precision gives."""
    plain.load_state_dict(layer.state_dict())
    for given, exact in zip(results(layer, x), results(plain.double(), x.double()), strict=True):
        assert given.shape == exact.shape
        assert (given - exact).abs().max() < 1e-5 * exact.abs().max()


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize(("inputs", "outputs", "side"), ENCODER[4:])
def test_an_encoders_convolutions_are_pytorchs(inputs: int, outputs: int, side: int, batch_size: int) -> None:
    settings = {"kernel_size": 4, "stride": 2, "padding": 1}
    layer, plain = Convolution(inputs, outputs, **settings), nn.Conv2d(inputs, outputs, **settings)
    assert_same(layer, plain, parts(batch_size, inputs, side, side))


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize(("inputs", "outputs", "side"), [*DECODER[:4], DECODER[-1]])
def test_a_decoders_convolutions_are_pytorchs(inputs: int, outputs: int, side: int, batch_size: int) -> None:
    settings = {"kernel_size": 4, "stride": 2, "padding": 1, "bias": False}
    layer, plain = TransposedConvolution(inputs, outputs, **settings), nn.ConvTranspose2d(inputs, outputs, **settings)
    assert_same(layer, plain, parts(batch_size, inputs, side, side))


@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize(("inputs", "outputs", "side"), SLIDE)
def test_a_discriminators_convolutions_are_pytorchs(inputs: int, outputs: int, side: int, batch_size: int) -> None:
    settings = {"kernel_size": 4, "padding": 1}
    layer, plain = Convolution(inputs, outputs, **settings), nn.Conv2d(inputs, outputs, **settings)
    assert_same(layer, plain, parts(batch_size, inputs, side, side))


@pytest.mark.parametrize(("height", "width"), [(4, 4), (5, 9), (6, 6), (7, 11), (12, 4)])
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_winograds_form_takes_every_size(height: int, width: int, padding: int) -> None:
    x, weight = parts(2, 3, height, width).double(), parts(5, 3, 4, 4).double()
    given = winograd.convolve(x, weight, (padding, padding))
    torch.testing.assert_close(given, F.conv2d(x, weight, padding=padding))


@pytest.mark.parametrize(("height", "width", "kernel", "stride", "padding"), [(6, 4, 4, 2, 1), (5, 7, 3, 1, 0)])
def test_the_skinny_forms_take_other_kernels(height: int, width: int, kernel: int, stride: int, padding: int) -> None:
    x, weight = parts(2, 3, height, width).double(), parts(3, 5, kernel, kernel).double()
    shape = (stride, stride), (padding, padding)
    given = skinny.convolve_transposed(x, weight, *shape)
    torch.testing.assert_close(given, F.conv_transpose2d(x, weight, None, stride, padding))
    weight = weight.transpose(0, 1).contiguous()
    torch.testing.assert_close(skinny.convolve(x, weight, *shape), F.conv2d(x, weight, None, stride, padding))


@pytest.mark.parametrize(
    ("height", "width", "kernel", "padding"), [(6, 4, 4, 1), (5, 7, 3, 2), (4, 4, 4, 0), (3, 5, 1, 0)]
)
def test_the_form_of_one_channel_takes_every_size(height: int, width: int, kernel: int, padding: int) -> None:
    x, weight = parts(2, 3, height, width).double(), parts(1, 3, kernel, kernel).double()
    given = one_channel.convolve(x, weight, (padding, padding))
    torch.testing.assert_close(given, F.conv2d(x, weight, padding=padding))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 5), (4, 3)])
def test_the_subpixels_form_takes_every_size(height: int, width: int) -> None:
    x, weight = parts(2, 3, height, width).double(), parts(3, 5, 4, 4).double()
    given = subpixel.convolve_transposed(x, weight)
    torch.testing.assert_close(given, F.conv_transpose2d(x, weight, None, STRIDE, PADDING))


def test_gradients_of_gradients_are_right_too() -> None:
    """A gradient penalty asks for them."""

    def slide(x: Tensor, weight: Tensor) -> Tensor:
        return winograd.convolve(x, weight, PADDING)

    def halve(x: Tensor, weight: Tensor) -> Tensor:
        return skinny.convolve(x, weight, STRIDE, PADDING)

    def double(x: Tensor, weight: Tensor) -> Tensor:
        return skinny.convolve_transposed(x, weight, STRIDE, PADDING)

    def score(x: Tensor, weight: Tensor) -> Tensor:
        return one_channel.convolve(x, weight[:1], PADDING)

    for function in (slide, halve, double, score, subpixel.convolve_transposed):
        inputs = [parts(1, 2, 4, 4).double().requires_grad_(), parts(2, 2, 4, 4).double().requires_grad_()]
        assert torch.autograd.gradcheck(function, inputs)
        assert torch.autograd.gradgradcheck(function, inputs)


def form_of(layer: nn.Module, x: Tensor, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which form a layer takes, by what it calls."""
    called: list[str] = []
    forms = [(module, "convolve") for module in (one_channel, skinny, winograd)]
    for module, name in (*forms, *((module, "convolve_transposed") for module in (skinny, subpixel))):
        form, original = module.__name__.rpartition(".")[2], getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda *given, form=form, original=original: called.append(form) or original(*given)
        )
    with torch.no_grad():
        layer(x)
    return called[0] if called else "native"


def halving(inputs: int, outputs: int) -> Convolution:
    return Convolution(inputs, outputs, 4, stride=2, padding=1)


def test_the_shape_says_which_form_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = [form_of(halving(a, b), parts(1, a, side, side), monkeypatch) for a, b, side in ENCODER]
    assert forms == ["native"] * 4 + ["skinny"] * 4
    forms = [
        form_of(TransposedConvolution(a, b, 4, stride=2, padding=1), parts(1, a, side, side), monkeypatch)
        for a, b, side in DECODER
    ]
    assert forms == ["skinny"] * 4 + ["native"] * 3 + ["subpixel"]
    slides = [(64, 128, 128), *SLIDE, (512, 512, 8)]
    forms = [form_of(Convolution(a, b, 4, padding=1), parts(1, a, side, side), monkeypatch) for a, b, side in slides]
    assert forms == ["native", *["winograd"] * 3, "one_channel", "one_channel", "skinny"]


def test_a_larger_batch_has_more_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = halving(512, 512)
    assert form_of(layer, parts(16, 512, 4, 4), monkeypatch) == "skinny"
    assert form_of(layer, parts(17, 512, 4, 4), monkeypatch) == "native"


def test_what_the_form_of_one_channel_does_not_compute_is_left_to_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    assert form_of(Convolution(16, 1, 4, padding=3), parts(1, 16, 8, 8), monkeypatch) == "one_channel"
    assert form_of(Convolution(16, 1, 4, padding=4), parts(1, 16, 8, 8), monkeypatch) == "native"
    assert form_of(Convolution(16, 1, 4, stride=2), parts(1, 16, 8, 8), monkeypatch) == "native"
    assert form_of(Convolution(15, 1, 4), parts(1, 15, 8, 8), monkeypatch) == "native"


def test_few_channels_matter_with_many_pixels_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"kernel_size": 4, "stride": 2, "padding": 1}
    assert form_of(TransposedConvolution(4, 8, **settings), parts(1, 4, 64, 64), monkeypatch) == "subpixel"
    assert form_of(TransposedConvolution(4, 8, **settings), parts(1, 4, 64, 63), monkeypatch) == "native"
    assert form_of(TransposedConvolution(4, 9, **settings), parts(1, 4, 64, 64), monkeypatch) == "native"
    assert form_of(TransposedConvolution(4, 3, 4, stride=2), parts(1, 4, 64, 64), monkeypatch) == "native"


def test_other_precisions_are_left_to_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = halving(512, 512), parts(1, 512, 4, 4)
    assert form_of(layer, x, monkeypatch) == "skinny"
    with torch.autocast("cpu", torch.bfloat16):
        assert form_of(layer, x, monkeypatch) == "native"
    assert form_of(layer.double(), x.double(), monkeypatch) == "native"


@pytest.mark.parametrize(
    "more",
    [{"groups": 2}, {"dilation": 2}, {"padding_mode": "reflect"}, {"padding": "same", "stride": 1, "kernel_size": 3}],
    ids=str,
)
def test_what_was_not_measured_is_left_to_pytorch(monkeypatch: pytest.MonkeyPatch, more: dict[str, object]) -> None:
    settings = {"kernel_size": 4, "stride": 2, "padding": 3, **more}
    layer, plain = Convolution(1024, 512, **settings), nn.Conv2d(1024, 512, **settings)
    plain.load_state_dict(layer.state_dict())
    x = parts(1, 1024, 4, 4)
    assert torch.equal(layer(x), plain(x))
    assert form_of(layer, x, monkeypatch) == "native"


def test_odd_images_are_left_to_pytorch_and_its_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """An image without its batch, a batch without an image, and one that is smaller than the kernel."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    layer, mirror = halving(512, 512), TransposedConvolution(512, 512, 4, stride=2, padding=1)
    for shape in ((512, 4, 4), (0, 512, 4, 4)):
        assert layer(torch.zeros(shape)).shape == (*shape[:-2], 2, 2)
        assert mirror(torch.zeros(shape)).shape == (*shape[:-2], 8, 8)
    for side in (1, 0):
        with pytest.raises(RuntimeError, match=r"[Kk]ernel size"):
            layer(torch.zeros(1, 512, side, side))


@pytest.mark.parametrize(
    ("layer", "channels"),
    [
        (Convolution(16, 1, 4), 8),
        (halving(512, 512), 256),
        (Convolution(128, 128, 4), 64),
        (TransposedConvolution(4, 3, 4, stride=2, padding=1), 2),
    ],
    ids=lambda given: str(given) if isinstance(given, int) else None,
)
def test_another_number_of_channels_has_pytorchs_error(layer: nn.Module, channels: int) -> None:
    side = 4 if channels == 256 else 64
    with pytest.raises(RuntimeError, match=rf"to have {2 * channels} channels, but got {channels} channels"):
        layer(parts(1, channels, side, side))


def test_gradients_of_each_image_by_itself_are_left_to_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    """`torch.func` goes through layers in ways that these forms do not know."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    layer, x = TransposedConvolution(4, 3, 4, stride=2, padding=1, bias=False), parts(2, 1, 4, 64, 64)
    gradients = torch.func.vmap(torch.func.grad(lambda image: layer(image).square().sum()))(x)
    torch.testing.assert_close(gradients.flatten(0, 1), 2 * F.conv2d(layer(x.flatten(0, 1)), layer.weight, None, 2, 1))


def test_whoever_only_looked_before_can_train_after() -> None:
    """What inference computes and keeps must not be of the kind that has no gradients."""
    winograd._transforms.cache_clear()
    layer, x = Convolution(128, 128, 4, padding=1), parts(1, 128, 24, 24)
    with torch.inference_mode():
        layer(x)
    layer(x).sum().backward()
    assert layer.weight.grad is not None


def test_a_compiled_layer_is_compiled_as_pytorchs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    layer, x = halving(512, 512), parts(1, 512, 4, 4)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), layer(x), rtol=1e-4, atol=1e-5)


def test_the_layers_are_the_only_ones_of_the_networks() -> None:
    """Every layer that has a fast form is made by the class that knows it."""
    from genlab_pix2pix.patchgan import PatchGAN
    from genlab_pix2pix.unet import UNet

    networks = [UNet(in_channels=3, out_channels=3), PatchGAN(condition_channels=3, image_channels=3)]
    layers = [module for network in networks for module in network.modules()]
    assert not [type(layer) for layer in layers if type(layer) in (nn.Conv2d, nn.ConvTranspose2d)]
    assert sum(isinstance(layer, convolutions.Convolution) for layer in layers) == 8 + 5
