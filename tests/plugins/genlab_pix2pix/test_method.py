import pytest
import torch

from genlab import Batch, Position, Scores, Weight, WeightedLoss
from genlab_losses.adversarial import Adversarial
from genlab_losses.l1 import L1
from genlab_pix2pix.method import Pix2Pix
from genlab_pix2pix.patchgan import PatchGAN
from genlab_pix2pix.unet import UNet

ADVERSARIAL = WeightedLoss(Adversarial(), Weight(7.0))
L1_LOSS = WeightedLoss(L1(), Weight(100.0))


def networks(**unet) -> dict[str, UNet | PatchGAN]:
    """Tiny ones, with the first weights of a run."""
    made = {
        "generator": UNet(in_channels=3, out_channels=3, **{"levels": 2, "channels": 4, "dropout": 0.0} | unet),
        "discriminator": PatchGAN(condition_channels=3, image_channels=3, receptive_field=16, channels=4),
    }
    rng = torch.Generator().manual_seed(0)
    for network in made.values():
        for name, parameter in network.named_parameters():
            network.initialize(name, parameter, rng)
    return made


def pix2pix(**settings) -> Pix2Pix:
    return Pix2Pix(networks(), {"adversarial": ADVERSARIAL, "l1": L1_LOSS}, **settings)


def batch() -> Batch:
    rng = torch.Generator().manual_seed(1)
    return Batch(*(2 * torch.rand(2, 2, 3, 16, 16, generator=rng) - 1))


def step(method: Pix2Pix, batch: Batch, optimizers: dict[str, torch.optim.Optimizer]) -> dict[str, float]:
    """One step as the framework makes it; returns the generator's terms."""
    shared = method.forward(batch)
    for phase in method.phases():
        terms = phase.terms(batch, shared)
        (role,) = phase.updates
        optimizers[role].zero_grad()
        total = sum(term.weight * term.value for term in terms.values())
        total.backward(inputs=list(method.networks[role].parameters()))
        optimizers[role].step()
    return {label: term.value.item() for label, term in terms.items()}


def adam(method: Pix2Pix) -> dict[str, torch.optim.Optimizer]:
    return {role: torch.optim.Adam(net.parameters(), 2e-3, (0.5, 0.999)) for role, net in method.networks.items()}


def test_the_discriminator_is_updated_first():
    phases = pix2pix().phases()
    assert [(phase.name, phase.updates) for phase in phases] == [
        ("discriminator", ("discriminator",)),
        ("generator", ("generator",)),
    ]


def test_the_discriminators_objective_is_halved_whatever_the_generators_weight():
    method, pairs = pix2pix(), batch()
    shared = method.forward(pairs)
    terms = method.phases()[0].terms(pairs, shared)
    discriminator = method.networks["discriminator"]
    real, predicted = (discriminator(pairs.condition, image).maps[0] for image in (pairs.target, shared["prediction"]))
    assert {label: term.weight for label, term in terms.items()} == {"adversarial": 0.5}
    expected = ADVERSARIAL.loss.for_discriminator(Scores(lambda: real, lambda: predicted))
    torch.testing.assert_close(terms["adversarial"].value, expected)


def test_the_discriminators_weight_is_a_setting():
    method, pairs = pix2pix(discriminator_weight=0.25), batch()
    terms = method.phases()[0].terms(pairs, method.forward(pairs))
    assert terms["adversarial"].weight == 0.25


def test_the_generator_minimizes_all_losses_by_their_weights():
    method, pairs = pix2pix(), batch()
    shared = method.forward(pairs)
    terms = method.phases()[1].terms(pairs, shared)
    prediction = method.networks["generator"](pairs.condition).tanh()
    scores = method.networks["discriminator"](pairs.condition, prediction).maps[0]
    assert {label: term.weight for label, term in terms.items()} == {"adversarial": 7.0, "l1": 100.0}
    torch.testing.assert_close(terms["l1"].value, (prediction - pairs.target).abs().mean())
    torch.testing.assert_close(
        terms["adversarial"].value, ADVERSARIAL.loss.for_generator(Scores(lambda: None, lambda: scores))
    )


def test_a_weight_follows_the_training():
    losses = {"adversarial": ADVERSARIAL, "l1": WeightedLoss(L1(), Weight(10.0, start=0.0, over=0.5))}
    method, pairs = Pix2Pix(networks(), losses), batch()._replace(position=Position(step=10, steps=80))
    terms = method.phases()[1].terms(pairs, method.forward(pairs))
    assert {label: term.weight for label, term in terms.items()} == {"adversarial": 7.0, "l1": 2.5}


def test_the_discriminators_phase_gives_the_generator_no_gradient():
    method, pairs = pix2pix(), batch()
    shared = method.forward(pairs)
    method.phases()[0].terms(pairs, shared)["adversarial"].value.backward()
    assert all(parameter.grad is None for parameter in method.networks["generator"].parameters())
    assert all(parameter.grad.any() for parameter in method.networks["discriminator"].parameters())


def test_the_adversarial_loss_teaches_the_generator_through_the_discriminator():
    method, pairs = pix2pix(), batch()
    term = method.phases()[1].terms(pairs, method.forward(pairs))["adversarial"]
    parameters = list(method.networks["generator"].parameters())
    term.value.backward(inputs=parameters)
    assert all(parameter.grad.any() for parameter in parameters)
    assert all(parameter.grad is None for parameter in method.networks["discriminator"].parameters())


def test_several_adversarial_losses_share_the_scores():
    losses = {"bce": ADVERSARIAL, "squares": WeightedLoss(Adversarial(objective="lsgan"), Weight(2.0))}
    method, pairs = Pix2Pix(networks(), losses), batch()
    seen = []
    method.networks["discriminator"].register_forward_hook(lambda *_: seen.append(None))
    shared, counts = method.forward(pairs), []
    for phase in method.phases():
        terms = phase.terms(pairs, shared)
        counts.append((list(terms), len(seen)))
        seen.clear()
    assert counts == [(["bce", "squares"], 1), (["bce", "squares"], 1)]


def test_without_an_adversarial_loss_there_is_the_generator_alone():
    generator = {"generator": networks()["generator"]}
    method, pairs = Pix2Pix(generator, {"l1": L1_LOSS}), batch()
    (phase,) = method.phases()
    assert phase.updates == ("generator",)
    assert list(phase.terms(pairs, method.forward(pairs))) == ["l1"]


def test_says_which_loss_lacks_a_discriminator():
    generator = {"generator": networks()["generator"]}
    with pytest.raises(ValueError, match="'game' needs a discriminator"):
        Pix2Pix(generator, {"l1": L1_LOSS, "game": ADVERSARIAL})


def test_predicts_with_the_generator_and_a_tanh():
    method, condition = pix2pix(), batch().condition
    assert torch.equal(method.predict(condition), method.networks["generator"](condition).tanh())


def test_the_generators_phase_sees_the_updated_discriminator():
    method, pairs = pix2pix(), batch()
    shared = method.forward(pairs)
    before = method.phases()[1].terms(pairs, shared)["adversarial"].value
    with torch.no_grad():
        method.networks["discriminator"].layers[-1].conv.bias.add_(1.0)
    assert method.phases()[1].terms(pairs, shared)["adversarial"].value < before


def test_learns_one_pair():
    made = networks(levels=3, channels=8)
    method = Pix2Pix(made, {"adversarial": WeightedLoss(Adversarial(), Weight(1.0)), "l1": L1_LOSS})
    ramp = torch.linspace(-1, 1, 32).expand(1, 3, 32, 32)
    pair, optimizers = Batch(condition=ramp, target=((ramp.mT > 0).float() + ramp) / 2), adam(method)
    first = step(method, pair, optimizers)["l1"]
    for _ in range(60):
        last = step(method, pair, optimizers)
    assert last["l1"] < first / 3
