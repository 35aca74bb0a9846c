"""Config vars: read and set with the caller's own right to the app's Secret.

A change is a release: the answer waits for it, because clients ask for its number next.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from haikube.api.kernel.call import Call
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.problems import Problem, invalid
from haikube.api.rooms.lookup import app_owner, app_releases
from haikube.cluster.errors import AlreadyExists, Conflict, Forbidden, NotFound
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.names import CONFIG_VAR, OWN_TO_SHELL, config_secret_name
from haikube.model.resources import SECRETS

room: Final = Room()

MOST_BYTES: Final = 96 << 10
"""All names and values together: what a program's environment can hold, with room to spare."""

_LONGEST_VALUE: Final = 64 << 10
_RELEASE_SECONDS: Final = 25.0
_TRIES: Final = 5


@room.get("/apps/{app}/config-vars")
async def show(call: Call) -> Json:
    """Answer all config vars, by name."""
    secret = await _secret(call, await call.app())
    return decoded(secret)


@room.patch("/apps/{app}/config-vars")
async def update(call: Call) -> Json:
    """Set some config vars, remove those that are null; the rest stays."""
    app = await call.app()
    wish = await call.body()
    for _ in range(_TRIES):
        before = await _secret(call, app)
        after = _changed(decoded(before), wish)
        if after == decoded(before):
            return after
        try:
            written = await _write(call, app, before, _coded(wish))
        except (Conflict, NotFound):
            continue
        await _released(call, app, written)
        _warn_of_shell(call, wish)
        return after
    raise Problem(503, "service_unavailable", "The config vars changed all the time. Try again.")


async def restore(call: Call, app: Json, release: Json) -> None:
    """Make the config vars those of a release that was gone back to: what is shown is what runs.

    They run already, so this makes no release. Vars that Git or a store of secrets keeps stay as
    they are: whoever keeps them would put them back, and that would undo the rollback.
    """
    current = await _secret(call, app)
    snapshot = await read_secret(call, app, release["spec"]["configRef"]["name"])
    if current is None or snapshot is None or not _is_kept_here(current):
        return
    before, after = _config_vars(current), _config_vars(snapshot)
    if before != after:
        with suppress(Conflict):  # what was set meanwhile is newer than the rollback
            await _write(call, app, current, {**dict.fromkeys(before), **after})


def _is_kept_here(secret: Json) -> bool:
    """Tell whether config vars were last set through the api."""
    return labels.AUTHOR in (secret["metadata"].get("annotations") or {})


def decoded(secret: Json | None) -> dict[str, str]:
    """Return the config vars in a Secret, by name."""
    return {key: _text(value) for key, value in _config_vars(secret).items()}


def _config_vars(secret: Json | None) -> dict[str, str]:
    """Return the config vars in a Secret as it holds them: what is no text stays as it is."""
    data: Mapping[str, str] = (secret or {}).get("data") or {}
    return {key: data[key] for key in sorted(data) if CONFIG_VAR.fullmatch(key)}


async def read_secret(call: Call, app: Json, name: str) -> Json | None:
    """Return a Secret of an app as the caller may read it, None if there is none."""
    namespace = app["metadata"]["namespace"]
    try:
        return await call.caller.cluster.get(SECRETS, name, namespace)
    except NotFound:
        return None
    except Forbidden:
        raise Problem(
            403,
            "forbidden",
            f"{call.caller.email} may not read the config vars of {app['metadata']['name']}. "
            "Ask the owner of the team for the role haikube-developer.",
        ) from None


async def _secret(call: Call, app: Json) -> Json | None:
    return await read_secret(call, app, _name(app))


def _name(app: Json) -> str:
    reference = (app.get("spec") or {}).get("configRef") or {}
    return str(reference.get("name") or config_secret_name(app["metadata"]["name"]))


def _text(coded: str) -> str:
    try:
        return base64.b64decode(coded).decode("utf-8", "replace")
    except binascii.Error:
        return ""


def _changed(before: Mapping[str, str], wish: Mapping[str, Any]) -> dict[str, str]:
    """Return the config vars after a change; raises a 422 ``Problem`` for what cannot be one."""
    for name, value in wish.items():
        _require_name(name)
        if isinstance(value, str):
            require_value(name, value)
    after = {**before, **wish}
    kept = {name: after[name] for name in sorted(after) if after[name] is not None}
    size = _size(kept)
    if size > max(MOST_BYTES, _size(before)):  # whoever has too much may have less
        raise invalid(
            f"All config vars together would have {size:,} bytes; {MOST_BYTES:,} fit into the "
            "environment of a process. Keep large values in a file or a store."
        )
    return kept


def _size(config: Mapping[str, str]) -> int:
    return sum(len(name.encode()) + len(value.encode()) + 2 for name, value in config.items())


def _require_name(name: str) -> None:
    if not CONFIG_VAR.fullmatch(name):
        raise invalid(
            f"Config var {name!r:.80} is not possible: a name has letters, digits and _ alone, "
            "and does not begin with a digit."
        )


def require_value(name: str, value: str) -> None:
    """Raise a 422 ``Problem`` for a value that no process can be given."""
    if "\0" in value or any("\ud800" <= each <= "\udfff" for each in value):
        raise invalid(
            f"The value of {name:.80} is no text: it holds a zero byte, which no environment can, "
            "or half a character. Store it as base64."
        )
    if len(value.encode()) > _LONGEST_VALUE:
        raise invalid(
            f"The value of {name:.80} has {len(value.encode()):,} bytes; "
            f"at most {_LONGEST_VALUE:,} are possible."
        )


def _coded(wish: Mapping[str, str | None]) -> dict[str, str | None]:
    return {
        name: None if value is None else base64.b64encode(value.encode()).decode()
        for name, value in wish.items()
    }


async def _write(
    call: Call, app: Json, before: Json | None, data: Mapping[str, str | None]
) -> Json:
    notes = {labels.AUTHOR: call.caller.email}
    if before is None:
        return await _create(call, app, data, notes)
    meta = before["metadata"]
    body = {
        "metadata": {"resourceVersion": meta["resourceVersion"], "annotations": notes},
        "data": data,
    }
    return await call.caller.cluster.patch(SECRETS, meta["name"], meta["namespace"], body)


async def _create(
    call: Call, app: Json, data: Mapping[str, str | None], notes: Mapping[str, str]
) -> Json:
    meta = app["metadata"]
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": _name(app),
            "namespace": meta["namespace"],
            "labels": {labels.APP: meta["name"]},
            "annotations": dict(notes),
            "ownerReferences": [app_owner(app)],
        },
        "data": {name: value for name, value in data.items() if value is not None},
    }
    try:
        return await call.caller.cluster.create(SECRETS, body)
    except AlreadyExists as error:
        raise Conflict(error.status, error.reason, error.message) from error


async def _released(call: Call, app: Json, secret: Json) -> None:
    """Wait for the release of this change; a warning says when there is none yet."""
    version = int(secret["metadata"]["resourceVersion"])

    def found() -> Json | None:
        return next(
            (each for each in app_releases(call, app) if _config_version(each) >= version), None
        )

    if await call.context.observed.until(found, _RELEASE_SECONDS) is None:
        call.warnings.append("The config vars are set; their release is still being made.")


def _warn_of_shell(call: Call, wish: Mapping[str, Any]) -> None:
    own = [
        name for name, value in wish.items() if value is not None and OWN_TO_SHELL.fullmatch(name)
    ]
    if own:
        call.warnings.append(
            f"{', '.join(own)}: the shell that starts a dyno has a value of its own for this name, "
            "and that is what the app sees. Choose another name."
        )


def _config_version(release: Json) -> int:
    text = (release["metadata"].get("annotations") or {}).get(labels.CONFIG_VERSION, "")
    return int(text) if text.isdecimal() else 0
