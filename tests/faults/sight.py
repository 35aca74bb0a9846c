"""How objects and calls of a real API server are looked at, so that two runs can be compared."""

from __future__ import annotations

import json
import re

from faults.proxy import Call
from haikube.cluster.port import Json
from haikube.model.build import FINISHED
from haikube.model.resources import BUDGETS, BUILDS, DEPLOYMENTS, JOBS, PODS, Resource

_COUNTS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
_RUN_NUMBER = re.compile(r"\brun\.\d+")
_VARIES = re.compile(
    r'"resourceVersion": "\d+"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z|"\w*[dD]uration": "[^"]*"'
)


def is_at_rest(kind: Resource, obj: Json) -> bool:
    status = obj.get("status") or {}
    if kind == BUILDS:
        return status.get("result") in FINISHED
    if kind == JOBS:
        return bool(status.get("conditions"))
    if kind == DEPLOYMENTS:
        seen = status.get("observedGeneration") == obj["metadata"]["generation"]
        counts = {status.get(each, 0) for each in _COUNTS}
        return seen and counts == {obj["spec"]["replicas"]}
    return True


def words(call: Call) -> str:
    """Return what a write is, without what differs each time it is tried."""
    body = json.loads(call.body) if call.body else {}
    if call.resource == "secrets":
        for part in ("data", "stringData"):
            body[part] = sorted(body.get(part, ()))
    text = _VARIES.sub("", json.dumps(body, sort_keys=True))
    return f"{call.verb} {call.resource} {call.name} {text}"


def without_noise(kind: Resource, obj: Json) -> Json:
    """Leave out conditions that name what a controller made, and numbers that follow from a uid."""
    if kind == PODS:
        found: Json = json.loads(_RUN_NUMBER.sub("run.0", json.dumps(obj)))
        return found
    if kind not in {DEPLOYMENTS, JOBS, BUDGETS}:
        return obj
    status = {key: each for key, each in obj.get("status", {}).items() if key != "conditions"}
    return {**obj, "status": status}
