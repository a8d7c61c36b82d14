"""The listener does all that genlab asks of listeners."""

from __future__ import annotations

from genlab.testing import ListenerSuite
from genlab_tensorboard.listener import TensorBoard


class TestTensorBoard(ListenerSuite):
    component = TensorBoard
