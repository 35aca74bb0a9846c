"""Process types and their dynos."""

from __future__ import annotations

from collections.abc import Sequence
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


def named_pods(process_type: str, pods: Sequence[Json]) -> dict[str, Json]:
    """Return an app's pods of a type by dyno name; one that has none yet gets the next free.

    A pod that is on its way out is left out; of two with one name the newer counts.
    """
    living = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    living.sort(key=lambda pod: (created(pod), str(pod["metadata"]["name"])))
    named = {name: pod for pod in living if (name := annotation(pod, labels.DYNO))}
    number = 1
    for pod in living:
        if annotation(pod, labels.DYNO):
            continue
        while f"{process_type}.{number}" in named:
            number += 1
        named[f"{process_type}.{number}"] = pod
    return dict(sorted(named.items(), key=lambda item: _number(item[0])))


def _number(name: str) -> int:
    digits = name.rpartition(".")[2]
    return int(digits) if digits.isdecimal() else 0
