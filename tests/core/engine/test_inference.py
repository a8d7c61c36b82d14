import pytest
import torch
from tests.core.toys import ToyGenerator, ToyMethod, batch, networks
from tests.optimizers import adam
from torch import Tensor, nn

from genlab import Batch, Generator
from genlab.config.schema import Inference
from genlab.engine.inference import Predictor, predict_any_size
from genlab.engine.step import train_step


def predictor(generator: Generator | None = None, method: type[ToyMethod] = ToyMethod, **settings) -> Predictor:
    made = networks()
    if generator:
        made["generator"] = generator
    return Predictor(method(made, {}), Inference(**{"normalization": "image", **settings}))


def images(count: int = 3, height: int = 8, width: int = 8) -> Tensor:
    rng = torch.Generator().manual_seed(0)
    contrast = torch.arange(1, count + 1).view(-1, 1, 1, 1) / count
    return contrast * (2 * torch.rand(count, 3, height, width, generator=rng) - 1)


def expected(generator: ToyGenerator, image: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    """The toy's forward pass without dropout, its batch norm by hand."""
    norm, features = generator.norm, generator.inner(image)
    shape = (1, -1, 1, 1)
    features = (features - mean.view(shape)) / (variance.view(shape) + norm.eps).sqrt()
    features = features * norm.weight.view(shape) + norm.bias.view(shape)
    return generator.outer(features.relu()).tanh()


def trained_statistics(generator: ToyGenerator) -> None:
    """Running statistics that differ from any image's."""
    generator.norm.running_mean.copy_(torch.tensor([0.3, -0.2, 0.1, 0.5]))
    generator.norm.running_var.copy_(torch.tensor([0.2, 2.0, 0.7, 1.3]))


@torch.no_grad()
def test_each_image_is_normalized_by_its_own_statistics():
    predict, stack = predictor(), images()
    generator = predict.method.networks["generator"]
    for image, prediction in zip(stack.split(1), predict(stack).split(1), strict=True):
        features = generator.inner(image)
        variance, mean = torch.var_mean(features, dim=(0, 2, 3), correction=0)
        torch.testing.assert_close(prediction, expected(generator, image, mean, variance))


@torch.no_grad()
def test_running_statistics_are_used_where_the_recipe_says_so():
    predict, stack = predictor(normalization="running"), images()
    generator = predict.method.networks["generator"]
    trained_statistics(generator)
    norm = generator.norm
    torch.testing.assert_close(predict(stack), expected(generator, stack, norm.running_mean, norm.running_var))


@pytest.mark.parametrize("normalization", ["image", "running"])
@pytest.mark.parametrize("dropout", [False, True])
def test_a_prediction_does_not_depend_on_the_other_images(normalization, dropout):
    predict, stack = predictor(normalization=normalization, dropout=dropout), images()
    together = predict(stack)
    assert torch.equal(together[1], predict(stack[1:2])[0])
    assert torch.equal(together.flip(0), predict(stack.flip(0)))


@pytest.mark.parametrize("normalization", ["image", "running"])
@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_networks_are_left_as_they_were(normalization, dropout, training):
    predict = predictor(normalization=normalization, dropout=dropout)
    generator = predict.method.networks["generator"].train(training)
    trained_statistics(generator)
    generator.outer.train(not training)
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    modes = [module.training for module in generator.modules()]
    predict(images())
    after = generator.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert [module.training for module in generator.modules()] == modes
    assert generator.norm.track_running_stats


def test_a_prediction_that_fails_leaves_networks_as_they_were():
    predict = predictor(dropout=True)
    generator, state = predict.method.networks["generator"], torch.get_rng_state()
    generator.outer.eval()
    modes = [module.training for module in generator.modules()]
    with pytest.raises(ValueError, match="multiples of 4"):
        predict(images(1, 6, 6))
    assert [module.training for module in generator.modules()] == modes
    assert generator.norm.track_running_stats
    assert torch.equal(torch.get_rng_state(), state)


def test_a_layer_that_tracks_nothing_goes_on_so():
    generator = ToyGenerator()
    generator.norm = nn.BatchNorm2d(4, track_running_stats=False)
    own, running = (predictor(generator, normalization=name) for name in ("image", "running"))
    assert torch.equal(own(images()), running(images()))
    assert not generator.norm.track_running_stats


def test_dropout_is_off_unless_the_recipe_says_so():
    predict, stack = predictor(), images()
    generator = predict.method.networks["generator"]
    off = predict(stack)
    generator.dropout.p = 0.0
    assert torch.equal(off, predict(stack))
    assert not torch.equal(off, predictor(dropout=True)(stack))


def test_with_dropout_the_same_image_gives_the_same_prediction():
    predict, image = predictor(dropout=True), images(1)
    first, again, twice = predict(image), predict(image), predict(torch.cat([image, image]))
    assert torch.equal(first, again)
    assert torch.equal(first, twice[:1])
    assert torch.equal(first, twice[1:])


def test_the_seed_chooses_what_is_dropped():
    image = images(1)
    assert not torch.equal(predictor(dropout=True, seed=1)(image), predictor(dropout=True, seed=2)(image))


class Noisy(ToyMethod):
    """Its predictions have noise of their own, which no setting turns off."""

    def predict(self, condition: Tensor) -> Tensor:
        return super().predict(condition) + torch.randn_like(condition)


@pytest.mark.parametrize(("method", "dropout"), [(ToyMethod, False), (ToyMethod, True), (Noisy, False), (Noisy, True)])
def test_the_random_numbers_of_training_stay_as_they_are(method, dropout):
    predict = predictor(method=method, dropout=dropout)
    torch.manual_seed(3)
    state = torch.get_rng_state()
    predict(images())
    assert torch.equal(torch.get_rng_state(), state)


def test_a_methods_own_noise_is_repeatable():
    predict, image = predictor(method=Noisy), images(1)
    assert torch.equal(predict(image), predict(image))
    assert not torch.equal(predict(image), predictor(method=Noisy, seed=1)(image))


class Caching(ToyGenerator):
    """Computes something from the size once, and uses it again."""

    def forward(self, condition: Tensor) -> Tensor:
        if not hasattr(self, "ramp"):
            self.ramp = torch.linspace(-1, 1, condition.shape[-1])
        return super().forward(condition) * self.ramp


def test_what_a_network_keeps_from_a_prediction_can_be_trained_with():
    predict = predictor(Caching())
    predict(images())
    made = predict.method.networks
    before = made["generator"].inner.weight.detach().clone()
    train_step(predict.method, [batch()], adam(made), with_norms=False)
    assert not torch.equal(made["generator"].inner.weight, before)


def test_a_prediction_has_no_graph():
    assert not predictor()(images()).requires_grad


def fitting(condition: Tensor) -> Tensor:
    """What the toy makes of a condition that fits."""
    return predictor()(condition)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (9, 8), (8, 11), (13, 6), (3, 2), (1, 1), (1, 9)])
def test_an_image_of_any_size_is_padded_with_its_border_and_cropped_back(height, width):
    image = images(2, height, width)
    rows = torch.arange(-height % 4 + height).clamp(max=height - 1)
    columns = torch.arange(-width % 4 + width).clamp(max=width - 1)
    prediction = predict_any_size(predictor(), image, 4)
    assert prediction.shape == image.shape
    assert torch.equal(prediction, fitting(image[:, :, rows][..., columns])[..., :height, :width])


def test_an_image_that_fits_is_not_padded():
    image = images(1, 8, 12)
    assert torch.equal(predict_any_size(predictor(), image, 4), fitting(image))


def test_the_multiple_may_be_much_larger_than_the_image():
    wide = predict_any_size(predictor(), images(1, 5, 7), 256)
    assert wide.shape == (1, 3, 5, 7)
    assert torch.equal(predict_any_size(predictor(), images(1, 5, 7), 1024 // 4), wide)


def test_a_prediction_does_not_change_the_next_training_step():
    def weights(predicts: bool) -> Tensor:
        made = networks()
        method, optimizers = ToyMethod(made, {}), adam(made)
        torch.manual_seed(0)
        for number in range(3):
            if predicts:
                Predictor(method, Inference(normalization="image", dropout=True))(images())
            train_step(method, [Batch(*batch(seed=number))], optimizers, with_norms=False)
        return made["generator"].inner.weight.detach()

    assert torch.equal(weights(predicts=True), weights(predicts=False))
