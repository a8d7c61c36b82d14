"""The optimizers and schedules do all that genlab asks of them."""

from __future__ import annotations

from typing import ClassVar

from genlab.testing import OptimizerSuite, ScheduleSuite
from genlab_optimizers.adafactor import Adafactor
from genlab_optimizers.adam import Adam
from genlab_optimizers.adamw import AdamW
from genlab_optimizers.constant import Constant
from genlab_optimizers.cosine import Cosine
from genlab_optimizers.linear import Linear
from genlab_optimizers.rmsprop import RMSprop
from genlab_optimizers.sgd import SGD
from genlab_optimizers.steps import Steps


class TestAdam(OptimizerSuite):
    component = Adam


class TestAmsgrad(OptimizerSuite):
    component = Adam
    settings: ClassVar = {"amsgrad": True}


class TestAdamW(OptimizerSuite):
    component = AdamW
    settings: ClassVar = {"weight_decay": 0.01}


class TestSGD(OptimizerSuite):
    component = SGD


class TestMomentum(OptimizerSuite):
    component = SGD
    settings: ClassVar = {"momentum": 0.9, "nesterov": True}


class TestRMSprop(OptimizerSuite):
    component = RMSprop
    settings: ClassVar = {"centered": True, "momentum": 0.5}


class TestAdafactor(OptimizerSuite):
    component = Adafactor


class TestConstant(ScheduleSuite):
    component = Constant


class TestLinear(ScheduleSuite):
    component = Linear


class TestCosine(ScheduleSuite):
    component = Cosine


class TestSteps(ScheduleSuite):
    component = Steps
