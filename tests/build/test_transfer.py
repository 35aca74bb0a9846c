from __future__ import annotations

import io
import ssl
import threading
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from haikube.build.transfer import (
    ATTEMPTS,
    REMEMBERED,
    TooLarge,
    Transfer,
    TransferError,
    _OutwardRedirects,
    check_url,
)
from haikube.local.pki import Certificate, make_authority, make_certificate

Answers = list[tuple[int, dict[str, str], bytes]]


class Scripted(HTTPServer):
    """Gives one prepared answer after the other, the last one for ever."""

    def __init__(self, answers: Answers) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = answers
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

    def url(self, path: str = "/object?X-Amz-Signature=secret") -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class _Handler(BaseHTTPRequestHandler):
    server: Scripted

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.command, dict(self.headers), body))
        number = min(len(self.server.requests), len(self.server.answers)) - 1
        code, headers, content = self.server.answers[number]
        self.send_response(code)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_PUT = do_GET  # noqa: N815 - the name http.server calls

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def scripted() -> Iterator[Callable[[Answers], Scripted]]:
    servers: list[Scripted] = []

    def start(answers: Answers) -> Scripted:
        servers.append(Scripted(answers))
        threading.Thread(target=servers[-1].serve_forever, args=(0.02,), daemon=True).start()
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def transfer() -> Transfer:
    return Transfer(None, pause=lambda _seconds: None)


def test_the_extra_certificates_are_trusted_and_no_strangers(
    scripted: Callable[[Answers], Scripted], tmp_path: Path
) -> None:
    make_authority(tmp_path, "a company")
    make_certificate(tmp_path, Certificate("server", "/CN=localhost", ("IP:127.0.0.1",)))
    server = scripted([(200, {}, b"content")])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = server.url().replace("http:", "https:")

    trusting = Transfer(tmp_path / "ca.crt", pause=lambda _seconds: None)
    assert trusting.fetch(url, tmp_path / "x", limit=10).size == len("content")
    with pytest.raises(TransferError, match="certificate verify failed"):
        Transfer(None, pause=lambda _seconds: None).fetch(url, tmp_path / "y", limit=10)


def test_a_put_announces_its_length(
    scripted: Callable[[Answers], Scripted], transfer: Transfer, tmp_path: Path
) -> None:
    server = scripted([(503, {}, b""), (200, {}, b"")])
    file = tmp_path / "slug"
    file.write_bytes(b"x" * 100_000)
    transfer.put_file(server.url(), file)
    method, headers, body = server.requests[-1]
    assert (method, headers["Content-Length"], len(body)) == ("PUT", "100000", 100_000)
    assert len(server.requests) == 2


def test_a_refusal_is_not_tried_again(
    scripted: Callable[[Answers], Scripted], transfer: Transfer, tmp_path: Path
) -> None:
    server = scripted([(403, {}, b"<Error>SignatureDoesNotMatch</Error>")])
    with pytest.raises(TransferError) as caught:
        transfer.fetch(server.url(), tmp_path / "x", limit=10)
    assert (caught.value.status, len(server.requests)) == (403, 1)
    assert "secret" not in str(caught.value)


def test_a_server_that_stays_broken_is_given_up(
    scripted: Callable[[Answers], Scripted], transfer: Transfer, tmp_path: Path
) -> None:
    server = scripted([(500, {}, b"")])
    with pytest.raises(TransferError, match="answered 500"):
        transfer.fetch(server.url(), tmp_path / "x", limit=10)
    assert len(server.requests) == ATTEMPTS


class Watch:
    """A clock that moves as far as somebody pauses; keeps what a person was told."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.told: list[str] = []
        self.transfer = Transfer(None, pause=self.pause, now=self.now, tell=self.told.append)

    def pause(self, seconds: float) -> None:
        self.seconds += seconds

    def now(self) -> float:
        return self.seconds


@pytest.mark.parametrize("verb", ["fetch", "put_file", "put_bytes"])
def test_a_storage_that_stays_away_is_waited_for_once(verb: str, tmp_path: Path) -> None:
    watch, file, gone = Watch(), tmp_path / "x", "http://127.0.0.1:1/a?X-Amz-Signature=secret"
    file.touch()
    calls: dict[str, Callable[[], object]] = {
        "fetch": lambda: watch.transfer.fetch(gone, file, limit=1),
        "put_file": lambda: watch.transfer.put_file(gone, file),
        "put_bytes": lambda: watch.transfer.put_bytes(gone, b""),
    }

    with pytest.raises(TransferError, match=r"refused.*tried 5 times"):
        watch.transfer.fetch(gone, file, limit=1)
    waited = watch.seconds
    assert 5 < waited < 16
    assert watch.told == ["127.0.0.1:1 does not answer: trying again for some seconds"]

    with pytest.raises(TransferError, match=r"refused.*tried once"):
        calls[verb]()
    assert watch.seconds == waited

    watch.pause(REMEMBERED)
    with pytest.raises(TransferError, match="tried 5 times"):
        calls[verb]()


def test_who_is_away_keeps_nobody_else_waiting(
    scripted: Callable[[Answers], Scripted], tmp_path: Path
) -> None:
    watch = Watch()
    with pytest.raises(TransferError):
        watch.transfer.fetch("http://127.0.0.1:1/a", tmp_path / "x", limit=1)
    server = scripted([(503, {}, b""), (200, {}, b"it")])
    assert watch.transfer.fetch(server.url(), tmp_path / "x", limit=9).size == 2


def test_a_storage_that_starts_again_is_waited_for(
    scripted: Callable[[Answers], Scripted], tmp_path: Path
) -> None:
    """Its gateway answers before its other parts do; that takes 3 s."""
    watch = Watch()
    server = scripted([(503, {}, b"")] * (ATTEMPTS - 1) + [(200, {}, b"it")])
    assert watch.transfer.fetch(server.url(), tmp_path / "x", limit=9).size == 2
    assert watch.seconds > 5


def test_a_short_answer_is_fetched_again(
    scripted: Callable[[Answers], Scripted], transfer: Transfer, tmp_path: Path
) -> None:
    server = scripted([(200, {"Content-Length": "9"}, b"half"), (200, {}, b"all of it")])
    fetched = transfer.fetch(server.url(), tmp_path / "x", limit=100)
    assert (tmp_path / "x").read_bytes() == b"all of it"
    assert fetched.size == 9
    assert fetched.digest.startswith("sha256:")


def test_more_than_the_limit_is_cut_off(
    scripted: Callable[[Answers], Scripted], transfer: Transfer, tmp_path: Path
) -> None:
    server = scripted([(200, {}, b"x" * 50)])
    with pytest.raises(TooLarge, match="more than 49 bytes"):
        transfer.fetch(server.url(), tmp_path / "x", limit=49)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://x/y", "https://u:p@x/y", "https:///x"]
)
def test_urls_that_are_never_fetched(url: str) -> None:
    with pytest.raises(TransferError):
        check_url(url)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "http://u:p@example.com/"])
def test_a_redirect_may_not_change_to_what_is_refused(
    scripted: Callable[[Answers], Scripted], transfer: Transfer, tmp_path: Path, target: str
) -> None:
    server = scripted([(302, {"Location": target}, b"")])
    with pytest.raises(TransferError):
        transfer.fetch(server.url(), tmp_path / "x", limit=10)


@pytest.mark.parametrize(
    ("origin", "target", "refused"),
    [
        ("1.1.1.1", "9.9.9.9", False),
        ("1.1.1.1", "10.0.0.1", True),
        ("1.1.1.1", "[fd00::1]", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.1", "1.1.1.1", False),
        ("10.0.0.1", "169.254.169.254", True),
        ("10.0.0.1", "127.0.0.1", True),
        ("10.0.0.1", "[::1]", True),
        ("10.0.0.1", "[::]", True),
        ("127.0.0.1", "127.0.0.2", False),
    ],
)
def test_a_redirect_never_leads_further_in(origin: str, target: str, refused: bool) -> None:  # noqa: FBT001 - a row
    redirects = _OutwardRedirects()
    asked = urllib.request.Request(f"http://{origin}/pack.tgz")
    new = f"http://{target}/latest"

    def follow() -> urllib.request.Request | None:
        return redirects.redirect_request(asked, io.BytesIO(), 302, "Found", HTTPMessage(), new)

    if refused:
        with pytest.raises(TransferError, match=r"a redirect to the private address .* is refused"):
            follow()
    else:
        found = follow()
        assert found is not None
        assert found.full_url == new


def test_a_url_is_resolved_without_being_judged_by_its_answer(
    scripted: Callable[[Answers], Scripted], transfer: Transfer
) -> None:
    server = scripted([(302, {"Location": "/there"}, b""), (200, {}, b"")])
    assert transfer.resolve(server.url()) == server.url("/there")
    server = scripted([(404, {}, b"")])
    assert transfer.resolve(server.url()) == server.url()
    assert transfer.resolve("http://127.0.0.1:1/x") == "http://127.0.0.1:1/x"
