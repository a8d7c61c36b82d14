"""Availability of a dataset on the Hugging Face hub, asked with little patience.

`datasets` tries for half a minute before it gives up on a hub that is out of reach, so it is only let loose on one
that has just answered.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from genlab import DataUnavailableError

PATIENCE = 3.0  # seconds

_REFUSALS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}


def require_available(dataset: str) -> None:
    """Ask the hub that the environment names (HF_ENDPOINT) for a dataset, once per process.

    Raises:
        DataUnavailableError: offline mode is on, the hub does not answer in time, or it does not show the dataset.
    """
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE or os.environ.get("HF_DATASETS_OFFLINE", "").upper() in constants.ENV_VARS_TRUE_VALUES:
        what = "offline mode (HF_HUB_OFFLINE) forbids to fetch it from the Hugging Face hub"
        raise DataUnavailableError(what, where=dataset, hint=_elsewhere(dataset))
    endpoint(constants.ENDPOINT).require_available(dataset)


@cache
def endpoint(url: str) -> Endpoint:
    """The endpoint at a URL, one for each."""
    return Endpoint(url)


class Endpoint:
    """A hub, and what it said: a silent one is not asked again.

    Args:
        url: its address, without a slash at the end.
        patience: how many seconds it may take to answer.
    """

    def __init__(self, url: str, patience: float = PATIENCE) -> None:
        self.url = url
        self.patience = patience
        self.silence: str | None = None
        self.statuses: dict[str, int] = {}

    def require_available(self, dataset: str) -> None:
        """Raise `DataUnavailableError` unless the hub shows this dataset; takes `patience` at most."""
        if self.silence is None and dataset not in self.statuses:
            self._ask(dataset)
        hub = f"the Hugging Face hub at {self.url}"
        if dataset not in self.statuses:
            hint = f"{_elsewhere(dataset)} The environment variable HF_ENDPOINT names another hub."
            raise DataUnavailableError(f"{hub} does not answer ({self.silence})", where=dataset, hint=hint)
        status = self.statuses[dataset]
        if status in _REFUSALS:
            hint = f"If it is private, log in with `hf auth login`. {_elsewhere(dataset)}"
            raise DataUnavailableError(f"{hub} has no such dataset, or hides it from you", where=dataset, hint=hint)
        if status != HTTPStatus.OK:
            what = f"{hub} answers with an error (HTTP status {status})"
            raise DataUnavailableError(what, where=dataset, hint=_elsewhere(dataset))

    def _ask(self, dataset: str) -> None:
        answer = _within(self.patience, lambda: _get(f"{self.url}/api/datasets/{dataset}", self.patience))
        if isinstance(answer, int):
            self.statuses[dataset] = answer
        else:
            self.silence = answer or f"not within {self.patience:g} seconds"


def _get(url: str, patience: float) -> int | str:
    """The HTTP status of a hub's answer, or why there is none; through the connection that `datasets` will use."""
    try:
        from huggingface_hub.utils import build_hf_headers, get_session

        response = get_session().get(url, headers=build_hf_headers(), timeout=patience)
    except Exception as error:  # noqa: BLE001  (the errors are those of an HTTP library that changes with versions)
        return str(error).partition("\n")[0] or type(error).__name__
    if "json" not in response.headers.get("content-type", ""):
        return f"something else does, with HTTP status {response.status_code}"
    return response.status_code


def _within(seconds: float, ask: Callable[[], int | str]) -> int | str | None:
    """An answer in time, or none. Name resolution knows no timeouts, so the thread may have to be left behind."""
    answers: SimpleQueue[int | str] = SimpleQueue()
    Thread(target=lambda: answers.put(ask()), daemon=True).start()
    try:
        return answers.get(timeout=seconds)
    except Empty:
        return None


def _elsewhere(dataset: str) -> str:
    return (
        "Set the dataset's `path` to a copy on this machine, a Parquet file or a folder. "
        f"(There is no {dataset} in the working directory, {Path.cwd()}, either.)"
    )
