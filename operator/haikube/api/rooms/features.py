"""Features that an app can switch: those that mean something here, and do something."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from haikube.api.bodies.parts import created
from haikube.api.kernel.call import Call
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.identity import made_id
from haikube.api.kernel.problems import Problem, invalid, not_found
from haikube.cluster.port import Json
from haikube.model.resources import APPS

room: Final = Room()

_EXEC: Final = "runtime-heroku-exec"
_NO_EXEC: Final = (
    "ps:exec, ps:copy, ps:forward and ps:socks need an SSH server beside each dyno, which is not "
    "here. To run a command in a dyno that runs: heroku run:inside DYNO COMMAND"
)
"""What is said when ps:exec asks for its feature."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A switch of an app: what it does, how its spec says whether it is on, and how to say so."""

    name: str
    title: str
    state: str
    description: str
    enabled: Callable[[Mapping[str, Any]], bool]
    spec: Callable[[bool], Json]


def _preboot(spec: Mapping[str, Any]) -> bool:
    return (spec.get("rollout") or {}).get("strategy") == "Surge"


def _affinity(spec: Mapping[str, Any]) -> bool:
    return spec.get("sessionAffinity") == "Enabled"


def _metadata(spec: Mapping[str, Any]) -> bool:
    return spec.get("dynoMetadata") != "Disabled"


_AFFINITY: Final = "http-session-affinity"

FEATURES: Final = (
    Feature(
        _AFFINITY,
        "Session Affinity",
        "general",
        "The gateway leads a visitor to the same dyno each time",
        _affinity,
        lambda on: {"sessionAffinity": "Enabled" if on else "Disabled"},
    ),
    Feature(
        "preboot",
        "Preboot",
        "general",
        "New dynos serve before old ones stop: as long as nobody disables it, too",
        _preboot,
        lambda on: {"rollout": {"strategy": "Surge" if on else "Replace"}},
    ),
    Feature(
        "runtime-dyno-metadata",
        "Runtime Dyno Metadata",
        "beta",
        "Dynos know their app, release and commit from HEROKU_* variables",
        _metadata,
        lambda on: {"dynoMetadata": "Enabled" if on else "Disabled"},
    ),
)


_NO_AFFINITY: Final = (
    "The platform's gateway cannot lead a visitor to the same dyno each time. Where it knows "
    "sessionPersistence of HTTPRoutes, an administrator sets HAIKUBE_SESSION_AFFINITY."
)


@room.get("/apps/{app}/features")
async def list_all(call: Call) -> list[Json]:
    """Answer all features of an app."""
    app = await call.app()
    return [_shown(app, each) for each in FEATURES]


@room.get("/apps/{app}/features/{feature}")
async def show(call: Call) -> Json:
    """Answer one feature of an app."""
    return _shown(await call.app(), _find(call))


@room.patch("/apps/{app}/features/{feature}")
async def switch(call: Call) -> Json:
    """Switch a feature on or off."""
    app = await call.app()
    wish = await call.body()
    feature = _find(call)
    if feature.name == _AFFINITY and wish["enabled"] and not call.settings.session_affinity:
        raise invalid(_NO_AFFINITY)
    return _shown(
        await call.patch(APPS, app, {"spec": feature.spec(bool(wish["enabled"]))}), feature
    )


@room.get("/account/features")
async def list_of_account(call: Call) -> list[Json]:
    """Answer that accounts have no features."""
    del call
    return []


@room.get("/account/features/{feature}")
@room.patch("/account/features/{feature}")
async def none_of_account(call: Call) -> Json:
    """Answer that accounts have no such feature."""
    raise not_found("feature", call.path("feature"))


def _find(call: Call) -> Feature:
    wanted = call.path("feature")
    for each in FEATURES:
        if wanted in {each.name, made_id("feature", each.name)}:
            return each
    if wanted == _EXEC:
        raise Problem(404, "not_found", _NO_EXEC)
    raise not_found("feature", wanted)


def _shown(app: Json, feature: Feature) -> Json:
    return {
        "id": made_id("feature", feature.name),
        "name": feature.name,
        "display_name": feature.title,
        "description": feature.description,
        "doc_url": f"https://devcenter.heroku.com/articles/{feature.name}",
        "enabled": feature.enabled(app.get("spec") or {}),
        "state": feature.state,
        "feedback_email": "",
        "created_at": created(app),
        "updated_at": created(app),
    }
