"""Process types and their dynos."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from haikube.api.bodies.parts import annotation, app_ref, condition, created
from haikube.api.bodies.release import formation_id
from haikube.api.kernel.identity import made_id
from haikube.cluster.port import Json
from haikube.model import labels

CRASHED: Final = "crashed"
STARTING: Final = "starting"
UP: Final = "up"
DOWN: Final = "down"


@dataclass(frozen=True, slots=True)
class ProcessType:
    """One process type of an app: declared, or known from the slug alone."""

    name: str
    command: str
    quantity: int
    size: str
    obj: Json | None


def formation_body(process: ProcessType, app: Json, *, size: str) -> Json:
    """Return a process type; ``size`` is spelled as Heroku does."""
    obj = process.obj
    since = created(obj) if obj else created(app)
    return {
        "id": obj["metadata"]["uid"] if obj else formation_id(app, process.name),
        "app": app_ref(app),
        "type": process.name,
        "command": process.command,
        "quantity": process.quantity,
        "size": size,
        "dyno_size": {"id": made_id("size", size), "name": size},
        "created_at": since,
        "updated_at": since,
    }


@dataclass(frozen=True, slots=True)
class DynoState:
    """What a dyno does, since when."""

    state: str
    since: str


def dyno_body(
    name: str,
    process: ProcessType,
    app: Json,
    state: DynoState,
    *,
    id_: str,
    size: str,
    release: Json | None,
) -> Json:
    """Return one dyno; ``release`` is the Release that it runs."""
    return {
        "id": id_,
        "name": name,
        "type": process.name,
        "command": process.command,
        "size": size,
        "state": state.state,
        "app": app_ref(app),
        "release": {
            "id": release["metadata"]["uid"] if release else made_id("release", "none"),
            "version": release["spec"]["version"] if release else 0,
        },
        "attach_url": None,
        "created_at": state.since,
        "updated_at": state.since,
    }


def pod_state(pod: Json) -> DynoState:
    """Return a pod's state in Heroku's words."""
    status = pod.get("status") or {}
    container: dict[str, Any] = next(iter(status.get("containerStatuses") or ()), {})
    state = container.get("state") or {}
    last = (container.get("lastState") or {}).get("terminated") or {}
    ended = state.get("terminated") or {}
    if ended:
        return DynoState(CRASHED, ended.get("finishedAt") or created(pod))
    if (state.get("waiting") or {}).get("reason") == "CrashLoopBackOff":
        return DynoState(CRASHED, last.get("finishedAt") or created(pod))
    ready = condition(pod, "Ready")
    if ready.get("status") == "True":
        return DynoState(UP, ready.get("lastTransitionTime") or created(pod))
    started = (state.get("running") or {}).get("startedAt")
    return DynoState(STARTING, started or created(pod))


def named_pods(process_type: str, pods: Iterable[Json]) -> dict[str, Json]:
    """Return an app's pods of a type by dyno name; one that has none yet gets the next free.

    While two releases run, each has a ``web.1``. The one that answers is called so until it goes;
    the other bears its release, too: ``web.1.v3``. What is on its way out is left out.
    """
    living = sorted((pod for pod in pods if not _is_over(pod)), key=_age)
    rivals: dict[str, list[Json]] = defaultdict(list)
    for name, pod in _numbered(process_type, living):
        rivals[name].append(pod)
    found: dict[str, Json] = {}
    for name in sorted(rivals, key=_number):
        first = next((pod for pod in rivals[name] if pod_state(pod).state == UP), rivals[name][-1])
        found[name] = first
        found |= {f"{name}.{_version(pod)}": pod for pod in rivals[name] if pod is not first}
    return found


def slot(name: str) -> str:
    """Return the name that a dyno has for itself and in logs.

    >>> slot("web.1.v3"), slot("web.1"), slot("web")
    ('web.1', 'web.1', 'web')
    """
    return ".".join(name.split(".")[:2])


def _numbered(process_type: str, pods: Iterable[Json]) -> list[tuple[str, Json]]:
    """Return pods with their names, as the operator gives them: for each template from 1 on."""
    groups: dict[str, list[Json]] = defaultdict(list)
    for pod in pods:
        groups[_mark(pod, labels.TEMPLATE_HASH)].append(pod)
    return [each for group in groups.values() for each in _of_template(process_type, group)]


def _of_template(process_type: str, pods: Iterable[Json]) -> Iterator[tuple[str, Json]]:
    given = [(annotation(pod, labels.DYNO), pod) for pod in pods]
    taken = {name for name, _ in given}
    free = (each for n in itertools.count(1) if (each := f"{process_type}.{n}") not in taken)
    return ((name or next(free), pod) for name, pod in given)


def _is_over(pod: Json) -> bool:
    phase = (pod.get("status") or {}).get("phase")
    return bool(pod["metadata"].get("deletionTimestamp")) or phase in {"Succeeded", "Failed"}


def _age(pod: Json) -> tuple[str, str]:
    return created(pod), str(pod["metadata"]["name"])


def _version(pod: Json) -> str:
    return _mark(pod, labels.RELEASE).rpartition("-")[2]


def _mark(pod: Json, key: str) -> str:
    return str((pod["metadata"].get("labels") or {}).get(key) or "")


def _number(name: str) -> int:
    digits = name.rpartition(".")[2]
    return int(digits) if digits.isdecimal() else 0
