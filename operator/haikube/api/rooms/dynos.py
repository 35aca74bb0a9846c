"""Dynos: what runs, and how it is started again.

A process type is rolled by a mark on its Formation: new dynos serve before old ones stop. Of
several dynos a single one is started again by deleting its pod; an only one is rolled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from haikube.api.bodies.formation import (
    DOWN,
    STARTING,
    UP,
    DynoState,
    ProcessType,
    dyno_body,
    named_pods,
    pod_state,
)
from haikube.api.bodies.parts import condition, created
from haikube.api.kernel.call import Call
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.identity import made_id
from haikube.api.kernel.problems import not_found
from haikube.api.kernel.rights import Right
from haikube.api.rooms.formation import find_process
from haikube.api.rooms.lookup import app_releases, process_types, size_name
from haikube.cluster.errors import NotFound
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.dyno import parse_dyno
from haikube.model.resources import DYNOS, FORMATIONS, PODS, Resource
from haikube.plan.dyno import dyno_name

room: Final = Room()

_STATES: Final = {"Up": UP, "Starting": STARTING, "Pending": STARTING}
_OVER: Final = frozenset({"Complete", "Crashed"})


@dataclass(frozen=True, slots=True)
class Listed:
    """A dyno as it is answered, and the objects behind it."""

    body: Json
    process: ProcessType | None = None
    pod: Json | None = None
    one_off: Json | None = None


@room.get("/apps/{app}/dynos")
async def list_all(call: Call) -> list[Json]:
    """Answer all dynos."""
    app = await call.app()
    return [each.body for each in await listed(call, app)]


@room.get("/apps/{app}/dynos/{dyno}")
async def show(call: Call) -> Json:
    """Answer one dyno, by name or id."""
    return (await find(call, await call.app())).body


@room.delete("/apps/{app}/dynos", status=202)
async def restart_all(call: Call) -> Json:
    """Roll every process type."""
    app = await call.app()
    for process in process_types(call, app).values():
        if process.obj is not None and process.quantity:
            await _roll(call, process.obj)
    return {}


@room.delete("/apps/{app}/formations/{type}", status=202)
async def restart_type(call: Call) -> Json:
    """Roll one process type."""
    process = find_process(call, await call.app(), call.path("type"))
    if process.obj is not None:
        await _roll(call, process.obj)
    return {}


@room.delete("/apps/{app}/dynos/{dyno}", status=202)
async def restart(call: Call) -> Json:
    """Start one dyno again; a one-off dyno just ends."""
    found = await find(call, await call.app())
    if found.process and found.process.obj and found.process.quantity == 1:
        await _roll(call, found.process.obj)
    else:
        await _end(call, found)
    return {}


@room.post("/apps/{app}/dynos/{dyno}/actions/stop", status=202)
async def stop(call: Call) -> Json:
    """End one dyno; that of a process type starts again."""
    await _end(call, await find(call, await call.app()))
    return {}


@room.post("/apps/{app}/formations/{type}/actions/stop", status=202)
async def stop_type(call: Call) -> Json:
    """End all dynos of a process type; they start again."""
    app = await call.app()
    process = find_process(call, app, call.path("type"))
    dynos = [each for each in await listed(call, app) if each.body["type"] == process.name]
    for each in dynos:
        await _end(call, each)
    return {}


async def listed(call: Call, app: Json) -> list[Listed]:
    """Return an app's dynos: those of its process types, then the one-off ones."""
    await call.require(Right("list", PODS), app["metadata"]["namespace"])
    return [*_of_types(call, app), *_one_offs(call, app)]


async def find(call: Call, app: Json) -> Listed:
    """Return the dyno that the path names."""
    identity = call.path("dyno")
    for each in await listed(call, app):
        if identity in {each.body["name"], each.body["id"]}:
            return each
    raise not_found("dyno", identity)


def _of_types(call: Call, app: Json) -> Iterator[Listed]:
    releases = {each["metadata"]["name"]: each for each in app_releases(call, app)}
    newest = next((each for each in releases.values() if _is_current(each)), None)
    pods: dict[str, list[Json]] = {}
    for pod in call.context.observed.of_app(PODS, app):
        kind = (pod["metadata"].get("labels") or {}).get(labels.FORMATION, "")
        pods.setdefault(kind, []).append(pod)
    for process in process_types(call, app).values():
        if process.obj is None:
            continue
        size = size_name(call, process.size)
        named = named_pods(process.name, pods.get(process.obj["metadata"]["name"], []))
        for name, pod in named.items():
            release = releases.get(_release_of(pod), newest)
            body = dyno_body(
                name,
                replace(process, command=_command(release, process)),
                app,
                pod_state(pod),
                id_=pod["metadata"]["uid"],
                size=size,
                release=release,
            )
            yield Listed(body, process, pod)
        for name in _missing(process, named):
            body = dyno_body(
                name,
                process,
                app,
                _without_pod(process.obj),
                id_=made_id("dyno", f"{app['metadata']['uid']}/{name}"),
                size=size,
                release=newest,
            )
            yield Listed(body, process)


def _missing(process: ProcessType, named: Mapping[str, Json]) -> list[str]:
    """Return the names of dynos that are wanted and have no pod."""
    wanted = (f"{process.name}.{number}" for number in range(1, process.quantity + 1))
    free = [name for name in wanted if name not in named]
    return free[: max(0, process.quantity - len(named))]


def _without_pod(formation: Json) -> DynoState:
    """Return what a dyno does that no pod was made for: it will come, or something forbids it."""
    stalled, ready = condition(formation, "Stalled"), condition(formation, "Ready")
    since = str(ready.get("lastTransitionTime") or created(formation))
    return DynoState(DOWN if stalled.get("status") == "True" else STARTING, since)


def _one_offs(call: Call, app: Json) -> Iterator[Listed]:
    by_version = {each["spec"]["version"]: each for each in app_releases(call, app)}
    for obj in call.context.observed.of_app(DYNOS, app):
        dyno, status = parse_dyno(obj), obj.get("status") or {}
        if status.get("state") in _OVER or obj["metadata"].get("deletionTimestamp"):
            continue
        process = ProcessType(
            name=dyno.process_type or "run",
            command=dyno.command,
            quantity=1,
            size=dyno.size,
            obj=None,
        )
        state = DynoState(
            _STATES.get(status.get("state", ""), STARTING),
            str(status.get("startedAt") or created(obj)),
        )
        body = dyno_body(
            dyno_name(dyno),
            process,
            app,
            state,
            id_=obj["metadata"]["uid"],
            size=size_name(call, process.size or "basic"),
            release=by_version.get((status.get("release") or {}).get("version")),
        )
        yield Listed(body, one_off=obj)


def _command(release: Json | None, process: ProcessType) -> str:
    """Return what a release runs for a process type: the one before may run something else."""
    slug = ((release or {}).get("spec") or {}).get("slug") or {}
    commands = {each["name"]: str(each["command"]) for each in slug.get("processTypes") or ()}
    return commands.get(process.name, process.command)


def _is_current(release: Json) -> bool:
    return bool((release.get("status") or {}).get("current"))


def _release_of(pod: Json) -> str:
    return str((pod["metadata"].get("labels") or {}).get(labels.RELEASE) or "")


async def _roll(call: Call, formation: Json) -> None:
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    await call.patch(
        FORMATIONS, formation, {"metadata": {"annotations": {labels.RESTARTED_AT: now}}}
    )


async def _end(call: Call, dyno: Listed) -> None:
    if dyno.one_off is not None:
        await _gone(call, DYNOS, dyno.one_off)
    elif dyno.pod is not None:
        await _gone(call, PODS, dyno.pod)


async def _gone(call: Call, resource: Resource, obj: dict[str, Any]) -> None:
    """Delete an object that may be gone by itself."""
    try:
        await call.delete(resource, obj)
    except NotFound:
        call.context.observed.drop(resource, obj)
