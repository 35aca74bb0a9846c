"""Ids of things that have no uid in the cluster, and names of apps."""

from __future__ import annotations

import uuid
from functools import lru_cache
from typing import Final

from haikube.cluster.port import Json

_NAMESPACE: Final = uuid.UUID("5b1c2f0e-6f0a-4c8e-9d5b-0c6f3f1f7a10")
"""Makes stable ids for things that have no uid in the cluster."""

_SERVICE_ACCOUNT: Final = "system:serviceaccount:"
_REMEMBERED: Final = 20_000
"""A list asks for the same few ids a thousand times."""


@lru_cache(maxsize=_REMEMBERED)
def made_id(kind: str, name: str) -> str:
    """Return the stable id of something that Kubernetes has no object for."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind}/{name}"))


def shown_user(username: str) -> str:
    """Return a name as people read it: that of a service account is short.

    >>> shown_user("system:serviceaccount:shop:developer"), shown_user("ada@example.com")
    ('developer@shop', 'ada@example.com')
    """
    if not username.startswith(_SERVICE_ACCOUNT):
        return username
    namespace, _, name = username.removeprefix(_SERVICE_ACCOUNT).partition(":")
    return f"{name}@{namespace}"


def app_name(app: Json) -> str:
    """Return what people call an app: the name it was given last, else its object's own."""
    return str((app.get("spec") or {}).get("name") or app["metadata"]["name"])
