"""The key that signs and seals links: made once for a platform, the same in all its replicas.

It is of no other use, and derived from nothing: a storage without keys (a cloud's identities) and
a storage whose keys were replaced leave links as they are. It must never be logged.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
from typing import Final

import structlog

from haikube.cluster.errors import AlreadyExists, ApiError, NotFound
from haikube.cluster.port import Cluster, Json
from haikube.model.resources import SECRETS

NAME: Final = "haikube-links"
"""The Secret's name; manifests/base/rbac/api.yaml allows the api no other."""

_FIELD: Final = "key"
_BYTES: Final = 32
_PAUSE: Final = 1.0

_log = structlog.get_logger(__name__)


class UnfitKey(Exception):
    """The Secret is there and holds no key; the message names the remedy."""


async def link_key(own: Cluster, namespace: str) -> bytes:
    """Return the key, made by whoever comes first; waits while the API server does not answer.

    Raises ``UnfitKey``.
    """
    while True:
        try:
            return _key_of(await _kept(own, namespace), namespace)
        except ApiError as error:
            _log.warning("no key for links yet", secret=NAME, error=str(error))
            await asyncio.sleep(_PAUSE)


async def _kept(own: Cluster, namespace: str) -> Json:
    try:
        return await own.get(SECRETS, NAME, namespace)
    except NotFound:
        pass
    try:
        return await own.create(SECRETS, _fresh(namespace))
    except AlreadyExists:
        return await own.get(SECRETS, NAME, namespace)


def _fresh(namespace: str) -> Json:
    key = base64.b64encode(secrets.token_bytes(_BYTES)).decode()
    metadata = {"name": NAME, "namespace": namespace}
    return {
        "apiVersion": SECRETS.api_version,
        "kind": SECRETS.kind,
        "metadata": metadata,
        "type": "Opaque",
        "immutable": True,
        "data": {_FIELD: key},
    }


def _key_of(secret: Json, namespace: str) -> bytes:
    try:
        key = base64.b64decode((secret.get("data") or {}).get(_FIELD) or "", validate=True)
    except binascii.Error:
        key = b""
    if len(key) < _BYTES:
        raise UnfitKey(
            f"the Secret {namespace}/{NAME} holds no {_FIELD!r} of {_BYTES} bytes: "
            "delete it, and restart the api, which makes another one"
        )
    return key
