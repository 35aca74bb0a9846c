"""Requests that no dyno answers: a real Traefik with our part of it, and a dyno in bytes."""

from __future__ import annotations

import http.client
import json
import re
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from haikube.errors.answers import Answer
from haikube.errors.page import page
from haikube.local.paths import Paths
from haikube.local.tools import wheel_program
from haikube.logs.request import router_line
from haikube.model.route import CODE_HEADER
from manifests.built import MANIFESTS
from storage.seaweed import free_ports
from terminal import eventually

OURS: Final = MANIFESTS / "components" / "gateway" / "request"
FIRST_BYTE: Final = 1
SILENCE: Final = 2
CONNECT: Final = 1
WHOLE: Final = 2
"""Seconds that a request may take to arrive: less than `/stream` needs for its answer."""

OK: Final = b"HTTP/1.1 200 OK\r\nDate: now\r\n"
CHUNKED: Final = OK + b"Trailer: X-End\r\nTransfer-Encoding: chunked\r\n\r\n"
ROUTES: Final = """
http:
  routers:
    app: {{entryPoints: [web], rule: PathPrefix(`/`), priority: 1, service: app}}
    refused: {{entryPoints: [web], rule: Path(`/refused`), priority: 2, service: refused}}
    unheard: {{entryPoints: [web], rule: Path(`/unheard`), priority: 2, service: unheard}}
    nobody: {{entryPoints: [web], rule: Path(`/nobody`), priority: 2, service: nobody}}
  middlewares:
    request: {{plugin: {{request: {{api: api.localhost, silence: {silence}}}}}}}
  services:
    app: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{app}"}}]}}}}
    refused: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{refused}"}}]}}}}
    unheard: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{unheard}"}}]}}}}
    nobody: {{loadBalancer: {{servers: []}}}}
"""
Say = Callable[[bytes], None]


def late(say: Say) -> None:
    time.sleep(FIRST_BYTE + 1)
    say(OK + b"Content-Length: 0\r\n\r\n")


def silent(say: Say) -> None:
    say(CHUNKED + b"4\r\nhalf\r\n")
    time.sleep(SILENCE + 1)


def stream(say: Say) -> None:
    """Answer for longer than it may be silent."""
    say(CHUNKED)
    for _ in range(4):
        time.sleep(SILENCE * 0.4)
        say(b"4\r\npart\r\n")
    say(b"0\r\nX-End: yes\r\n\r\n")


def bad_gateway(words: bytes, *headers: bytes) -> Callable[[Say], None]:
    head = (b"HTTP/1.1 502 Bad Gateway", *headers, b"Content-Length: %d" % len(words))
    return lambda say: say(b"\r\n".join(head) + b"\r\n\r\n" + words)


ANSWERS: Final[dict[str, Callable[[Say], None]]] = {
    "/": lambda say: say(OK + b"Content-Length: 5\r\n\r\nhello"),
    "/dies": lambda _: None,
    "/late": late,
    "/nonsense": lambda say: say(b"nonsense\r\n\r\n"),
    "/breaks-off": lambda say: say(OK + b"Content-Length: 9\r\n\r\nhalf"),
    "/silent": silent,
    "/stream": stream,
    "/hints": lambda say: say(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + b"\r\n"),
    "/same-words": bad_gateway(b"Bad Gateway", b"Date: now"),
    "/other-words": bad_gateway(b"out of order"),
    "/no-words": bad_gateway(b""),
}


class Dyno(socketserver.StreamRequestHandler):
    """Answers one request in bytes, and ends the connection."""

    def handle(self) -> None:
        head = iter(self.rfile.readline, b"\r\n")
        path, upgrade = next(head).split()[1].decode(), False
        for line in head:
            upgrade |= line.lower().startswith(b"upgrade:")
        if upgrade:
            self.echo()
        elif path in ANSWERS:
            ANSWERS[path](self.wfile.write)

    def echo(self) -> None:
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\n")
        self.wfile.write(b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        while word := self.connection.recv(100):
            self.wfile.write(word)


@dataclass(frozen=True)
class Router:
    """A running Traefik."""

    port: int
    folder: Path

    def ask(self, path: str, method: str = "GET", host: str = "app.localhost") -> Any:
        """Return the answer to a request, its body read as far as it came."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with closing(connection):
            connection.request(method, path, headers={"Host": host, CODE_HEADER: "H10"})
            answer = connection.getresponse()
            try:
                answer.text = answer.read().decode()  # type: ignore[attr-defined]
            except http.client.IncompleteRead:
                answer.text = None  # type: ignore[attr-defined]
            return answer

    def raw(self, head: str) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.sendall(f"{head}\r\nHost: app.localhost\r\n\r\n".encode())
        return connection

    def line(self, path: str) -> str:
        """Return the last line about a path as ``heroku logs`` has it."""

        def look() -> str:
            *whole, _begun = (self.folder / "access.log").read_text().split("\n")
            entries = map(json.loads, whole)
            found = [each for each in entries if each["RequestPath"] == path]
            return str(router_line(found[-1], found[-1]["time"], "web.1")) if found else ""

        return eventually(look, f"the line about {path}")


@contextmanager
def unheard() -> Iterator[int]:
    """Yield a port whose queue is full: the kernel drops who knocks, as a lost node does."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, ExitStack() as stack:
        for _ in range(2):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(server.getsockname())
        yield server.getsockname()[1]


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Router]:
    folder = tmp_path_factory.mktemp("router")
    code = folder / "plugins-local" / "src" / "haikube.dev" / "request"
    code.mkdir(parents=True)
    for source in OURS.iterdir():
        name = ".traefik.yml" if source.suffix == ".yaml" else source.name
        (code / name).write_bytes(source.read_bytes())
    port, refused = free_ports(2)
    dynos = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Dyno)
    with unheard() as silent_port, dynos as dyno:
        dyno.daemon_threads = True
        threading.Thread(target=dyno.serve_forever, daemon=True).start()
        places = {"app": dyno.server_address[1], "refused": refused, "silence": SILENCE}
        places["unheard"] = silent_port
        (folder / "routes.yaml").write_text(ROUTES.format(**places))
        process = subprocess.Popen(
            (wheel_program(Paths.default(), "traefik"), *_args(port)), cwd=folder
        )
        try:
            yield _started(Router(port, folder))
        finally:
            process.terminate()
            process.wait(60)
            dyno.shutdown()


def _args(port: int) -> tuple[str, ...]:
    return (
        "--global.checknewversion=false",
        "--log.level=FATAL",
        f"--entrypoints.web.address=127.0.0.1:{port}",
        "--entrypoints.web.http.middlewares=request@file",
        f"--entrypoints.web.transport.respondingtimeouts.readtimeout={WHOLE}s",
        f"--serverstransport.forwardingtimeouts.dialtimeout={CONNECT}s",
        f"--serverstransport.forwardingtimeouts.responseheadertimeout={FIRST_BYTE}s",
        "--accesslog=true",
        "--accesslog.format=json",
        "--accesslog.filepath=access.log",
        f"--accesslog.fields.headers.names.{CODE_HEADER}=keep",
        "--accesslog.fields.headers.names.X-Request-Id=keep",
        "--experimental.localplugins.request.modulename=haikube.dev/request",
        "--providers.file.filename=routes.yaml",
    )


def _started(router: Router) -> Router:
    def answers() -> bool:
        try:
            return bool(router.ask("/").status == 200)
        except OSError:
            return False

    eventually(answers, "Traefik")
    return router


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("/late", "H12", "Request timeout"),
        ("/dies", "H13", "Connection closed without response"),
        ("/nonsense", "H17", "Poorly formed HTTP response"),
        ("/refused", "H21", "Backend connection refused"),
        ("/unheard", "H19", "Backend connection timeout"),
        ("/nobody", "H99", "Platform error"),
    ],
)
def test_who_gets_no_answer_gets_the_platforms_page(
    router: Router, method: str, path: str, code: str, words: str
) -> None:
    answer = router.ask(path, method)

    request_id = answer.headers["X-Request-Id"]
    text = _page(code, request_id)
    assert (answer.status, answer.headers[CODE_HEADER]) == (503, code)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Length"] == str(len(text.encode()))
    assert answer.text == ("" if method == "HEAD" else text)
    line = router.line(path)
    assert f'at=error code={code} desc="{words}" method={method}' in line
    assert f"request_id={request_id}" in line
    assert "status=503" in line


def _page(code: str, request_id: str) -> str:
    """Return what the errors service would have shown."""
    [text] = re.findall(r"<p>(.*)</p>", (OURS / "page.go").read_text())
    return page(Answer(code, "", 503, "Application error", text), request_id)


@pytest.mark.parametrize(
    ("path", "words"),
    [("/same-words", "Bad Gateway"), ("/other-words", "out of order"), ("/no-words", "")],
)
def test_what_an_app_itself_answers_is_left_alone(router: Router, path: str, words: str) -> None:
    answer = router.ask(path)

    assert (answer.status, answer.text, answer.headers[CODE_HEADER]) == (502, words, None)
    assert "at=info" in router.line(path)


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("/breaks-off", "H18", "Server Request Interrupted"),
        ("/silent", "H15", "Idle connection"),
    ],
)
def test_an_answer_that_ends_too_early(router: Router, path: str, code: str, words: str) -> None:
    answer = router.ask(path)

    assert (answer.status, answer.text) == (200, None)
    line = router.line(path)
    assert f'at=error code={code} desc="{words}"' in line
    assert "status=503" in line


def test_a_stream_arrives_part_by_part_with_its_trailer(router: Router) -> None:
    arrived: list[float] = []
    seen = b""
    with router.raw("GET /stream HTTP/1.1\r\nTE: trailers\r\nConnection: close") as connection:
        while part := connection.recv(4096):
            seen += part
            arrived.append(time.monotonic())

    assert seen.count(b"4\r\npart\r\n") == 4
    assert seen.endswith(b"0\r\nX-End: yes\r\n\r\n")
    assert arrived[-1] - arrived[0] > SILENCE


def test_an_answer_before_the_answer_comes_through(router: Router) -> None:
    with router.raw("GET /hints HTTP/1.1\r\nConnection: close") as connection:
        seen = b"".join(iter(lambda: connection.recv(4096), b""))

    assert seen.startswith(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_a_websocket_outlives_silence(router: Router) -> None:
    head = "GET /socket HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket"
    with router.raw(head) as connection:
        assert connection.recv(4096).startswith(b"HTTP/1.1 101 ")
        time.sleep(SILENCE + 0.5)
        connection.sendall(b"word")
        assert connection.recv(100) == b"word"

    assert "status=101" in router.line("/socket")


def test_a_visitor_who_leaves_is_named(router: Router) -> None:
    with router.raw("GET /late HTTP/1.1\r\nX-Left: yes"):
        time.sleep(0.2)

    eventually(lambda: "code=H27" in router.line("/late"), "the line")


@pytest.mark.parametrize(
    ("length", "sent"),
    [(100, 10), (10_000_000, 10), (10_000_000, 200_000), (None, 10)],
    ids=["small", "large", "large, half of it", "chunked"],
)
def test_a_visitor_who_stalls_in_an_upload_is_named(
    router: Router, length: int | None, sent: int
) -> None:
    path = f"/upload-{length}-{sent}"
    ANSWERS[path] = lambda _: time.sleep(WHOLE + 2)
    kind = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    part = b"%x\r\n" % sent if length is None else b""
    with router.raw(f"POST {path} HTTP/1.1\r\n{kind}") as connection:
        connection.sendall(part + b"x" * sent)
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")

    assert 'code=H28 desc="Client Connection Idle"' in router.line(path)


def test_a_visitor_who_leaves_an_upload_is_named(router: Router) -> None:
    ANSWERS["/left"] = lambda _: time.sleep(1)
    with router.raw("POST /left HTTP/1.1\r\nContent-Length: 10000000") as connection:
        connection.sendall(b"x" * 100_000)

    assert 'code=H27 desc="Client Request Interrupted"' in router.line("/left")


def test_a_large_answer_is_whole(router: Router) -> None:
    ANSWERS["/large"] = lambda say: say(OK + b"Content-Length: 5000000\r\n\r\n" + b"x" * 5_000_000)

    assert router.ask("/large").text == "x" * 5_000_000


def test_the_api_speaks_for_itself(router: Router) -> None:
    answer = router.ask("/nobody", host="api.localhost")

    assert (answer.status, answer.text) == (503, "no available server\n")
