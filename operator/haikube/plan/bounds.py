"""How large an object may be that a build stores: its URLs let it store any number of bytes.

A URL names one object and ends, but no size can be signed that nobody knows yet. So every object
that a URL still reaches is measured again and again; what is larger than an honest build makes it
is removed, and its build ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from haikube.model import labels, names
from haikube.model.build import FINISHED
from haikube.model.times import parse_time
from haikube.plan.result import RESULT_LIMIT
from haikube.settings import Settings

Object = Mapping[str, Any]

_LOG_MARGIN: Final = 2
"""A log is cut at its limit, but what the engine itself says always gets through."""


@dataclass(frozen=True, slots=True)
class Bound:
    """An object that a build may write, and the bytes that it may have."""

    key: str
    limit: int


@dataclass(frozen=True, slots=True)
class Reach:
    """What the URLs of a build (its namespace and name) reach, and until when."""

    build: tuple[str, str]
    bounds: tuple[Bound, ...]
    until: datetime

    def beside(self, before: Reach | None) -> Reach:
        """Return this with what was reached before: a purged cache has another key from then on."""
        known = {} if before is None else {each.key: each for each in before.bounds}
        both = known | {each.key: each for each in self.bounds}
        return replace(self, bounds=tuple(both.values()))


def reach(build: Object, app: Object, settings: Settings) -> Reach | None:
    """Return what the URLs of a build reach; nothing before it began."""
    status, meta = build.get("status") or {}, build["metadata"]
    started = status.get("startedAt")
    if not started:
        return None
    until = parse_time(started) + _life(build, app, settings)
    return Reach((meta["namespace"], meta["name"]), _bounds(build, app, settings), until)


def _bounds(build: Object, app: Object, settings: Settings) -> tuple[Bound, ...]:
    status = build["status"]
    app_uid, build_uid = app["metadata"]["uid"], build["metadata"]["uid"]
    mark = (app["metadata"].get("annotations") or {}).get(labels.BUILD_CACHE) or ""
    stack = status.get("stack") or build["spec"].get("stack") or settings.default_stack
    recorded = (status.get("slug") or {}).get("sizeBytes") or 0
    return (
        Bound(names.slug_key(app_uid, build_uid), max(settings.slug_limit, recorded)),
        Bound(names.cache_key(app_uid, stack, mark), settings.cache_limit),
        Bound(names.log_key(app_uid, build_uid), settings.build_log_limit * _LOG_MARGIN),
        Bound(names.result_key(app_uid, build_uid), RESULT_LIMIT),
    )


def is_finished(build: Object) -> bool:
    """Say whether a build has ended, so that there is nothing left to end."""
    return (build.get("status") or {}).get("result") in FINISHED


def _life(build: Object, app: Object, settings: Settings) -> timedelta:
    """Return how long the URLs of a build are good at most, two attempts of its Job."""
    own = (build["spec"].get("buildTimeoutSeconds"), app["spec"].get("buildTimeoutSeconds"))
    timeout = next((each for each in own if each), settings.build_timeout)
    return timedelta(seconds=2 * (timeout + settings.build_overhead) + 60)
