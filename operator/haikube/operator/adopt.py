"""Gives an app the bytes of another uid: of itself before it was read back from a backup.

Copies, never moves: what is left under the old uid goes by the sweep. What the app has already
stays as it is.
"""

from __future__ import annotations

from typing import Final

from haikube.cluster.port import Cluster
from haikube.model.resources import APPS
from haikube.storage.port import MissingObject, Storage, StorageError

_AREAS: Final = ("git", "slugs", "caches", "logs")


async def adopt(cluster: Cluster, storage: Storage, uid: str, namespace: str, name: str) -> int:
    """Copy what is stored under ``uid`` to an app and return the number of objects.

    Raises ``StorageError`` when nothing is stored there, or when ``uid`` is that of an app that
    lives.
    """
    apps = {app["metadata"]["uid"]: app for app in (await cluster.list(APPS)).items}
    app = await cluster.get(APPS, name, namespace)
    if uid in apps:
        owner = apps[uid]["metadata"]
        raise StorageError(f"uid {uid} is the app {owner['namespace']}/{owner['name']}, it lives")
    found = [item.key for area in _AREAS async for item in storage.list(f"{area}/{uid}/")]
    if not found:
        raise StorageError(
            f"nothing is stored under the uid {uid}; haikube-operator sweep --dry-run lists what is"
        )
    mine = str(app["metadata"]["uid"])
    # What names packs goes after the packs.
    keys = sorted(found, key=lambda key: ("/packs/" not in key, key))
    return sum([await _copy(storage, key, mine) for key in keys])


async def _copy(storage: Storage, key: str, uid: str) -> bool:
    area, _, rest = key.split("/", 2)
    target = f"{area}/{uid}/{rest}"
    try:
        await storage.head(target)
    except MissingObject:
        await storage.put(target, storage.stream(key))
        return True
    return False
