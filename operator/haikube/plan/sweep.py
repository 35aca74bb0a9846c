"""Which objects of the storage are dead: a pure decision over what is stored and what lives.

The storage must be listed before the cluster: what is stored later is never looked at, so an app
or build that begins in between loses nothing. Whatever is not understood is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from haikube.model.names import STORAGE_AREAS, result_key, slug_key
from haikube.storage.port import Stored

Object = Mapping[str, Any]

PENDING: Final = "pending"
"""Second segment of an upload that no app is known for yet."""

_UID: Final = re.compile(r"[0-9a-z]+(-[0-9a-z]+)+")
_FINISHED: Final = frozenset({"Succeeded", "Failed", "Canceled"})
_SEGMENTS: Final = 3


@dataclass(frozen=True, slots=True)
class Live:
    """What must stay: uids of apps, and keys of slugs and results somebody may still read."""

    apps: frozenset[str]
    slugs: frozenset[str]


def observe_live(
    apps: Iterable[Object], builds: Iterable[Object], releases: Iterable[Object]
) -> Live:
    """Return what lives: slugs of releases, and of builds that run or are an app's newest."""
    builds = list(builds)
    newest: dict[str, Object] = {}
    for build in sorted(builds, key=_created):
        newest[_app_uid(build)] = build
    running = [build for build in builds if _result(build) not in _FINISHED]
    kept = {key for build in (*running, *newest.values()) for key in _keys(build)}
    for release in releases:
        key = str(release["spec"]["slug"]["key"])
        kept |= {key, f"{key.removesuffix('.tar.zst')}.json"}
    return Live(frozenset(str(app["metadata"]["uid"]) for app in apps), frozenset(kept))


def plan_sweep(stored: Iterable[Stored], live: Live, *, now: datetime, grace: int) -> list[Stored]:
    """Return the dead objects: all of unknown apps, and unused slugs older than ``grace`` s."""
    limit = now - timedelta(seconds=grace)
    return [item for item in stored if _is_dead(item, live, limit)]


def _is_dead(item: Stored, live: Live, limit: datetime) -> bool:
    segments = item.key.split("/", _SEGMENTS - 1)
    if len(segments) < _SEGMENTS or segments[0] not in STORAGE_AREAS:
        return False
    area, owner = segments[:2]
    if owner == PENDING:
        return area == "sources" and item.modified < limit
    if not _UID.fullmatch(owner):
        return False
    if owner not in live.apps:
        return True
    return area == "slugs" and item.key not in live.slugs and item.modified < limit


def _keys(build: Object) -> tuple[str, str]:
    uid, app = str(build["metadata"]["uid"]), _app_uid(build)
    return slug_key(app, uid), result_key(app, uid)


def _app_uid(build: Object) -> str:
    """Return the uid of the app that owns a build, empty for one that nobody owns."""
    owners = build["metadata"].get("ownerReferences") or ()
    return str(next((owner["uid"] for owner in owners if owner["kind"] == "App"), ""))


def _created(build: Object) -> tuple[str, str]:
    meta = build["metadata"]
    return str(meta.get("creationTimestamp") or ""), str(meta["name"])


def _result(build: Object) -> str:
    return str((build.get("status") or {}).get("result") or "")
