"""Tokens of service accounts: a subresource that is created like an object.

It must never keep a token, nor print one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from haikube.cluster.port import Cluster, Json
from haikube.model.resources import SERVICE_ACCOUNTS, Resource


async def request_token(
    cluster: Cluster,
    name: str,
    namespace: str,
    *,
    seconds: int,
    bound_to: Mapping[str, str] | None = None,
) -> Json:
    """Return ``token`` and ``expirationTimestamp`` of a new token of an account.

    It ends with the object that it is bound to. Raises ``ApiError``. Kubernetes: TokenRequest v1.
    """
    spec: dict[str, Any] = {"expirationSeconds": seconds}
    if bound_to:
        spec["boundObjectRef"] = dict(bound_to)
    plural = f"{SERVICE_ACCOUNTS.plural}/{name}/token"
    answer = await cluster.create(
        Resource("", "v1", plural, "TokenRequest"),
        {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "metadata": {"namespace": namespace},
            "spec": spec,
        },
    )
    return dict(answer["status"])
