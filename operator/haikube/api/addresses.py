"""URLs of the platform as the caller of a request sees it, and of apps."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request

from haikube.cluster.port import Json
from haikube.settings import Settings

_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9a-fA-F:]{2,45}\](:\d{1,5})?")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def api_url(request: Request, settings: Settings) -> str:
    """Return the api's own URL without a slash at its end, as the caller reached it."""
    host = request.headers.get("host", "")
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme)
    if not _HOST.fullmatch(host):
        return _join(settings.scheme, f"api.{settings.domain}", settings.public_port)
    return f"{scheme if scheme in _DEFAULT_PORTS else 'http'}://{host}"


def app_url(app: Json, settings: Settings) -> str:
    """Return where an app answers, with a slash at its end."""
    status = app.get("status") or {}
    url: str = status.get("url") or _join(
        settings.scheme, f"{app['metadata']['name']}.{settings.domain}", settings.public_port
    )
    return url if url.endswith("/") else f"{url}/"


def _join(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://{host}" + ("" if port == _DEFAULT_PORTS.get(scheme) else f":{port}")
