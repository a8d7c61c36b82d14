"""Tables of images in the form that the `datasets` library reads: from this machine, its cache, or the hub.

Importing `datasets` takes a second, so it happens inside the functions that need it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from genlab import DataError, DataUnavailableError
from genlab_images import hub

if TYPE_CHECKING:
    from datasets import DatasetBuilder

_HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*(?<!\.parquet)")


class HubTable(NamedTuple):
    """Location of a table, as a recipe gives it.

    Args:
        path: a file or folder on this machine, or an id on the hub such as `huggan/facades`.
        config: which of several tables under that path.
        revision: which version on the hub: a branch, tag or commit.
    """

    path: str
    config: str | None
    revision: str | None

    def probe(self) -> None:
        """Raise `DataUnavailableError` if the table is neither on this machine nor, by a quick question, on the hub."""
        if self.local is None and self._cached() is None:
            self._require_hub()

    def open(self) -> DatasetBuilder:
        """Make the table ready to be read, downloading it if need be, with a progress bar then and only then.

        A table that was downloaded before serves when the hub does not.
        """
        local = self.local
        if local is not None:
            with quiet(), explained(self.path):
                reader, files = _reader(local)
                return _prepared(reader, self.config, files=files)
        try:
            self._require_hub()
        except DataUnavailableError:
            if (cached := self._cached()) is None:
                raise
            return cached
        with explained(self.path):
            return _prepared(self.path, self.config, revision=self.revision)

    @property
    def local(self) -> Path | None:
        """The file or folder on this machine, if that is what the path means; `DataError` if it cannot be seen."""
        path = Path(self.path).expanduser()
        try:
            return path if path.exists() else None
        except OSError as error:
            raise DataError(f"the table cannot be read: {error.strerror}", where=self.path) from error

    @property
    def folder(self) -> Path:
        """The folder that the table's files are in: its own, or its repository's in the hub's cache."""
        from huggingface_hub import constants
        from huggingface_hub.file_download import repo_folder_name

        if local := self.local:
            return local if local.is_dir() else local.parent
        return Path(constants.HF_HUB_CACHE, repo_folder_name(repo_id=self.path, repo_type="dataset"))

    def _require_hub(self) -> None:
        if not _HUB_ID.fullmatch(self.path):
            here = f"A relative path is taken from the working directory, {Path.cwd()}."
            hint = f"{here} An id on the Hugging Face hub looks like huggan/facades."
            raise DataUnavailableError("there is no such file or folder", where=self.path, hint=hint)
        hub.require_available(self.path)

    def _cached(self) -> DatasetBuilder | None:
        """The table as the hub last gave it; a revision only counts if it is the very commit that was kept."""
        namespace, _, name = self.path.rpartition("/")
        if not _HUB_ID.fullmatch(self.path) or not any(_cache_folder().glob(f"{namespace}___*/*/*/*")):
            return None
        from datasets.packaged_modules.cache.cache import Cache

        version, commit = ("0.0.0", self.revision) if self.revision else ("auto", "auto")
        try:
            with quiet():
                builder = Cache(
                    repo_id=self.path, dataset_name=name, config_name=self.config, version=version, hash=commit
                )
                builder.download_and_prepare()
        except (ValueError, OSError):
            return None
        return builder


def _cache_folder() -> Path:
    from huggingface_hub import constants

    return Path(os.environ.get("HF_DATASETS_CACHE") or Path(constants.HF_HOME, "datasets")).expanduser()


def _reader(local: Path) -> tuple[str, dict[str, list[str]] | None]:
    """Reader of `datasets` for this path: a folder needs none, a file is data for a reader."""
    if local.is_dir():
        return str(local.resolve()), None
    if local.suffix.lower() == ".parquet":
        return "parquet", {"train": [str(local.resolve())]}
    hint = "Give a Parquet file, a folder of them, or a folder of images with a metadata.csv that names their columns."
    raise DataError(f"a {local.suffix or 'bare'} file is not a table of images", where=str(local), hint=hint)


def _prepared(
    path: str, config: str | None, files: dict[str, list[str]] | None = None, revision: str | None = None
) -> DatasetBuilder:
    import datasets

    builder = datasets.load_dataset_builder(path, config, data_files=files, revision=revision)
    builder.download_and_prepare()
    return builder


@contextmanager
def quiet() -> Generator[None]:
    """No progress bars and no chatter from `datasets`: what lies on this machine is there at once."""
    import datasets
    from datasets.utils import logging

    silent, level = datasets.are_progress_bars_disabled(), logging.get_verbosity()
    datasets.disable_progress_bars()
    logging.set_verbosity(logging.CRITICAL)
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if not silent:
            datasets.enable_progress_bars()


@contextmanager
def explained(where: str) -> Generator[None]:
    """Whatever `datasets` raises over a table, as a `DataError` in a line or two."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        cause = error.__cause__ or error
        lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
        raise DataError(" ".join(lines[:2]) or type(cause).__name__, where=where) from error
