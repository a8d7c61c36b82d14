import re
from typing import Any

import pytest

from genlab.assemble.read import read_recipe
from genlab.config.other_names import OTHER_NAMES, other_name_hint, table_hint
from genlab.config.schema import TABLES

FIELDS = {f"{name}.{field}" for name, table in TABLES.items() for field in table.model_fields}
SETTING = re.compile(r"`(\w+(?:\.\w+)*)( = [^`]+)?`")


@pytest.fixture(scope="module")
def tables() -> dict[str, Any]:
    return read_recipe("unet_folder", overrides=["schedule.name=linear", "optimizer.clip=1", "ema.horizon=1"]).tables()


@pytest.mark.parametrize("key", OTHER_NAMES)
def test_what_it_is_called_here_can_be_set(key: str, tables: dict[str, Any]) -> None:
    assert key == key.lower()
    for name, value in SETTING.findall(OTHER_NAMES[key]):
        table: Any = tables
        for part in name.split("."):
            assert part in table or name in FIELDS, name
            table = table.get(part)
        if value:
            read_recipe("unet_folder", overrides=[f"{name}{value}"])


@pytest.mark.parametrize(
    ("key", "here"),
    [
        ("lr", "optimizer.learning_rate"),
        ("lambda_L1", "losses.l1.weight"),
        ("netG", "generator.name"),
        ("loadSize", "augment.jitter.amount"),
        ("G_ngf", "generator.channels"),
        ("train_G_lr", "optimizer.learning_rate"),
        ("train_n_epochs", "train.steps"),
        ("data_load_size", "augment.jitter.amount"),
        ("train_iter_size", "train.accumulate"),
        ("train_G_ema_beta", "ema.horizon"),
    ],
)
def test_names_are_known_in_the_spelling_of_their_framework(key: str, here: str) -> None:
    assert f"Here, that is `{here}`" in str(other_name_hint(key))


@pytest.mark.parametrize("key", ["", "g_", "train_", "steps", "sources", "weight"])
def test_others_are_not_known(key: str) -> None:
    assert other_name_hint(key) is None


def test_a_key_of_another_table_has_its_home() -> None:
    assert table_hint("batch_size") == "Did you mean `train.batch_size`?"
    assert table_hint("metrics") == "Did you mean `evaluate.metrics`?"
    assert table_hint("seed") == "Did you mean `seed`, above the first table?"
    assert table_hint("data") is None
