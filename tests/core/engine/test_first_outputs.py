"""What networks give is checked once, before it can mislead."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.core.toys import ToyDiscriminator, ToyGenerator, ToyMethod, experiment, run

from genlab import Scored, Term, TrainingError, as_scored


class AList(ToyDiscriminator):
    def forward(self, condition, image):
        return [super().forward(condition, image)]


class NoMaps(ToyDiscriminator):
    def forward(self, condition, image):
        return Scored(())


class ATensor(ToyDiscriminator):
    def forward(self, condition, image):
        return Scored(super().forward(condition, image))


class TwoChannels(ToyDiscriminator):
    def forward(self, condition, image):
        return Scored((super().forward(condition, image).repeat(1, 2, 1, 1),))


class Small(ToyGenerator):
    def forward(self, condition, **inputs):
        return super().forward(condition)[..., ::2, ::2]


class Nothing(ToyGenerator):
    def forward(self, condition, **inputs):
        return None


@pytest.mark.parametrize(
    ("role", "network", "expected", "given"),
    [
        ("discriminator", AList, "genlab.Scored", "got a list"),
        ("discriminator", NoMaps, "genlab.Scored", "a genlab.Scored of 0 maps: none"),
        ("discriminator", ATensor, "genlab.Scored", "a genlab.Scored of a tensor of float32 (1, 1, 6, 6) instead of"),
        ("discriminator", TwoChannels, "scores as a tensor of floats", "1 maps: a tensor of float32 (1, 2, 6, 6)"),
        ("generator", Small, "floats (1, 3, 8, 8)", "a tensor of float32 (1, 3, 4, 4)"),
        ("generator", Nothing, "floats (1, 3, 8, 8)", "got a NoneType"),
    ],
)
def test_an_output_of_another_form_is_told_with_role_and_plugin(tmp_path: Path, role, network, expected, given):
    made = replace(experiment(), names={role: f'{role} "mine" of genlab-mine 1.0'})
    made.method.networks[role] = network()
    with pytest.raises(TrainingError) as caught:
        run(made, tmp_path / "run")
    what = str(caught.value)
    assert what.startswith(f'{role} "mine" of genlab-mine 1.0, the {role}, breaks the contract: expected ')
    assert expected in what and given in what


class Several(ToyDiscriminator):
    """Two maps, and features."""

    def forward(self, condition, image):
        scores = super().forward(condition, image)
        return Scored((scores, scores[..., ::2, ::2]), (image,))


class OfMaps(ToyMethod):
    """Takes the first map."""

    def __init__(self, networks, losses):
        super().__init__({**networks, "discriminator": Several()}, losses)

    def critic_terms(self, batch, shared):
        scores = as_scored(self.networks["discriminator"](batch.condition, batch.target)).maps[0]
        return {"real": Term((scores - 1).square().mean(), 0.5)}

    def painter_terms(self, batch, shared):
        return {"l1": Term((shared["prediction"] - batch.target).abs().mean(), 1.0)}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_several_maps_and_features_are_taken(tmp_path: Path, precision: str):
    made = experiment(method=OfMaps, train={"precision": precision})
    assert run(made, tmp_path / "run", stop_at=1).status == "paused"


class TooFar(ToyMethod):
    def predict(self, condition):
        return 300 * super().predict(condition)


def test_predictions_out_of_range_stop_before_the_first_step(tmp_path: Path):
    with pytest.raises(TrainingError, match=r"a prediction of the method reaches \d+.*, and images are in \[-1, 1\]"):
        run(experiment(method=TooFar), tmp_path / "run")
    assert not list((tmp_path / "run").glob("checkpoints/0*1"))
