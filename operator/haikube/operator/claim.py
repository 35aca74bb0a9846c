"""Whose bucket it is: one object in it names the cluster that may remove bytes.

A second cluster on the same bucket, or one that was made anew, finds another name there and
removes nothing until a person says so. Beside the name stands since when what is unused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from haikube.cluster.port import Cluster
from haikube.model.resources import NAMESPACES
from haikube.storage.port import MissingObject, Storage, StorageError

KEY: Final = "platform/cluster.json"
_HOME: Final = "kube-system"
"""A cluster has no name of its own; this namespace is as old as it is."""
_LIMIT: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Claim:
    """``cluster`` is an id, empty when nobody has claimed the bucket; ``etag`` guards a write."""

    cluster: str = ""
    seen: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None


async def cluster_id(cluster: Cluster) -> str:
    """Return what tells this cluster from every other one."""
    return str((await cluster.get(NAMESPACES, _HOME))["metadata"]["uid"])


async def read_claim(storage: Storage) -> Claim:
    """Return whose bucket it is; one that cannot be read is nobody's to remove from."""
    try:
        data, etag = await storage.read_version(KEY, limit=_LIMIT)
    except MissingObject:
        return Claim()
    try:
        found = json.loads(data)
        return Claim(str(found["cluster"]), dict(found["seen"]), etag)
    except (ValueError, TypeError, KeyError) as error:
        raise StorageError(
            f"object {KEY} is damaged ({error!r}): nothing is removed; delete it, then run "
            "haikube-operator claim"
        ) from error


async def write_claim(storage: Storage, claim: Claim) -> None:
    """Store a claim in place of the one that was read; raises ``Changed`` when it is another."""
    body = json.dumps({"cluster": claim.cluster, "seen": dict(claim.seen)}, sort_keys=True)
    await storage.swap(KEY, body.encode(), etag=claim.etag)
