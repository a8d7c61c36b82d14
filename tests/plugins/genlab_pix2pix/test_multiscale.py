import pytest
import torch
import torch.nn.functional as F

from genlab.engine.seeding import initialize
from genlab_pix2pix.multiscale import Multiscale
from genlab_pix2pix.patchgan import PatchGAN


def small(**settings) -> Multiscale:
    network = Multiscale(**{"condition_channels": 3, "image_channels": 3, "channels": 4} | settings)
    initialize(network, 0, "discriminator")
    return network


def test_is_a_patchgan_on_each_size_of_the_image():
    network, seen = small(scales=3).eval(), torch.randn(2, 6, 96, 104)
    scored = network(seen[:, :3], seen[:, 3:])
    features = []
    for scale in range(3):
        patchgan = PatchGAN(condition_channels=3, image_channels=3, channels=4, norm="instance").eval()
        patchgan.layers.load_state_dict(network.scales[scale].state_dict())
        expected = patchgan(seen[:, :3], seen[:, 3:])
        torch.testing.assert_close(scored.maps[scale], expected.maps[0])
        features += expected.features
        # Means over 3x3 pixels, of those that there are at a border.
        inside = F.conv2d(torch.ones(1, 1, *seen.shape[2:]), torch.ones(1, 1, 3, 3), stride=2, padding=1)
        seen = F.conv2d(seen, torch.ones(6, 1, 3, 3), stride=2, padding=1, groups=6) / inside
    assert len(scored.maps) == 3
    assert [feature.shape[1] for feature in scored.features] == network.feature_channels == [4, 8, 16, 32] * 3
    torch.testing.assert_close(scored.features, features)


@pytest.mark.parametrize(
    ("scales", "field", "receptive_field", "min_size"),
    [(1, 70, 70, 24), (2, 70, 141, 47), (3, 70, 283, 93), (3, 1, 7, 5)],
)
def test_states_what_a_score_of_the_smallest_size_sees(scales, field, receptive_field, min_size):
    network = small(scales=scales, receptive_field=field)
    assert (network.receptive_field, network.min_size) == (receptive_field, min_size)


def test_each_size_has_weights_of_its_own():
    network = small(scales=2, receptive_field=16)
    one, other = (layers[0].conv.weight for layers in network.scales)
    assert one.shape == other.shape
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("settings", "passes"), [({}, 1), ({"norm": "batch"}, 1), ({"spectral_norm": True}, 3)], ids=str
)
def test_scores_several_images_in_one_pass_where_no_layer_counts_passes(settings, passes):
    network, calls = small(receptive_field=16, **settings), []
    network.register_forward_hook(lambda *_: calls.append(1))
    condition, *images = torch.randn(4, 1, 3, 32, 32)
    network.score_each(condition, images)
    assert len(calls) == passes


def test_scores_the_image_alone():
    unconditional, image = small(conditional=False, receptive_field=16), torch.randn(1, 3, 32, 32)
    scored = unconditional(torch.randn(1, 3, 32, 32), image)
    assert all(map(torch.equal, scored.maps, unconditional(image, image).maps))
    without = small(condition_channels=0, receptive_field=16)
    assert all(map(torch.equal, scored.maps, without(image[:, :0], image).maps))
