"""Changes of a spec that depend on what is there: read, change, write, and again if need be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from haikube.api.kernel.call import Call
from haikube.api.kernel.problems import Problem
from haikube.cluster.errors import Conflict
from haikube.cluster.port import Json
from haikube.model.resources import Resource

_TRIES: Final = 5

Change = Callable[[Json], dict[str, Any]]
"""From the object as it is to what its spec is to say; raises a ``Problem`` for what cannot be."""


async def revise(call: Call, resource: Resource, obj: Json, change: Change) -> Json:
    """Return the object with the change, made with the caller's own right."""
    for _ in range(_TRIES):
        version = obj["metadata"].get("resourceVersion")
        body = {"metadata": {"resourceVersion": version}, "spec": change(obj)}
        try:
            return await call.patch(resource, obj, body)
        except Conflict:
            meta = obj["metadata"]
            obj = await call.caller.cluster.get(resource, meta["name"], meta["namespace"])
            call.context.observed.put(resource, obj)
    raise Problem(503, "service_unavailable", "Others change this all the time. Try again.")
