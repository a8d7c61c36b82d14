"""Content that a trial's result depends on beside its recipe: its data, files that are loaded, and its code."""

from __future__ import annotations

from dataclasses import replace

from genlab.ablation.identity import Identity, identity
from genlab.assemble.experiment import build_method, construct, construct_losses, prepare, settle, with_ranges
from genlab.assemble.networks import construct_networks, outlined
from genlab.assemble.open_data import OpenData, open_data
from genlab.assemble.pairing import require_pairs
from genlab.assemble.recipe import SHORT_FORMS, Recipe
from genlab.config.document import Document
from genlab.engine.validation import try_metrics
from genlab.registry.components import ConstructedPart
from genlab.runs.loaded_content import LoadedContent, find_loaded, parts_of
from genlab.runs.provenance import code_digests, fingerprints
from genlab.runs.starting_weights import contents_of, read_starting_weights


class TrialContents:
    """Contents that trials depend on, each opened and read once for all trials that share it."""

    def __init__(self) -> None:
        self._data: dict[str, OpenData] = {}
        self._fingerprints: dict[str, dict[str, str]] = {}
        self._code: dict[str, dict[str, str]] = {}

    def settled(self, recipe: Recipe, document: Document) -> tuple[Recipe, Identity]:
        """A trial's recipe, settled for this machine, and its identity; one that is settled stays the same.

        Raises:
            DeviceError: its device is missing.
            DataError: its data are not available, or its metrics cannot measure them.
        """
        settled = settle(recipe, self.opened(recipe))
        read = self.measured(recipe, document) | self._loaded(recipe, document) | self._starting(recipe, document)
        return settled, identity(settled.tables(), read, self._code_of(recipe))

    def opened(self, recipe: Recipe) -> OpenData:
        """The data of a recipe."""
        key = repr(recipe.data.table())
        if key not in self._data:
            self._data[key] = open_data(recipe.data.build_parts())
        return self._data[key]

    def channels(self, recipe: Recipe) -> tuple[int, int]:
        """The channels of condition and target, of a recipe that is settled or not."""
        data = self.opened(recipe)
        return prepare(with_ranges(recipe, data), data.training).channels

    def measured(self, recipe: Recipe, document: Document) -> dict[str, str]:
        """The fingerprints of a recipe's data, and of what its metrics load, once they have measured a pair.

        Data that metrics cannot measure are found here, before training.
        """
        tables = recipe.tables()
        key = repr((tables["data"], tables["input"], tables["method"], tables["evaluate"]["metrics"]))
        if key not in self._fingerprints:
            data = self.opened(recipe)
            require_pairs(recipe, data, document)
            metrics = construct(replace(recipe, losses={}, listeners={}), document).metrics
            try_metrics(metrics, prepare(with_ranges(recipe, data), data.validation))
            measuring = [ConstructedPart(metric, recipe.metrics[label]) for label, metric in metrics.items()]
            self._fingerprints[key] = fingerprints(data, find_loaded(measuring))
        return self._fingerprints[key]

    def _loaded(self, recipe: Recipe, document: Document) -> dict[str, str]:
        """The fingerprints of what a recipe's method, networks, losses and augmentations load."""
        tables = recipe.tables()
        names = ("data", "input", "augment", "method", *SHORT_FORMS, "networks", "losses")
        key = repr({name: tables.get(name) for name in names})
        if key not in self._fingerprints:
            losses = construct_losses(recipe, document)
            channels = self.channels(recipe)

            def find() -> list[LoadedContent]:
                networks = construct_networks(recipe, channels, document)
                method = build_method(recipe, networks, losses, channels, document)
                return find_loaded(parts_of(recipe, method, {}))

            self._fingerprints[key] = {item.key: item.fingerprint for item in outlined(find)}
        return self._fingerprints[key]

    def _starting(self, recipe: Recipe, document: Document) -> dict[str, str]:
        """The fingerprints of what a recipe's networks start with."""
        key = repr(("init", recipe.init))
        if key not in self._fingerprints:
            read = contents_of(read_starting_weights(recipe, document))
            self._fingerprints[key] = {item.key: item.fingerprint for item in read}
        return self._fingerprints[key]

    def _code_of(self, recipe: Recipe) -> dict[str, str]:
        """The digests of a recipe's code, which are the same wherever the same components take part."""
        key = repr(sorted({part.cls.__module__ for part in replace(recipe, listeners={}).components()}))
        if key not in self._code:
            self._code[key] = code_digests(recipe)
        return self._code[key]
