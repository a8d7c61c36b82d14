import pytest
import torch

from genlab.tools.probe.spectrum import high_frequency_energy


def image(values: torch.Tensor) -> torch.Tensor:
    return values.expand(1, 3, *values.shape[-2:])


def test_what_changes_slowly_has_none():
    slow = torch.cos(torch.pi * (torch.arange(32) + 0.5) / 32 * 3)
    assert high_frequency_energy(image(torch.full((32, 32), 0.7)))[0] == pytest.approx(0, abs=1e-12)
    assert high_frequency_energy(image(slow[None] * slow[:, None]))[0] == pytest.approx(0, abs=1e-12)


def test_pixels_that_alternate_are_nothing_else():
    alternating = 0.5 * (-1.0) ** torch.arange(32)
    assert high_frequency_energy(image(alternating.expand(32, 32)))[0] > 0.9 * 0.25
    assert high_frequency_energy(image(alternating[:, None] * alternating[None]))[0] > 0.9 * 0.0625


@pytest.mark.parametrize(("pixels", "share"), [(4.0, 1.0), (64 / 15, 0.0)])
def test_a_wave_counts_if_its_period_is_four_pixels_or_less(pixels: float, share: float):
    wave = torch.cos(2 * torch.pi * (torch.arange(32) + 0.5) / pixels)
    assert high_frequency_energy(image(wave.expand(32, 32)))[0] == pytest.approx(share * 0.5, abs=1e-6)


def test_of_noise_it_is_three_quarters():
    """All frequencies are alike, and a quarter of them is in the lower half both across and down."""
    noise = torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    assert high_frequency_energy(noise)[0] == pytest.approx(0.75, abs=0.02)


def test_each_image_has_its_own_whatever_its_size():
    noise = torch.randn(2, 1, 31, 17, generator=torch.Generator().manual_seed(0))
    both = high_frequency_energy(noise)
    assert both.shape == (2,)
    assert high_frequency_energy(noise[1:])[0] == pytest.approx(both[1])
    assert high_frequency_energy(2 * noise)[0] == pytest.approx(4 * both[0])
