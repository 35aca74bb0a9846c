"""URLs of the platform as the caller of a request sees it, and of apps."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request

from haikube.api.kernel.identity import app_name
from haikube.cluster.port import Json
from haikube.settings import Settings

_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9a-fA-F:]{2,45}\](:\d{1,5})?")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_BRIDGE: Final = re.compile(r"http://(?:localhost|127\.0\.0\.1|\[::1\]):\d{1,5}")
"""A bridge is on the caller's own machine: no other address is believed."""


def api_url(request: Request, settings: Settings) -> str:
    """Return the api's own URL without a slash at its end, as the caller reached it."""
    if bridge := bridge_url(request):
        return bridge
    host = request.headers.get("host", "")
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme)
    if not _HOST.fullmatch(host):
        return _join(settings.scheme, f"api.{settings.domain}", settings.public_port)
    return f"{scheme if scheme in _DEFAULT_PORTS else 'http'}://{host}"


def bridge_url(request: Request) -> str:
    """Return the URL of the bridge that a request came through, empty when through none."""
    said = request.headers.get("haikube-bridge", "")
    return said if _BRIDGE.fullmatch(said) else ""


def git_base(request: Request, settings: Settings) -> str:
    """Return what git's URLs begin with; a bridge speaks TLS with git on its one port."""
    base = api_url(request, settings)
    if bridge_url(request):
        base = base.replace("http://", "https://", 1)
    return base


def attach_url(request: Request, settings: Settings, secret: str, *, told: bool) -> str:
    """Return where a session with a dyno is joined: docs/spec/attach.md.

    ``told`` says that its client waits for an exit code, whatever becomes of the session.
    """
    place = api_url(request, settings).partition("://")[2]
    return f"rendezvous://{place}/{secret}" + ("?told" if told else "")


def app_url(app: Json, settings: Settings) -> str:
    """Return where an app answers, with a slash at its end."""
    url = _join(settings.scheme, app_host(app, settings), settings.public_port)
    return f"{url}/"


def app_host(app: Json, settings: Settings) -> str:
    """Return the host that an app has by its name: at once, also when it was renamed just now."""
    return f"{app_name(app)}.{settings.domain}"


def _join(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://{host}" + ("" if port == _DEFAULT_PORTS.get(scheme) else f":{port}")
