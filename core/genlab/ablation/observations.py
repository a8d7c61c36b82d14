"""Observations of a trial for the report: history of its metrics, metrics of each image, last pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from typing_extensions import override

from genlab.interfaces.listener import Ended, Listener, Pictures, Previewed, Started, Validated
from genlab.runs.folder import RunFolder
from genlab.runs.manifest import Manifest
from genlab.util.files import atomic_write, file_digests, remove_partial, write_text

History = Mapping[int, Mapping[str, float]]

_FILES = ("history.json", "images.json", "pictures.npz")


class Observations(Listener):
    """Write observations to the run's folder: `history.json`, metrics by step, `images.json`, and `pictures.npz`.

    The manifest gets their digests when the run ends.
    """

    @override
    def started(self, event: Started) -> None:
        self._folder = event.folder
        remove_partial(event.folder, *_FILES)
        self._history = {step: values for step, values in read_history(event.folder).items() if step <= event.step}

    @override
    def validated(self, event: Validated) -> None:
        self._history[event.step] = dict(event.metrics)
        write_text(self._folder / "history.json", json.dumps(self._history))
        write_text(self._folder / "images.json", json.dumps(event.per_image))

    @override
    def previewed(self, event: Previewed) -> None:
        pictures = event.pictures
        with atomic_write(self._folder / "pictures.npz") as aside, aside.open("wb") as file:
            np.savez_compressed(
                file,
                keys=np.array(pictures.keys, dtype=np.str_),
                condition=pictures.condition,
                prediction=pictures.prediction,
                target=pictures.target,
                captions=np.array([pictures.condition_caption, pictures.target_caption], dtype=np.str_),
                is_paired=pictures.is_paired,
            )

    @override
    def ended(self, event: Ended) -> None:
        RunFolder(self._folder).update(results=_digests(self._folder))


def damaged_observation(folder: Path, manifest: Manifest) -> str | None:
    """Name of a file with observations that is not as the run wrote it, or that it did not write."""
    if manifest.results is None:
        return _FILES[0]
    found = _digests(folder)
    return next((name for name in _FILES if found.get(name) != manifest.results.get(name)), None)


def _digests(folder: Path) -> dict[str, str]:
    return file_digests(path for name in _FILES if (path := folder / name).is_file())


def read_history(folder: Path) -> dict[int, dict[str, float]]:
    """A run's metrics by step; empty if none were measured."""
    path = folder / "history.json"
    if not path.is_file():
        return {}
    return {int(step): values for step, values in json.loads(path.read_text(encoding="utf-8")).items()}


def read_per_image(folder: Path) -> dict[str, dict[str, float]]:
    """Last metrics of each image, by its key, for metrics that are means over images."""
    path = folder / "images.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def read_pictures(folder: Path) -> Pictures | None:
    """A run's last pictures, if it made any."""
    path = folder / "pictures.npz"
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as arrays:
        sides = (arrays[side] for side in ("condition", "prediction", "target"))
        captions = map(str, arrays["captions"]) if "captions" in arrays else ()  # trials from before have none
        is_paired = "is_paired" not in arrays or bool(arrays["is_paired"])
        return Pictures(tuple(map(str, arrays["keys"])), *sides, *captions, is_paired=is_paired)
