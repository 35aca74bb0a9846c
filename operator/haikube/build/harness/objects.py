"""A folder behind HTTP, standing in for presigned object URLs on this machine only."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class ObjectServer(ThreadingHTTPServer):
    """Serves GET and PUT of plain names in ``folder``."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder

    def url(self, name: str) -> str:
        """Return the URL of one object."""
        return f"http://127.0.0.1:{self.server_port}/{name}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ObjectServer

    def do_GET(self) -> None:
        path = self._path()
        if not path.is_file():
            self._answer(404)
            return
        with path.open("rb") as file:
            self.send_response(200)
            self.send_header("Content-Length", str(path.stat().st_size))
            self.end_headers()
            shutil.copyfileobj(file, self.wfile, 1 << 20)

    def do_PUT(self) -> None:
        remaining = int(self.headers["Content-Length"])
        partial = self._path().with_suffix(".partial")
        with partial.open("wb") as file:
            while remaining and (chunk := self.rfile.read(min(remaining, 1 << 20))):
                file.write(chunk)
                remaining -= len(chunk)
        partial.rename(self._path())
        self._answer(200)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
        """Say nothing: the build log is what is read."""

    def _path(self) -> Path:
        return self.server.folder / Path(self.path).name

    def _answer(self, code: int) -> None:
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def serving(folder: Path) -> Iterator[ObjectServer]:
    """Serve ``folder`` while the context lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    server = ObjectServer(folder)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
