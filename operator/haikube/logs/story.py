"""What the platform tells in an app's log: ``heroku[web.1]`` and ``app[api]`` lines.

Pure. A story is told from one object as it is now, with the times that the object itself bears: who
sees the object twice tells the same lines twice, so observers need not agree on anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from haikube.logs.line import APP, HEROKU, Line, in_order, stamp
from haikube.model import labels
from haikube.model.formation import WEB
from haikube.model.times import parse_time

Raw = Mapping[str, Any]

API: Final = "api"

_ONE_OFF, _FORMATION, _PHASE = "one-off", "dyno", "release-phase"
PRINTING: Final = frozenset({_ONE_OFF, _FORMATION, _PHASE})
"""Components of the pods whose output is an app's log."""

_CODES: Final = {
    "R10": "Error R10 (Boot timeout) -> Web process failed to bind to $PORT in time",
    "R13": "Error R13 (Attach error) -> Failed to attach to process",
    "R99": "Error R99 (Platform error) -> Failed to launch the dyno within 10 seconds",
}
_CODE: Final = re.compile(r"Error (R\d\d) \(")
_MEMORY: Final = "Error R15 (Memory quota vastly exceeded)"
_LONGEST: Final = 1000


def dyno_name(pod: Raw) -> str:
    """Return what a pod's dyno is called; the launcher takes the same name when there is none."""
    meta = pod["metadata"]
    given = (meta.get("annotations") or {}).get(labels.DYNO)
    if given:
        return str(given)
    return f"{process_type(pod)}.{meta['name'].rpartition('-')[2]}"


def is_named(pod: Raw) -> bool:
    """Tell whether a pod's dyno has its name: the operator names those of formations."""
    return _component(pod) != _FORMATION or labels.DYNO in (
        pod["metadata"].get("annotations") or {}
    )


def process_type(pod: Raw) -> str:
    """Return the process type that a pod runs."""
    return _environment(pod).get("HAIKUBE_PROCESS_TYPE", "run")


def pod_story(pod: Raw) -> list[Line]:
    """Return what is told of a dyno's life so far, as far as its pod remembers it."""
    if (pod["metadata"].get("labels") or {}).get(labels.COMPONENT) not in PRINTING:
        return []
    told = [_line(pod, moment, text) for moment, text in _life(pod)]
    return in_order(told)


def _line(pod: Raw, moment: datetime, text: str) -> Line:
    uid = pod["metadata"].get("uid", "")
    return Line(stamp(moment), HEROKU, dyno_name(pod), text[:_LONGEST], f"{uid}/{text[:80]}")


def _life(pod: Raw) -> Iterator[tuple[datetime, str]]:
    meta, status = pod["metadata"], pod.get("status") or {}
    yield parse_time(meta["creationTimestamp"]), f"Starting process with command `{_command(pod)}`"
    container: Raw = next(iter(status.get("containerStatuses") or ()), {})
    last = (container.get("lastState") or {}).get("terminated")
    if last:
        yield from _end(last, "crashed")
        yield _at_end(last["finishedAt"], 3), "State changed from crashed to starting"
    state = container.get("state") or {}
    if (up := _up_since(pod, state)) is not None:
        yield up, "State changed from starting to up"
    if deleted := meta.get("deletionTimestamp"):
        asked = _after(deleted, -1_000_000 * (meta.get("deletionGracePeriodSeconds") or 0))
        yield asked, "Stopping all processes with SIGTERM"
    if ended := state.get("terminated"):
        yield from _end(ended, _final(pod, ended))


def _up_since(pod: Raw, state: Raw) -> datetime | None:
    """Return since when a dyno is up: a web dyno once it is ready, others once they run."""
    running = state.get("running")
    if not running:
        return None
    if process_type(pod) != WEB or _component(pod) != _FORMATION:
        return parse_time(running["startedAt"])
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition["type"] == "Ready" and condition["status"] == "True":
            return parse_time(condition["lastTransitionTime"])
    return None


def _end(ended: Raw, final: str) -> Iterator[tuple[datetime, str]]:
    if not ended.get("finishedAt"):
        return
    if ended.get("reason") == "OOMKilled":
        yield _at_end(ended["finishedAt"], 0), _MEMORY
    code = _CODE.match(ended.get("message") or "")
    if code and code[1] in _CODES:
        yield _at_end(ended["finishedAt"], 0), _CODES[code[1]]
    yield (
        _at_end(ended["finishedAt"], 1),
        f"Process exited with status {ended.get('exitCode', 0)}",
    )
    before = "up" if ended.get("startedAt") else "starting"
    yield _at_end(ended["finishedAt"], 2), f"State changed from {before} to {final}"


def _final(pod: Raw, ended: Raw) -> str:
    if pod["metadata"].get("deletionTimestamp"):
        return "down"
    return "complete" if ended.get("exitCode") == 0 else "crashed"


def _at_end(text: str, order: int) -> datetime:
    """Return the end of a second: what the dyno printed within it comes before."""
    return _after(text, 999_990 + order)


def _after(text: str, microseconds: int) -> datetime:
    """Return a moment a little later: Kubernetes counts seconds, and lines keep their order."""
    return parse_time(text) + timedelta(microseconds=microseconds)


def _command(pod: Raw) -> str:
    container = pod["spec"]["containers"][0]
    return " ".join(container.get("args") or ()).replace("$$", "$").replace("\n", " ")


def _environment(pod: Raw) -> dict[str, str]:
    env: Iterable[Raw] = pod["spec"]["containers"][0].get("env") or ()
    return {each["name"]: each.get("value", "") for each in env}


def _component(pod: Raw) -> str:
    return str((pod["metadata"].get("labels") or {}).get(labels.COMPONENT, ""))


def release_story(release: Raw) -> list[Line]:
    """Return what is told of a release: what it was made for, and its number."""
    spec, meta = release.get("spec") or {}, release["metadata"]
    version = spec.get("version")
    if not version:
        return []
    by = f" by user {spec['author']}" if spec.get("author") else ""
    what = str(spec.get("description") or f"Release v{version}")[:_LONGEST].replace("\n", " ")
    created = meta["creationTimestamp"]
    texts = (f"{what}{by}", f"Release v{version} created{by}")
    told = [
        Line(stamp(_after(created, number)), APP, API, text, f"{meta['uid']}/{number}")
        for number, text in enumerate(texts)
    ]
    if failed := _failed_at(release):
        when = stamp(parse_time(failed))
        told.append(Line(when, APP, API, f"Release v{version} failed", f"{meta['uid']}/failed"))
    return told


def _failed_at(release: Raw) -> str | None:
    for condition in (release.get("status") or {}).get("conditions") or ():
        if condition["type"] == "Succeeded" and condition["status"] == "False":
            return str(condition["lastTransitionTime"])
    return None


def scale_story(old: Raw, formation: Raw, now: datetime) -> list[Line]:
    """Return what is told of a formation that has changed; the object does not say when."""
    spec, meta = formation["spec"], formation["metadata"]
    fields = ("quantity", "size")
    if all(old["spec"].get(field) == spec.get(field) for field in fields):
        return []
    author = (meta.get("annotations") or {}).get(labels.AUTHOR)
    by = f" by user {author}" if author else ""
    kind = str(spec.get("processType") or "")
    text = f"Scaled to {kind}@{spec.get('quantity', 0)}:{str(spec.get('size') or '').title()}{by}"
    return [Line(stamp(now), APP, API, text, f"{meta['uid']}/{meta.get('generation')}")]


def build_story(build: Raw) -> list[Line]:
    """Return what is told of a build: who began it, and how it ended."""
    spec, meta, status = build.get("spec") or {}, build["metadata"], build.get("status") or {}
    by = f" by user {spec['author']}" if spec.get("author") else ""
    begun = stamp(parse_time(meta["creationTimestamp"]))
    told = [Line(begun, APP, API, f"Build started{by}", f"{meta['uid']}/begun")]
    result, ended = str(status.get("result") or ""), status.get("finishedAt")
    if ended and result in {"Succeeded", "Failed", "Canceled"}:
        text = f"Build {result.lower()}"
        told.append(Line(stamp(parse_time(ended)), APP, API, text, f"{meta['uid']}/ended"))
    return told
