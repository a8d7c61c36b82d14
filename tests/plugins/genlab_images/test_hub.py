"""What a hub answers, and that a silent one is left alone soon."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from genlab import DataUnavailableError
from genlab_images.hub import PATIENCE, Endpoint, endpoint

STATUSES = {"known": 200, "hidden": 401, "gated": 403, "gone": 404, "busy": 503}


class Hub(ThreadingHTTPServer):
    """Answers for the datasets `of/<name>` with the statuses above, and remembers what it was asked."""

    def __init__(self, content_type: str = "application/json") -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.content_type = content_type
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        if self.path.startswith("/api/datasets/"):
            self.server.asked.append(self.path)
        self.send_response(STATUSES.get(self.path.removeprefix("/api/datasets/of/"), 404))
        self.send_header("Content-Type", self.server.content_type)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(request: pytest.FixtureRequest) -> Iterator[Hub]:
    with Hub(*getattr(request, "param", ())) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def black_hole() -> Iterator[str]:
    """The address of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_dataset_that_the_hub_has_is_asked_for_once(hub: Hub) -> None:
    asked = Endpoint(hub.url)
    asked.require_available("of/known")
    asked.require_available("of/known")
    assert hub.asked == ["/api/datasets/of/known"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hidden", "no such dataset, or hides it"),
        ("gated", "no such dataset, or hides it"),
        ("gone", "no such dataset, or hides it"),
        ("busy", "HTTP status 503"),
    ],
)
def test_a_dataset_that_the_hub_does_not_give(hub: Hub, name: str, message: str) -> None:
    asked = Endpoint(hub.url)
    for _ in range(2):
        with pytest.raises(DataUnavailableError, match=message) as caught:
            asked.require_available(f"of/{name}")
        assert caught.value.where == f"of/{name}"
        assert "Set the dataset's `path` to a copy" in str(caught.value.hint)
    assert len(hub.asked) == 1
    asked.require_available("of/known")


@pytest.mark.parametrize("hub", [("text/html",)], indirect=True)
def test_a_login_page_is_no_hub(hub: Hub) -> None:
    with pytest.raises(DataUnavailableError, match=r"does not answer \(something else does, with HTTP status 200\)"):
        Endpoint(hub.url).require_available("of/known")


def test_a_silent_hub_is_given_up_on_and_not_asked_again(black_hole: str) -> None:
    asked = Endpoint(black_hole, patience=0.3)
    start = time.monotonic()
    for dataset in ("of/known", "of/known", "of/other"):
        # The socket's own limit is as long, and on a busy machine it may be the first.
        silence = r"does not answer \((not within 0.3 seconds|timed out)\)"
        with pytest.raises(DataUnavailableError, match=silence) as caught:
            asked.require_available(dataset)
        assert caught.value.where == dataset
    assert time.monotonic() - start < 0.8
    assert PATIENCE <= 3


def test_a_closed_port_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(DataUnavailableError, match=r"does not answer \(.*refused") as caught:
        Endpoint(f"http://127.0.0.1:{port}").require_available("of/known")
    assert "HF_ENDPOINT" in str(caught.value.hint)
    assert str(Path.cwd()) in str(caught.value.hint)


def test_an_endpoint_is_remembered_by_its_address() -> None:
    assert endpoint("http://one") is endpoint("http://one")
    assert endpoint("http://one") is not endpoint("http://two")
