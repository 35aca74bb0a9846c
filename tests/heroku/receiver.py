"""Where a drain leads to: an HTTPS and a syslog target on this machine, as the cluster sees it."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

_MESSAGE = re.compile(r"<\d+>1 (\S+) (\S+) (\S+) (\S+) - (?:- )?(.*)", re.DOTALL)
_GOODBYE = 1.0
"""Seconds in which TLS connections take leave of each other, before their loop is closed."""
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - the cluster is not on loopback


@dataclass(frozen=True)
class Message:
    """One line as it arrived."""

    time: str
    host: str
    app: str
    process: str
    text: str


def messages(body: bytes) -> Iterator[Message]:
    """Yield the messages of an octet-counted body."""
    while body:
        length, _, rest = body.partition(b" ")
        text, body = rest[: int(length)], rest[int(length) :]
        found = _MESSAGE.fullmatch(text.decode().removesuffix("\n"))
        assert found, text
        yield Message(*found.groups())


def address_towards(node: str) -> str:
    """Return the address of this machine that a node reaches."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((node, 9))
        return str(probe.getsockname()[0])


def certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """Make a key and a certificate that vouches for itself."""
    key, crt = folder / "tls.key", folder / "tls.crt"
    subprocess.run(
        (
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=drain", "-keyout", str(key)),
            *("-addext", f"subjectAltName=DNS:{host}", "-out", str(crt)),
        ),
        check=True,
        capture_output=True,
    )
    return key, crt


@dataclass
class Receiver:
    """Takes what comes, as long as it is open; each answer takes ``delay`` seconds."""

    key: Path
    crt: Path
    web_port: int = 0
    syslog_port: int = 0
    delay: float = 0.0
    https: list[Message] = field(default_factory=list)
    syslog: list[Message] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Listen while the block runs; the second time on the same ports."""
        begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        thread = threading.Thread(target=lambda: asyncio.run(self._serve(begun)))
        thread.start()
        loop, over = begun.result(10)
        try:
            yield
        finally:
            loop.call_soon_threadsafe(over.set)
            thread.join()

    async def _serve(self, begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]) -> None:
        over = asyncio.Event()
        runner = web.ServerRunner(web.Server(self._take), shutdown_timeout=0.1)
        await runner.setup()
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(self.crt, self.key)
        await web.TCPSite(runner, _EVERYWHERE, self.web_port, ssl_context=tls).start()
        server = await asyncio.start_server(self._read, _EVERYWHERE, self.syslog_port, ssl=tls)
        self.web_port = runner.addresses[0][1]
        self.syslog_port = server.sockets[0].getsockname()[1]
        begun.set_result((asyncio.get_running_loop(), over))
        await over.wait()
        server.close()
        await runner.cleanup()
        await asyncio.sleep(_GOODBYE)

    async def _take(self, request: web.BaseRequest) -> web.Response:
        self.headers = dict(request.headers)
        body = await request.read()
        await asyncio.sleep(self.delay)
        self.https += messages(body)
        return web.Response()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(asyncio.IncompleteReadError, OSError):
                while True:
                    length = await reader.readuntil(b" ")
                    text = await reader.readexactly(int(length))
                    self.syslog += messages(length + text)
        finally:
            writer.transport.abort()
