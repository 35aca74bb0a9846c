"""Which objects of the storage are dead: a pure decision over what is stored and what lives.

The storage must be listed before the cluster: what is stored later is never looked at, so an app
or build that begins in between loses nothing. Whatever is not understood is kept.

What nobody knows any more may only be unknown for a while: a CRD is installed anew, a backup is
read back. So an app and a slug die when sweeps have found them unused for long enough, never more
than a share of them at once. Since when is kept beside the bytes (``seen``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from haikube.model import labels
from haikube.model.names import STORAGE_AREAS, cache_prefix, log_key, result_key, slug_key
from haikube.model.times import format_time, parse_time
from haikube.storage.port import Stored

Object = Mapping[str, Any]

PENDING: Final = "pending"
"""Second segment of an upload that no app is known for yet."""

_PURGED: Final = re.compile(r"(?P<prefix>caches/[^/]+/([0-9a-f]{16}/)?)[^/]+")
_UID: Final = re.compile(r"[0-9a-z]+(-[0-9a-z]+)+")
_FINISHED: Final = frozenset({"Succeeded", "Failed", "Canceled"})
_HISTORY: Final = frozenset({"slugs", "logs"})
"""Areas with an object per build that somebody may want again; git packs live with their app."""

_SEGMENTS: Final = 3
_FEW: Final = 20
"""Slugs and logs that one sweep may always remove, however few there are."""


@dataclass(frozen=True, slots=True)
class Live:
    """What must stay: uids of apps, keys of what somebody may still read, prefixes of caches."""

    apps: frozenset[str]
    keys: frozenset[str]
    caches: frozenset[str]


@dataclass(frozen=True, slots=True)
class Mercy:
    """Seconds that what is unused stays, and the largest share that one sweep removes.

    ``upload`` is for sources and purged caches, ``history`` for slugs and logs of an app that
    lives, ``app`` for everything of an app that nobody knows; ``share`` is in percent.
    """

    upload: int
    history: int
    app: int
    share: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is dead, what was seen unused since when, and how much of it had to wait its turn."""

    dead: tuple[Stored, ...]
    seen: Mapping[str, str]
    waiting: int


def observe_live(
    apps: Iterable[Object], builds: Iterable[Object], releases: Iterable[Object]
) -> Live:
    """Return what lives.

    Slugs of releases, and of builds that run or are an app's newest; sources of builds that run;
    logs of all builds that are remembered. An app whose old slugs a release names lives, too: it
    was read back from a backup under another uid.
    """
    builds = list(builds)
    newest: dict[str, Object] = {}
    for build in sorted(builds, key=_created):
        newest[_app_uid(build)] = build
    running = [build for build in builds if _result(build) not in _FINISHED]
    kept = {key for build in (*running, *newest.values()) for key in _keys(build)}
    kept |= {key for build in running if (key := _source(build))}
    kept |= {log_key(_app_uid(build), str(build["metadata"]["uid"])) for build in builds}
    slugs = {key for release in releases if (key := _slug(release))}
    kept |= slugs | {f"{key.removesuffix('.tar.zst')}.json" for key in slugs}
    uids = {str(app["metadata"]["uid"]): _cache_mark(app) for app in apps}
    restored = {owner for key in slugs if (owner := _place(key)[1])}
    caches = {cache_prefix(uid, mark) for uid, mark in uids.items()}
    caches |= {cache_prefix(uid) for uid in restored - uids.keys()}
    return Live(frozenset(uids) | restored, frozenset(kept), frozenset(caches))


def plan_sweep(
    stored: Iterable[Stored],
    live: Live,
    seen: Mapping[str, str],
    *,
    now: datetime,
    mercy: Mercy,
) -> Sweep:
    """Return what to remove now, and what to remember for the next time."""
    stored = list(stored)
    unused: dict[str, list[Stored]] = {}
    for item in stored:
        if mark := _mark(item, live):
            unused.setdefault(mark, []).append(item)
    since = {mark: seen.get(mark) or format_time(now) for mark in unused}
    due = [mark for mark in unused if _is_due(mark, since[mark], now, mercy)]
    chosen = set(_within_share(due, since, stored, mercy.share))
    limit = now - timedelta(seconds=mercy.upload)
    return Sweep(
        dead=(
            *(item for item in stored if _is_leftover(item, live) and item.modified < limit),
            *(item for mark in unused if mark in chosen for item in unused[mark]),
        ),
        seen={mark: at for mark, at in since.items() if mark not in chosen},
        waiting=len(due) - len(chosen),
    )


def _mark(item: Stored, live: Live) -> str:
    """Return under which name it is remembered that an object is unused: its app's uid or its key.

    Empty for what is used or not understood, and for leftovers.
    """
    area, owner = _place(item.key)
    if not _UID.fullmatch(owner):
        return ""
    if owner not in live.apps:
        return owner
    return item.key if area in _HISTORY and item.key not in live.keys else ""


def _is_leftover(item: Stored, live: Live) -> bool:
    """Return whether nobody can want an object of an app that lives, but its upload may still run.

    Sources that no running build names, and caches after a purge.
    """
    area, owner = _place(item.key)
    if owner == PENDING:
        return area == "sources"
    if owner not in live.apps:
        return False
    if area == "sources":
        return item.key not in live.keys
    found = _PURGED.fullmatch(item.key)
    return found is not None and found["prefix"] not in live.caches


def _place(key: str) -> tuple[str, str]:
    """Return area and owner of a key, empty where it is none of ours."""
    segments = key.split("/", _SEGMENTS - 1)
    if len(segments) < _SEGMENTS or segments[0] not in STORAGE_AREAS:
        return "", ""
    return segments[0], segments[1]


def _is_due(mark: str, since: str, now: datetime, mercy: Mercy) -> bool:
    grace = mercy.history if "/" in mark else mercy.app
    return parse_time(since) + timedelta(seconds=grace) <= now


def _within_share(
    due: Iterable[str], since: Mapping[str, str], stored: Iterable[Stored], share: int
) -> Iterator[str]:
    """Yield the marks that go first, no more than a share of all apps and of all history."""
    places = [(item, *_place(item.key)) for item in stored]
    apps = len({owner for _, _, owner in places if _UID.fullmatch(owner)})
    history = sum(area in _HISTORY for _, area, _ in places)
    left = {False: max(1, apps * share // 100), True: max(_FEW, history * share // 100)}
    for mark in sorted(due, key=lambda each: (since[each], each)):
        is_key = "/" in mark
        if left[is_key] > 0:
            left[is_key] -= 1
            yield mark


def _cache_mark(app: Object) -> str:
    return str((app["metadata"].get("annotations") or {}).get(labels.BUILD_CACHE) or "")


def _keys(build: Object) -> tuple[str, str]:
    uid, app = str(build["metadata"]["uid"]), _app_uid(build)
    return slug_key(app, uid), result_key(app, uid)


def _source(build: Object) -> str:
    archive = ((build.get("spec") or {}).get("source") or {}).get("archive") or {}
    return str(archive.get("key") or "")


def _slug(release: Object) -> str:
    return str(((release.get("spec") or {}).get("slug") or {}).get("key") or "")


def _app_uid(build: Object) -> str:
    """Return the uid of the app that owns a build, empty for one that nobody owns."""
    owners = build["metadata"].get("ownerReferences") or ()
    return str(next((owner["uid"] for owner in owners if owner["kind"] == "App"), ""))


def _created(build: Object) -> tuple[str, str]:
    meta = build["metadata"]
    return str(meta.get("creationTimestamp") or ""), str(meta["name"])


def _result(build: Object) -> str:
    return str((build.get("status") or {}).get("result") or "")
