"""A package server on this machine that lets nobody in without a password."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from languages.mirrors.served import Quiet, served

CREDENTIALS = "ada:secret-4711"
_EXPECTED = "Basic " + base64.b64encode(CREDENTIALS.encode()).decode()


class _Refusing(Quiet):
    def send_head(self) -> Any:
        if self.headers.get("Authorization") == _EXPECTED:
            return super().send_head()
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="packages"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return None


@contextmanager
def refusing(folder: Path) -> Iterator[str]:
    """Serve the folder to who has the credentials; gives host and port."""
    with served(folder, _Refusing) as url:
        yield url.removeprefix("http://")
