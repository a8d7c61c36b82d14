"""A client of a TOML language server, as editors are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Beside the Python that runs, as an environment that is not activated is not on the path.
TOMBI = shutil.which("tombi", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
OFFLINE = {**os.environ, "NO_COLOR": "1", "TOMBI_OFFLINE": "true"}

PATIENCE = 20.0
"""Seconds that a server has for an answer, and for its first completions of a text."""


class SilentServerError(Exception):
    """A server that did not answer in time, or ended."""


class LanguageServer:
    """A running server, in messages of the language server protocol."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._count = 0

    def ask(self, method: str, parameters: Any) -> Any:
        """Send a request, and wait for its answer; a server that gives none in time is killed."""
        self._count += 1
        impatience = threading.Timer(PATIENCE, self._process.kill)
        impatience.start()
        try:
            self._send({"id": self._count, "method": method, "params": parameters})
            while True:
                message = self._receive()
                if "method" in message and "id" in message:
                    self._send({"id": message["id"], "result": None})
                elif message.get("id") == self._count:
                    return message["result"]
        except (OSError, EOFError) as error:
            raise SilentServerError(f"{method} got no answer within {PATIENCE:g} s") from error
        finally:
            impatience.cancel()

    def tell(self, method: str, parameters: Any) -> None:
        """Send a notification."""
        self._send({"method": method, "params": parameters})

    def completions(self, file: Path, text: str) -> list[str]:
        """What is offered at the end of a text: asked until there is something, as a server reads schemas meanwhile."""
        document = {"uri": file.as_uri(), "languageId": "toml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})
        *lines, last = text.split("\n")
        place = {"line": len(lines), "character": len(last)}
        where = {"textDocument": {"uri": file.as_uri()}, "position": place}
        end = time.monotonic() + PATIENCE
        while True:
            found = self.ask("textDocument/completion", where)
            items = found["items"] if isinstance(found, dict) else found
            if items or time.monotonic() > end:
                return [item["label"] for item in items or []]
            time.sleep(0.1)

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _receive(self) -> Any:
        assert self._process.stdout
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        if not length:
            raise EOFError
        return json.loads(self._process.stdout.read(length))


@contextmanager
def language_server(folder: Path) -> Generator[LanguageServer, None, None]:
    """Start a server for the files of a folder, and end it."""
    assert TOMBI
    process = subprocess.Popen(
        [TOMBI, "lsp"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=OFFLINE,
        cwd=folder,
    )
    try:
        server = LanguageServer(process)
        server.ask("initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": {}})
        server.tell("initialized", {})
        yield server
    finally:
        process.kill()
        process.communicate()
