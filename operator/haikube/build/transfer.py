"""HTTP with retries: presigned storage URLs, and archives of other people.

A host that is away is waited for once, and that is told: what comes right after is tried once. A
URL is a secret here: errors name its host, never its query.
"""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import math
import random
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, TypeVar
from urllib.parse import urlsplit

ATTEMPTS: Final = 5
"""With pauses of about 10 s in all: one process that starts again needs 3 s."""

REMEMBERED: Final = 15.0
"""Seconds in which a host that was waited for in vain is not waited for again."""

_TIMEOUT_SECONDS = 60
_CONNECT_SECONDS = 3.0
_TOLD: Final = 2
"""Attempts before a person is told: one alone may be an accident."""
_CHUNK = 1 << 20

T = TypeVar("T")
_RETRIED: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_SCHEMES: Final = frozenset({"http", "https"})


class TransferError(Exception):
    """A transfer that failed for good; ``status`` is set when a server answered."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class TooLarge(TransferError):
    """The other side sent more than we take."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What arrived on disk."""

    digest: str
    size: int


def check_url(url: str) -> str:
    """Return ``url`` if it may be fetched; raises ``TransferError`` with the reason."""
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise TransferError(f"the URL scheme {parts.scheme!r} is not allowed; use https")
    if parts.username is not None or parts.password is not None:
        raise TransferError(
            f"the URL of {parts.hostname} holds a user name or password, which would end up in "
            "logs; take it out"
        )
    return url


class Transfer:
    """Fetches and stores with one TLS trust; ``tell`` takes what a person is told meanwhile.

    ``pause`` and ``now`` are replaced in tests.
    """

    def __init__(
        self,
        ca_file: Path | None,
        pause: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
        tell: Callable[[str], None] = lambda _text: None,
    ) -> None:
        cafile = str(ca_file) if ca_file and ca_file.is_file() else None
        self._opener = urllib.request.build_opener(_Http(), _Https(cafile), _OutwardRedirects())
        self._pause = pause
        self._now = now
        self._tell = tell
        self._away: dict[str, float] = {}
        self.ca_file = ca_file

    def fetch(self, url: str, target: Path, *, limit: int) -> Fetched:
        """Store what ``url`` answers in ``target``, at most ``limit`` bytes."""
        return self._retried(url, lambda: self._fetch_once(url, target, limit))

    def resolve(self, url: str) -> str:
        """Return where ``url`` leads to after its redirects; raises only if one is refused.

        For programs that would follow any redirect. Whatever else is wrong with the URL, whoever
        fetches it next will say so.
        """
        request = urllib.request.Request(check_url(url))  # noqa: S310 - scheme checked
        try:
            with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                return str(answer.url)
        except urllib.error.HTTPError as error:
            error.close()
            return url
        except (OSError, http.client.HTTPException):
            return url

    def put_file(self, url: str, source: Path) -> None:
        """Upload a file; its length is announced, as S3 wants it."""
        self._retried(url, lambda: self._put_once(url, source))

    def put_bytes(self, url: str, data: bytes) -> None:
        """Upload a few bytes."""
        self._retried(url, lambda: self._send(url, data, len(data)))

    def _fetch_once(self, url: str, target: Path, limit: int) -> Fetched:
        request = urllib.request.Request(check_url(url))  # noqa: S310 - scheme checked
        with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
            with target.open("wb") as file:
                fetched = _copy(answer, file, limit)
            announced = answer.headers.get("Content-Length")
        if announced is not None and int(announced) != fetched.size:
            raise http.client.IncompleteRead(b"", int(announced) - fetched.size)
        return fetched

    def _put_once(self, url: str, source: Path) -> None:
        with source.open("rb") as file:
            self._send(url, file, source.stat().st_size)

    def _send(self, url: str, data: BinaryIO | bytes, size: int) -> None:
        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        request = urllib.request.Request(  # noqa: S310 - scheme checked
            check_url(url), data=data, headers=headers, method="PUT"
        )
        with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
            answer.read()

    def _retried(self, url: str, attempt: Callable[[], T]) -> T:
        """Try until it succeeds or is refused; raises ``TransferError`` after the last attempt."""
        host = urlsplit(url).netloc
        most = 1 if self._now() < self._away.get(host, -math.inf) else ATTEMPTS
        for number in range(1, most + 1):
            try:
                return attempt()
            except urllib.error.HTTPError as error:
                failure = _refused(error)
                if error.code not in _RETRIED:
                    raise failure from error
            except (OSError, http.client.HTTPException) as error:
                failure = TransferError(f"{_cause(error)} (tried {_times(number)})")
            if number < most:
                self._wait(host, number)
        self._away[host] = self._now() + REMEMBERED
        raise failure

    def _wait(self, host: str, number: int) -> None:
        if number == _TOLD:
            self._tell(f"{host} does not answer: trying again for some seconds")
        self._pause(random.uniform(0.5, 1) * 2 ** (number - 1))  # noqa: S311 - jitter


def _refused(error: urllib.error.HTTPError) -> TransferError:
    error.close()
    return TransferError(f"the server answered {error.code} {error.reason}", error.code)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _cause(error: Exception) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return str(reason) or type(error).__name__


def _connect(
    address: tuple[str, int], timeout: float | None, source: tuple[str, int] | None
) -> socket.socket:
    """Find out soon that nobody is there; who answers has more time."""
    found = socket.create_connection(address, _CONNECT_SECONDS, source)
    found.settimeout(timeout)
    return found


class _Connection(http.client.HTTPConnection):
    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - of the base class
        super().__init__(*args, **options)
        self._create_connection = _connect


class _SafeConnection(_Connection, http.client.HTTPSConnection):
    pass


class _Http(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, req)


class _Https(urllib.request.HTTPSHandler):
    """Reads the trusted certificates for the first such URL: many a build needs none of them."""

    def __init__(self, cafile: str | None) -> None:
        urllib.request.AbstractHTTPHandler.__init__(self)
        self._cafile = cafile

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._cafile)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_SafeConnection, req, context=self._trust)


class _OutwardRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never further in: into a private network, or to the machine itself."""

    def redirect_request(  # noqa: PLR0917 - the signature of the standard library
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        try:
            _check_redirect(req.full_url, newurl)
        except TransferError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_redirect(origin: str, target: str) -> None:
    check_url(target)
    host = urlsplit(target).hostname or ""
    if _depth(host) > _depth(urlsplit(origin).hostname or ""):
        raise TransferError(f"a redirect to the private address {host} is refused")


def _depth(host: str) -> int:
    """Return how far in a host is: 0 public, 1 private, 2 this machine and what serves it."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return 0
    return max(_depth_of(ipaddress.ip_address(str(item[4][0]))) for item in found)


def _depth_of(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
    if address.is_loopback or address.is_link_local or address.is_unspecified:
        return 2
    return 0 if address.is_global else 1


def _copy(source: BinaryIO, target: BinaryIO, limit: int) -> Fetched:
    digest = hashlib.sha256()
    size = 0
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"more than {limit} bytes arrived")
        digest.update(chunk)
        target.write(chunk)
    return Fetched(f"sha256:{digest.hexdigest()}", size)
