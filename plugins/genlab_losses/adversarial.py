"""Adversarial losses of a generator and a discriminator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from genlab import AdversarialLoss, Scores

_Objective = Literal["bce", "lsgan", "hinge", "wgan"]
_Cost = Callable[[Tensor], Tensor]
"""The mean cost of scores (n, 1, i, j)."""


class _Game(NamedTuple):
    """Costs of scores.

    Args:
        real: the discriminator's, of real images.
        predicted: the discriminator's, of predictions.
        passing: the generator's, of predictions.
    """

    real: _Cost
    predicted: _Cost
    passing: _Cost


def _cross_entropy(label: float) -> _Cost:
    return lambda scores: F.binary_cross_entropy_with_logits(scores, torch.full_like(scores, label))


def _squares(label: float) -> _Cost:
    return lambda scores: F.mse_loss(scores, torch.full_like(scores, label))


def _lacking(sign: float) -> _Cost:
    """The mean distance of scores from a margin of 1 on one side of zero, of those that have not reached it."""
    return lambda scores: F.relu(1 - sign * scores).mean()


def _mean(sign: float) -> _Cost:
    return lambda scores: sign * scores.mean()


_GAMES: dict[_Objective, _Game] = {
    "bce": _Game(real=_cross_entropy(1.0), predicted=_cross_entropy(0.0), passing=_cross_entropy(1.0)),
    "lsgan": _Game(real=_squares(1.0), predicted=_squares(0.0), passing=_squares(1.0)),
    "hinge": _Game(real=_lacking(1.0), predicted=_lacking(-1.0), passing=_mean(-1.0)),
    "wgan": _Game(real=_mean(-1.0), predicted=_mean(1.0), passing=_mean(-1.0)),
}


class Adversarial(AdversarialLoss):
    """Costs of scores: the discriminator raises those of real images and lowers those of predictions.

    The generator raises the latter.

    - `bce`: binary cross-entropy on the scores' sigmoid (Goodfellow et al. 2014, equation 1, the generator in its
      non-saturating form of section 3).
    - `lsgan`: the squared distance from 1 for real, 0 for predicted (Mao et al. 2017, equation 9, without its factors
      of one half).
    - `hinge`: what scores lack to a margin of 1; beyond it the discriminator has no gradient (Lim and Ye 2017, arXiv
      1705.02894; Miyato et al. 2018, arXiv 1802.05957, equations 16 and 17).
    - `wgan`: the difference of mean scores (Arjovsky et al. 2017, arXiv 1701.07875, algorithm 1). The critic has to be
      Lipschitz: add the loss `gradient_penalty`, or spectral norm.

    Args:
        objective: `bce`, the original GAN's; `lsgan`, least squares; `hinge`; or `wgan`, which wants a penalty.
    """

    def __init__(self, *, objective: _Objective = "bce") -> None:
        super().__init__()
        self._game = _GAMES[objective]

    @override
    def for_generator(self, scores: Scores) -> Float[Tensor, ""]:
        return self._game.passing(scores.prediction)

    @override
    def for_discriminator(self, scores: Scores) -> Float[Tensor, ""]:
        return self._game.real(scores.target) + self._game.predicted(scores.prediction)
