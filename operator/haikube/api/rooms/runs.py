"""One-off dynos: ``heroku run``, attached or not, and a process in a dyno that runs."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from haikube.api.bodies.app import current_release
from haikube.api.bodies.formation import STARTING, DynoState, ProcessType, dyno_body
from haikube.api.bodies.parts import created
from haikube.api.kernel.addresses import attach_url
from haikube.api.kernel.call import Call
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.problems import Problem, invalid
from haikube.api.kernel.rights import Right
from haikube.api.rooms.config import require_value
from haikube.api.rooms.dynos import Listed, find
from haikube.api.rooms.lookup import app_releases, size_name
from haikube.api.streams.attach import ACT, JOIN_SECONDS, LEASE_SECONDS
from haikube.cluster.errors import AlreadyExists
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.dyno import parse_dyno
from haikube.model.names import CONFIG_VAR, PROCESS_TYPE, one_off_stem
from haikube.model.resources import DYNOS, POD_EXEC, PODS
from haikube.model.times import format_time
from haikube.plan.dyno import dyno_name
from haikube.plan.sizes import BASIC, find_size, size_names
from haikube.run.command import Command, parse_command

room: Final = Room()

_LONGEST_LIFE: Final = 86_400
_KEEP_SECONDS: Final = 3600
"""How long the log and the exit code of one that has ended are kept."""

_LONGEST_COMMAND: Final = 32_768
_LONGEST_INSIDE: Final = 1500
"""Bytes of a command for a dyno that runs: it travels in the secret of the session."""

_FIRST_NUMBER: Final = 1000
_NUMBERS: Final = 9000
_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for."""

    command: Command
    attach: bool
    tty: bool
    env: Mapping[str, str]
    size: str
    kind: str
    seconds: int


@room.post("/apps/{app}/dynos")
async def create(call: Call) -> Json:
    """Run a command in the current release; with ``attach`` for a client that will join it."""
    app = await call.app()
    wish = _wish(call, await call.body())
    release = current_release(app_releases(call, app))
    if release is None or not release["spec"].get("slug"):
        raise invalid("The app has no slug: push code first. Run: git push heroku main")
    made = await _made(call, app, wish)
    url = _url(call, made, wish) if wish.attach else None
    return {**_body(call, app, release, made), "attach_url": url}


@room.post("/apps/{app}/dynos/{dyno}")
async def inside(call: Call) -> Json:
    """Run a command inside a dyno that runs."""
    app = await call.app()
    found = await find(call, app)
    wish = _wish(call, await call.body())
    pod = _pod_of(call, found)
    meta = pod["metadata"]
    await call.require(Right("create", POD_EXEC), meta["namespace"])
    if len(wish.command.line.encode()) > _LONGEST_INSIDE:
        raise invalid(
            f"The command has {len(wish.command.line.encode())} bytes; inside a running dyno "
            f"{_LONGEST_INSIDE} are the most. Put it into a script of the app."
        )
    secret = call.context.seals.seal(
        ACT,
        {
            **_session(call, wish),
            "namespace": meta["namespace"],
            "pod": meta["name"],
            "container": pod["spec"]["containers"][0]["name"],
            "command": wish.command.line,
            "session": secrets.token_hex(8),
        },
        JOIN_SECONDS,
    )
    url = attach_url(call.request, call.settings, secret, told=wish.command.told)
    return {**found.body, "attach_url": url}


def _wish(call: Call, body: Mapping[str, Any]) -> Wish:
    """Return what a request asks for; raises a 422 ``Problem``."""
    text = body.get("command")
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise invalid("Say what to run: command.")
    if len(text.encode("utf-8", "replace")) > _LONGEST_COMMAND:
        raise invalid(f"The command is longer than {_LONGEST_COMMAND} bytes: put it into a script.")
    kind = str(body.get("type") or "")
    if kind and not PROCESS_TYPE.fullmatch(kind):
        raise invalid(f"Type {kind!r:.60} must be letters, digits, - and _.")
    return Wish(
        command=parse_command(text),
        attach=bool(body.get("attach")),
        tty=not body.get("force_no_tty"),
        env=_env(body.get("env")),
        size=_size(call, body.get("size")),
        kind=kind,
        seconds=_seconds(body.get("time_to_live")),
    )


def _env(given: object) -> dict[str, str]:
    """Return the environment; a client sends the size of its terminal as numbers."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise invalid("env must be an object of names and values.")
    texts = {str(name): "" if value is None else str(value) for name, value in given.items()}
    wrong = sorted(name for name in texts if not CONFIG_VAR.fullmatch(name))
    if wrong:
        raise invalid(f"env: {wrong[0]!r:.60} cannot name a variable: use letters, digits and _.")
    for name, text in texts.items():
        require_value(name, text)
    return {
        name: text
        for name, text in texts.items()
        if name not in {"COLUMNS", "LINES"} or text.strip("0")
    }


def _size(call: Call, given: object) -> str:
    name = str(given or BASIC.key)
    size = find_size(name, call.settings)
    if size is None:
        raise invalid(f"There is no dyno size {name:.60}. Use one of {size_names(call.settings)}.")
    return size.key


def _seconds(given: object) -> int:
    if given is None:
        return _LONGEST_LIFE
    if not isinstance(given, int) or not 1 <= given <= _LONGEST_LIFE:
        raise invalid(f"time_to_live {given!r:.40} must be 1 to {_LONGEST_LIFE} seconds.")
    return given


async def _made(call: Call, app: Json, wish: Wish) -> Json:
    """Create the Dyno under a number that no other one has."""
    for _ in range(_TRIES):
        number = _FIRST_NUMBER + secrets.randbelow(_NUMBERS)
        try:
            return await call.create(DYNOS, _object(call, app, wish, number))
        except AlreadyExists:
            continue
    raise Problem(503, "service_unavailable", "No number is free for a dyno. Try again.")


def _object(call: Call, app: Json, wish: Wish, number: int) -> Json:
    meta = app["metadata"]
    notes = {labels.AUTHOR: call.caller.email}
    if wish.attach:
        until = datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS)
        notes[labels.SESSION_UNTIL] = format_time(until)
    spec: Json = {
        "appRef": {"name": meta["name"]},
        "command": [wish.command.line],
        "size": wish.size,
        "attach": wish.attach,
        "tty": wish.tty,
        "env": [{"name": name, "value": text} for name, text in sorted(wish.env.items())],
        "ttlSeconds": wish.seconds,
        "keepSeconds": _KEEP_SECONDS,
    }
    if wish.kind and wish.kind != "run":
        spec["processType"] = wish.kind
    return {
        "apiVersion": DYNOS.api_version,
        "kind": DYNOS.kind,
        "metadata": {
            "name": f"{one_off_stem(meta['name'])}-{number}",
            "namespace": meta["namespace"],
            "labels": {labels.APP: meta["name"], labels.APP_UID: meta["uid"]},
            "annotations": notes,
        },
        "spec": spec,
    }


def _url(call: Call, dyno: Json, wish: Wish) -> str:
    """Return where a client joins the session with a dyno."""
    meta = dyno["metadata"]
    place = {"namespace": meta["namespace"], "dyno": meta["name"], "uid": meta["uid"]}
    secret = call.context.seals.seal(ACT, {**_session(call, wish), **place}, JOIN_SECONDS)
    return attach_url(call.request, call.settings, secret, told=wish.command.told)


def _session(call: Call, wish: Wish) -> Json:
    """Return what a session needs, whatever it joins."""
    return {
        "token": call.caller.token,
        "tty": wish.tty,
        "told": wish.command.told,
        "columns": wish.env.get("COLUMNS", ""),
        "rows": wish.env.get("LINES", ""),
    }


def _pod_of(call: Call, found: Listed) -> Json:
    """Return the pod of a dyno; raises a 422 ``Problem`` for one that does not run."""
    pod = found.pod
    if found.one_off is not None:
        meta = found.one_off["metadata"]
        pod = call.context.observed.get(PODS, meta["namespace"], meta["name"])
    if pod is None or (pod.get("status") or {}).get("phase") != "Running":
        raise invalid(f"Dyno {found.body['name']} is {found.body['state']}: it must run.")
    return pod


def _body(call: Call, app: Json, release: Json, made: Json) -> Json:
    dyno = parse_dyno(made)
    process = ProcessType(dyno.process_type or "run", dyno.command, 1, dyno.size, None)
    return dyno_body(
        dyno_name(dyno),
        process,
        app,
        DynoState(STARTING, created(made)),
        id_=made["metadata"]["uid"],
        size=size_name(call, dyno.size),
        release=release,
    )
