"""What the bridge itself answers when it refuses, in the words of the api.

Never a 401 but to git's first question: the Heroku CLI answers a 401 with a login in the browser,
which leads nowhere here, instead of printing what is wrong.
"""

from __future__ import annotations

import json
from typing import Final

from aiohttp import web

_CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="Haikube"'}
_WORDS: Final = {401: "unauthorized", 403: "forbidden", 421: "forbidden", 503: "platform_away"}


class Refusal(Exception):
    """A request that goes no further; the message holds the remedy."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def is_git(path: str) -> bool:
    """Tell whether a path is one that git asks for."""
    return ".git/" in path.partition("?")[0]


def answer(path: str, refusal: Refusal) -> web.Response:
    """Return the answer: plain text for git, which shows it, JSON for the rest."""
    headers = _CHALLENGE if refusal.status == web.HTTPUnauthorized.status_code else {}
    if is_git(path):
        return web.Response(status=refusal.status, text=f"{refusal.message}\n", headers=headers)
    body = {"id": _WORDS[refusal.status], "message": refusal.message}
    return web.Response(
        status=refusal.status, text=json.dumps(body), content_type="application/json"
    )
