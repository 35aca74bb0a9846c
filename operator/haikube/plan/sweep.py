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

from haikube.model import labels
from haikube.model.names import STORAGE_AREAS, cache_prefix, log_key, result_key, slug_key
from haikube.storage.port import Stored

Object = Mapping[str, Any]

PENDING: Final = "pending"
"""Second segment of an upload that no app is known for yet."""

_PURGED: Final = re.compile(r"(?P<prefix>caches/[^/]+/([0-9a-f]{16}/)?)[^/]+")
_UID: Final = re.compile(r"[0-9a-z]+(-[0-9a-z]+)+")
_FINISHED: Final = frozenset({"Succeeded", "Failed", "Canceled"})
_BY_KEY: Final = frozenset({"slugs", "sources", "logs"})
"""Areas with an object per build; git packs live as long as their app, caches until a purge."""

_SEGMENTS: Final = 3


@dataclass(frozen=True, slots=True)
class Live:
    """What must stay: uids of apps, keys of what somebody may still read, prefixes of caches."""

    apps: frozenset[str]
    keys: frozenset[str]
    caches: frozenset[str]


def observe_live(
    apps: Iterable[Object], builds: Iterable[Object], releases: Iterable[Object]
) -> Live:
    """Return what lives.

    Slugs of releases, and of builds that run or are an app's newest; sources of builds that run;
    logs of all builds that are remembered.
    """
    builds = list(builds)
    newest: dict[str, Object] = {}
    for build in sorted(builds, key=_created):
        newest[_app_uid(build)] = build
    running = [build for build in builds if _result(build) not in _FINISHED]
    kept = {key for build in (*running, *newest.values()) for key in _keys(build)}
    kept |= {key for build in running if (key := _source(build))}
    kept |= {log_key(_app_uid(build), str(build["metadata"]["uid"])) for build in builds}
    for release in releases:
        key = str(release["spec"]["slug"]["key"])
        kept |= {key, f"{key.removesuffix('.tar.zst')}.json"}
    uids = {str(app["metadata"]["uid"]): _cache_mark(app) for app in apps}
    caches = {cache_prefix(uid, mark) for uid, mark in uids.items()}
    return Live(frozenset(uids), frozenset(kept), frozenset(caches))


def plan_sweep(stored: Iterable[Stored], live: Live, *, now: datetime, grace: int) -> list[Stored]:
    """Return the dead objects: all of unknown apps, and unused ones older than ``grace`` s."""
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
    used = item.key in live.keys if area in _BY_KEY else not _is_purged(item.key, live)
    return not used and item.modified < limit


def _is_purged(key: str, live: Live) -> bool:
    """Return whether a key is of a cache that its app does not use any more."""
    found = _PURGED.fullmatch(key)
    return found is not None and found["prefix"] not in live.caches


def _cache_mark(app: Object) -> str:
    return str((app["metadata"].get("annotations") or {}).get(labels.BUILD_CACHE) or "")


def _keys(build: Object) -> tuple[str, str]:
    uid, app = str(build["metadata"]["uid"]), _app_uid(build)
    return slug_key(app, uid), result_key(app, uid)


def _source(build: Object) -> str:
    archive = ((build.get("spec") or {}).get("source") or {}).get("archive") or {}
    return str(archive.get("key") or "")


def _app_uid(build: Object) -> str:
    """Return the uid of the app that owns a build, empty for one that nobody owns."""
    owners = build["metadata"].get("ownerReferences") or ()
    return str(next((owner["uid"] for owner in owners if owner["kind"] == "App"), ""))


def _created(build: Object) -> tuple[str, str]:
    meta = build["metadata"]
    return str(meta.get("creationTimestamp") or ""), str(meta["name"])


def _result(build: Object) -> str:
    return str((build.get("status") or {}).get("result") or "")
