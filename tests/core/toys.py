"""A training put together from the toy parts, all in memory."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from genlab import Augmentation, Batch, Ended, Listener, Method, Network, Pairs, Started
from genlab.config.schema import OPTIONAL_TABLES, TABLES, Settings
from genlab.data.augment import augmentation_steps, load_size
from genlab.data.prepared import PreparedPairs
from genlab.engine.checkpoint_state import newest_intact
from genlab.engine.experiment import Experiment
from genlab.engine.loop import train_loop
from genlab.engine.optimizers import trained_networks
from genlab.engine.seeding import initialize
from genlab.registry.components import Components
from genlab.registry.discovery.find import find_plugins
from genlab.testing import (
    MemoryPairs as MemoryPairs,
    Recorder as Recorder,
    ToyDiscriminator as ToyDiscriminator,
    ToyGenerator as ToyGenerator,
    ToyMethod as ToyMethod,
    ToyMetric as ToyMetric,
)
from genlab_augment.flip import Flip
from genlab_augment.jitter import Jitter

CPU = torch.device("cpu")
JITTER_AND_FLIP: Mapping[str, Augmentation] = {"jitter": Jitter(amount=0.5), "flip": Flip()}


def noise(count: int, *shape: int, seed: int = 0, dtype: type[np.generic] = np.uint8) -> list[NDArray[np.generic]]:
    """Arrays of random values over the whole range of an integer type."""
    high = int(np.iinfo(dtype).max) + 1
    return list(np.random.default_rng(seed).integers(0, high, (count, *shape), dtype=dtype))


def pictures(count: int, height: int = 8, width: int = 8, seed: int = 0, **more: Any) -> MemoryPairs:
    """Pairs of images without any pattern."""
    return MemoryPairs(noise(count, height, width, 3, seed=seed), noise(count, height, width, 3, seed=seed + 1), **more)


def networks(seed: int = 0) -> dict[str, Network]:
    """A generator and a discriminator with the first weights of a run."""
    torch.manual_seed(seed)
    made: dict[str, Network] = {"generator": ToyGenerator(), "discriminator": ToyDiscriminator()}
    for role, network in made.items():
        initialize(network, seed, role)
    return made


def batch(count: int = 2, size: int = 8, seed: int = 1) -> Batch:
    values = 2 * torch.rand(2, count, 3, size, size, generator=torch.Generator().manual_seed(seed)) - 1
    return Batch(*values)


def settings(seed: int = 0, **tables: Mapping[str, Any]) -> Settings:
    """A recipe's tables: eight steps on crops of 8 x 8, values read at each; the given keys are laid over that."""
    first: dict[str, dict[str, Any]] = {
        "input": {"size": 8},
        "train": {"steps": 8, "values_every": 1},
        "inference": {"normalization": "image"},
        "evaluate": {"previews": 2, "validations": 2, "preview_pairs": 2},
    }
    given = {name: first.get(name, {}) | dict(tables.get(name, {})) for name in TABLES}
    left_out = {name for name in OPTIONAL_TABLES if not given[name]}
    return Settings(
        seed=seed, **{name: None if name in left_out else kind(**given[name]) for name, kind in TABLES.items()}
    )


SHIPPED = cache(lambda: Components(find_plugins()))


def component(kind: str, name: str, **given: Any) -> Any:
    """A component that comes with genlab."""
    return SHIPPED().get(kind, name).cls(**given)


def experiment(
    *listeners: Listener,
    pairs: Pairs | None = None,
    method: type[Method] = ToyMethod,
    seed: int = 0,
    optimizer: Mapping[str, Any] = {},
    schedule: Mapping[str, Any] = {"name": "linear"},
    **tables: Any,
) -> Experiment:
    """Five training pairs, cropped and flipped, and three to validate; a fresh experiment each time."""
    chosen = settings(seed, **tables)
    training = pairs or pictures(5, 12, 12)
    size = chosen.input.height_width
    steps = augmentation_steps(JITTER_AND_FLIP, size)
    made = networks(seed)
    torch.manual_seed(seed)
    trained = method(made, {})
    networks_of = trained_networks(trained)
    return Experiment(
        settings=chosen,
        method=trained,
        optimizers={
            role: component("optimizer", params=network.parameters(), **{"name": "adam", **optimizer})
            for role, network in networks_of.items()
        },
        schedules={role: component("schedule", **schedule) for role in networks_of},
        training=PreparedPairs(training, chosen.input, load_size(steps, size)),
        augmentations=steps,
        validation=PreparedPairs(pictures(3, 12, 12, seed=7), chosen.input, size),
        unaugmented=PreparedPairs(training, chosen.input, size),
        metrics={"distance": ToyMetric()},
        listeners=[(f"listener {number}", listener) for number, listener in enumerate(listeners, start=1)],
        device=CPU,
    )


def run(made: Experiment, folder: Path, *, stop_at: int | None = None, resume: bool = False) -> Ended:
    """Train in a folder, from the start or on from its last checkpoint."""
    folder.mkdir(exist_ok=True)
    last = newest_intact(folder / "checkpoints", made.run_id, optimizers=True) if resume else None
    train_settings = made.settings.train
    step = last.progress.step if last else 0
    started = Started(folder, "Toy", "", {}, step, train_settings.steps, train_settings.batch_size)
    return train_loop(made, started, last, stop_at)
