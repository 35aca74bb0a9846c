"""Which objects of the storage are dead: a pure decision over what is stored and what lives.

Bytes of apps, and runtimes that the platform made and that no Stack names any more.

The storage must be listed before the cluster: what is stored later is never looked at, so an app
or build that begins in between loses nothing. Whatever is not understood is kept.

What nobody knows any more may only be unknown for a while: a CRD is installed anew, a backup is
read back. So an app, a slug and a runtime die when sweeps have found them unused for long enough,
never more than a share of them at once. Since when is kept beside the bytes (``seen``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from haikube.model import labels
from haikube.model.names import (
    RUNTIMES,
    STORAGE_AREAS,
    cache_prefix,
    log_key,
    result_key,
    runtime_key,
    runtime_name,
    slug_key,
)
from haikube.model.times import format_time, parse_time
from haikube.storage.port import Stored

Object = Mapping[str, Any]

PENDING: Final = "pending"
"""Second segment of an upload that no app is known for yet."""

_PURGED: Final = re.compile(r"(?P<prefix>caches/[^/]+/([0-9a-f]{16}/)?)[^/]+")
_RUNTIME: Final = re.compile(rf"{RUNTIMES}/[^/]+/[^/]+-[0-9a-f]{{16}}[.]tar[.]zst")
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
    lives, ``app`` for everything of an app that nobody knows and for a runtime that no Stack names
    (it took minutes to make); ``share`` is in percent.
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
    apps: Iterable[Object],
    builds: Iterable[Object],
    releases: Iterable[Object],
    stacks: Iterable[Object],
) -> Live:
    """Return what lives.

    Slugs of releases, and of builds that run or are an app's newest; sources of builds that run;
    logs of all builds that are remembered; runtimes that a Stack names. An app whose old slugs a
    release names lives, too: it was read back from a backup under another uid.
    """
    builds = list(builds)
    newest: dict[str, Object] = {}
    for build in sorted(builds, key=_created):
        newest[_app_uid(build)] = build
    running = [build for build in builds if _result(build) not in _FINISHED]
    kept = {key for build in (*running, *newest.values()) for key in _keys(build)}
    kept |= {key for build in running if (key := _source(build))}
    kept |= {log_key(_app_uid(build), str(build["metadata"]["uid"])) for build in builds}
    kept |= {key for stack in stacks for key in _runtimes(stack)}
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
    limit = now - timedelta(seconds=mercy.upload)
    unused: dict[str, list[Stored]] = {}
    for item in stored:
        if mark := _mark(item, live, limit):
            unused.setdefault(mark, []).append(item)
    since = {mark: seen.get(mark) or format_time(now) for mark in unused}
    due = [mark for mark in unused if _is_due(mark, since[mark], now, mercy)]
    chosen = set(_within_share(due, since, stored, mercy.share))
    return Sweep(
        dead=(
            *(item for item in stored if _is_leftover(item, live) and item.modified < limit),
            *(item for mark in unused if mark in chosen for item in unused[mark]),
        ),
        seen={mark: at for mark, at in since.items() if mark not in chosen},
        waiting=len(due) - len(chosen),
    )


def _mark(item: Stored, live: Live, limit: datetime) -> str:
    """Return under which name it is remembered that an object is unused: its app's uid or its key.

    Empty for what is used or not understood, and for leftovers. A runtime is stored before a Stack
    can name it, so one younger than ``limit`` is no unused one.
    """
    if _RUNTIME.fullmatch(item.key):
        return item.key if item.key not in live.keys and item.modified < limit else ""
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
    grace = mercy.history if _kind(mark) == "history" else mercy.app
    return parse_time(since) + timedelta(seconds=grace) <= now


def _within_share(
    due: Iterable[str], since: Mapping[str, str], stored: Iterable[Stored], share: int
) -> Iterator[str]:
    """Yield the marks that go first, no more than a share of all apps, history and runtimes."""
    keys = [item.key for item in stored]
    places = [_place(key) for key in keys]
    apps = len({owner for _, owner in places if _UID.fullmatch(owner)})
    history = sum(area in _HISTORY for area, _ in places)
    runtimes = sum(_RUNTIME.fullmatch(key) is not None for key in keys)
    left = {
        "app": max(1, apps * share // 100),
        "history": max(_FEW, history * share // 100),
        "runtime": max(1, runtimes * share // 100),
    }
    for mark in sorted(due, key=lambda each: (since[each], each)):
        kind = _kind(mark)
        if left[kind] > 0:
            left[kind] -= 1
            yield mark


def _kind(mark: str) -> Literal["app", "history", "runtime"]:
    """Return of what kind is what a mark stands for: each has days and a share of its own."""
    if "/" not in mark:
        return "app"
    return "runtime" if _RUNTIME.fullmatch(mark) else "history"


def _cache_mark(app: Object) -> str:
    return str((app["metadata"].get("annotations") or {}).get(labels.BUILD_CACHE) or "")


def _keys(build: Object) -> tuple[str, str]:
    uid, app = str(build["metadata"]["uid"]), _app_uid(build)
    return slug_key(app, uid), result_key(app, uid)


def _source(build: Object) -> str:
    archive = ((build.get("spec") or {}).get("source") or {}).get("archive") or {}
    return str(archive.get("key") or "")


def _runtimes(stack: Object) -> Iterator[str]:
    """Yield the keys of what a Stack says that there is."""
    for each in (stack.get("spec") or {}).get("runtimes") or ():
        name = runtime_name(each["language"], each["version"])
        yield runtime_key(str(stack["metadata"]["name"]), name, each["digest"])


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
