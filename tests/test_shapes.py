"""The shapes that signatures promise are checked while tests run: a broken promise fails whatever test meets it."""

from collections.abc import Callable

import pytest
import torch
from jaxtyping import TypeCheckError
from torch import Tensor

from genlab.data.sides import to_network
from genlab.engine.inference import predict_any_size
from genlab.interfaces.dataset import ImageSide
from genlab_losses.l1 import L1
from genlab_metrics.psnr import PSNR
from genlab_pix2pix.unet import UNet


def image(*shape: int) -> Tensor:
    return torch.zeros(shape)


BROKEN: dict[str, Callable[[], object]] = {
    "prediction and target of two sizes": lambda: L1()(image(1, 3, 8, 8), image(1, 3, 8, 8), image(1, 3, 1, 8)),
    "a condition without a batch": lambda: UNet(in_channels=3, out_channels=3, levels=2)(image(3, 8, 8)),
    "a metric given integers": lambda: PSNR().update(*[image(1, 3, 8, 8).long()] * 3),
    "a stack without channels": lambda: to_network(image(1, 8, 8), ImageSide()),
    "a prediction that loses a dimension": lambda: predict_any_size(lambda x: x[0], image(1, 3, 8, 8), 4),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_promise_is_found(case: str) -> None:
    with pytest.raises(TypeCheckError):
        BROKEN[case]()
