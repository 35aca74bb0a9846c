"""What keeps a build or its release from going on, in the words of the App and of the cluster.

Asked while somebody waits for a build that is silent. What the platform's objects say already is
passed on; only where a Job has no pod, the cluster's own events are read.
"""

from __future__ import annotations

import re
from typing import Any, Final

from haikube.cluster.errors import ApiError
from haikube.cluster.port import Cluster, Json
from haikube.model import conditions
from haikube.model.resources import APPS, BUILDS, EVENTS

_POD: Final = re.compile(r'pods "[^"]*"')
"""Each try has another name: the same refusal is to read the same."""

_USUAL: Final = frozenset({"BuildStarting", "BuildRunning", "BuildRestarting", "BuildSucceeded"})
"""Reasons of a Build that goes on."""

_OF_THE_PLACE: Final = frozenset(
    {
        "QuotaExceeded",
        "WriteRefused",
        "StorageUnavailable",
        "StorageFull",
        "ConfigSecretNotLabelled",
        "ConfigSecretMissing",
        "InvalidConfigVar",
        "Contested",
    }
)
"""Reasons of an App that keep the next release away, too, whatever is in it."""


_RELEASING: Final = frozenset({"ReleaseCommandRunning", "PreparingRelease", "Released"})
"""Reasons of a Release that goes on."""


def waits_for(release: Json) -> str:
    """Return what keeps the command of a release from running, empty where nothing does."""
    return _told(release.get("status") or {}, but=_RELEASING)


async def obstacle(cluster: Cluster, namespace: str, name: str) -> str:
    """Return what keeps a build from its release, empty where nothing does or nobody knows."""
    try:
        build = await cluster.get(BUILDS, name, namespace)
        status = build.get("status") or {}
        if told := _told(status, but=_USUAL):
            return told
        if not status.get("podName") and (event := await _event(cluster, namespace, name)):
            return event
        if status.get("podName") and not status.get("finishedAt"):
            return ""
        app = await cluster.get(APPS, build["spec"]["appRef"]["name"], namespace)
        return _told(app.get("status") or {}, only=_OF_THE_PLACE)
    except ApiError:
        return ""


def _told(
    status: Json, *, but: frozenset[str] = frozenset(), only: frozenset[str] = frozenset()
) -> str:
    for kind in (conditions.READY, "ConfigReady"):
        found: Any = conditions.find(status, kind)
        reason, message = found.get("reason", ""), found.get("message", "")
        if reason and reason not in but and (not only or reason in only):
            return f"{reason}: {message}"
    return ""


async def _event(cluster: Cluster, namespace: str, job: str) -> str:
    """Return the newest warning about the Job of a build: why it has no pod."""
    fields = f"involvedObject.name={job},type=Warning"
    events = (await cluster.list(EVENTS, namespace, fields=fields)).items
    about = [each for each in events if (each.get("involvedObject") or {}).get("kind") == "Job"]
    newest = max(about, key=_seen, default=None)
    if newest is None:
        return ""
    message = _POD.sub("its pod", str(newest.get("message") or ""))
    reason = "QuotaExceeded" if "exceeded quota" in message else str(newest.get("reason") or "")
    return f"{reason}: {message}"


def _seen(event: Json) -> str:
    times = (
        event.get("lastTimestamp"),
        event.get("eventTime"),
        event["metadata"].get("creationTimestamp"),
    )
    return str(next((each for each in times if each), ""))
