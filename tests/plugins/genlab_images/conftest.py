"""Images on disk for the datasets' tests."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from PIL import Image

Color = int | tuple[int, ...]


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Write an image of one color, or of one on the left and one on the right, to a path below `tmp_path`."""

    def write(path: str, *colors: Color, size: tuple[int, int] = (8, 6), mode: str = "RGB", **options: object) -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.new(mode, size, colors[0] if colors else 0)
        if len(colors) == 2:
            picture.paste(colors[1], (size[0] // 2, 0, *size))
        picture.save(file, **options)
        return file

    return write


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of ten images in colors, of several sizes."""
    folder, random = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for number in range(10):
        image = random.integers(256, size=(9 + number % 3, 7 + number % 2, 3), dtype=np.uint8)
        Image.fromarray(image).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def encode() -> Callable[..., bytes]:
    """The bytes of an image file: of one color, or of an array."""

    def to_bytes(content: Color | np.ndarray, size: tuple[int, int] = (8, 6), kind: str = "PNG") -> bytes:
        picture = Image.fromarray(content) if isinstance(content, np.ndarray) else Image.new("RGB", size, content)
        buffer = BytesIO()
        picture.save(buffer, kind)
        return buffer.getvalue()

    return to_bytes


@pytest.fixture(scope="session")
def facades() -> Path:
    """The real CMP Facades, side by side, which cannot be shipped."""
    root = os.environ.get("GENLAB_FACADES")
    if not root:
        pytest.skip("GENLAB_FACADES does not name the folder of the CMP Facades")
    return Path(root)


COMMIT = "0123456789abcdef0123456789abcdef01234567"


class TableAnswers(BaseHTTPRequestHandler):
    """As much of the hub's interface as it takes to download `huggan/facades` with these files in `data`."""

    files: Mapping[str, bytes]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        dataset = "/api/datasets/huggan/facades"
        if path in (dataset, f"{dataset}/revision/{COMMIT}"):
            files = [{"rfilename": f"data/{name}"} for name in self.files]
            self._answer(200, {"id": "huggan/facades", "sha": COMMIT, "siblings": files, "tags": []})
        elif path == f"{dataset}/tree/{COMMIT}":
            self._answer(200, [{"type": "directory", "path": "data", "oid": "b" * 40, "size": 0}])
        elif path == f"{dataset}/tree/{COMMIT}/data":
            self._answer(200, [self._entry(name) for name in self.files])
        elif path.endswith(tuple(f"/resolve/{COMMIT}/data/{name}" for name in self.files)):
            name = path.rpartition("/")[2]
            self._answer(200, self.files[name], ETag=f'"{name}"')
        else:
            self._answer(404, {}, **{"X-Error-Code": "EntryNotFound"})

    def _entry(self, name: str) -> dict[str, object]:
        return {"type": "file", "path": f"data/{name}", "oid": name.encode().hex(), "size": len(self.files[name])}

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer(self, status: int, content: object, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        kind = "application/octet-stream" if isinstance(content, bytes) else "application/json"
        self.send_response(status)
        common = {"Content-Type": kind, "Content-Length": str(len(body)), "X-Repo-Commit": COMMIT}
        for name, value in (common | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def table_hub() -> Callable[..., AbstractContextManager[str]]:
    """Serve files as the folder `data` of `huggan/facades`, from a hub whose address this gives."""

    @contextmanager
    def serve(*files: Path) -> Iterator[str]:
        answers = type("Answers", (TableAnswers,), {"files": {file.name: file.read_bytes() for file in files}})
        with ThreadingHTTPServer(("127.0.0.1", 0), answers) as server:
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()
            thread.join()

    return serve
