"""Why the storage failed, in one line for a person; never holds a credential or a signature."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from obstore import exceptions

from haikube.settings import Settings

_LONGEST: Final = 200
_USERINFO: Final = re.compile(r"(?<=://)[^/@\s]+@")
_QUERY: Final = re.compile(r"\?\S+")
_NO_ANSWER: Final = re.compile(r"error sending request|timed out|error decoding response body")
_SERVER_ERROR: Final = re.compile(r"status code: 5\d\d")
_CODE: Final = re.compile(r"<Code>(\w+)</Code>(?:<Message>([^<]*)</Message>)?")


def remedy(error: BaseException, settings: Settings) -> str:
    """Return cause and remedy of what obstore raised."""
    where = _endpoint(settings)
    text = str(error)
    if isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError):
        return (
            f"{where} refused the credentials ({_summary(text, settings)}): check "
            "HAIKUBE_STORAGE_ACCESS_KEY and HAIKUBE_STORAGE_SECRET_KEY"
        )
    if _NO_ANSWER.search(_first_line(text)):
        return f"no answer from {where}: check that it runs and HAIKUBE_STORAGE_ENDPOINT"
    return f"{where} said: {_summary(text, settings)}"


def is_away(error: BaseException) -> bool:
    """Tell whether nobody answered, or nobody who could: another try may do better."""
    line = _first_line(str(error))
    return bool(_NO_ANSWER.search(line) or _SERVER_ERROR.search(line))


def _endpoint(settings: Settings) -> str:
    if not settings.storage_endpoint:
        return f"AWS S3 in {settings.storage_region}"
    parts = urlsplit(settings.storage_endpoint)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}"


def _summary(text: str, settings: Settings) -> str:
    """Return the server's own code and message, or the first line, without secrets."""
    found = _CODE.search(text)
    line = ": ".join(part for part in found.groups() if part) if found else _first_line(text)
    line = _QUERY.sub("", _USERINFO.sub("", line))
    for secret in (settings.storage_secret_key, settings.storage_access_key):
        if value := secret.get_secret_value():
            line = line.replace(value, "***")
    return line[:_LONGEST]


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
