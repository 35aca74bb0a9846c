"""What the status of an App says.

``Ready`` is about the release that serves. A pushed build that fails leaves it True: the app
still serves, ``BuildSucceeded`` is False and the message says so. A *declared* source
(``spec.source``) that cannot be built makes it False, because the declared state is not reached.
"""

from __future__ import annotations

from typing import Any

from haikube.model import conditions
from haikube.model.build import FAILED, SUCCEEDED, Build
from haikube.model.conditions import (
    READY,
    Condition,
    Verdict,
    detail,
    idle,
    progressing,
    ready,
    stalled,
    stamp,
    trio,
)
from haikube.model.formation import WEB
from haikube.model.release import FAILED as RELEASE_FAILED
from haikube.model.release import PENDING
from haikube.plan.app.ledger import last_version, waits_for_config
from haikube.plan.app.verdicts import (
    build_message,
    build_verdict,
    config_verdict,
    failure,
    process_verdict,
    release_verdict,
    route_verdict,
)
from haikube.plan.context import Context, first
from haikube.plan.declared import declared_build_name
from haikube.plan.hosts import app_url, decide_hosts, default_host
from haikube.plan.world import AppWorld

_Asked = tuple[AppWorld, Context]


# The chain: what Ready says


def _no_release(asked: _Asked) -> Verdict | None:
    world, _ = asked
    if world.current is not None and world.current.slug is not None:
        return None
    config = config_verdict(world)
    if world.hidden_config:
        return config
    newest = release_verdict(world) if world.latest and world.latest.slug else None
    for verdict in (build_verdict(world), newest):
        if verdict is not None and not verdict.is_ready:
            return verdict
    if world.newest_build is None and not world.app.source:
        return idle("NoRelease", "push code to deploy: git push heroku main")
    return progressing("Releasing", "its first release is being made")


def _declared_source(asked: _Asked) -> Verdict | None:
    world, _ = asked
    name = declared_build_name(world.app)
    if not name:
        return None
    build = world.build(name)
    if build is None or not build.finished:
        return progressing("Building", f"build {name} of the declared source is not finished")
    if build.result == SUCCEEDED:
        return _declared_release(world, build)
    return stalled(
        failure(build, "reason", "BuildFailed"),
        f"{build_message(build)}. Repair spec.source, or delete build {name} to try again",
    )


def _declared_release(world: AppWorld, build: Build) -> Verdict | None:
    """Return why what is declared does not run although it was built."""
    made = [each for each in world.releases if each.is_of(build)]
    if not made or any(each.result != RELEASE_FAILED for each in made):
        return None
    known = conditions.find(made[-1].status, READY)
    return stalled(
        known.get("reason", "ReleaseCommandFailed"),
        f"v{made[-1].version} of the declared source: {known.get('message', 'it failed')}",
    )


def _config_in_the_way(asked: _Asked) -> Verdict | None:
    """Return what is wrong with the config, where code waits for it to be released."""
    world, _ = asked
    return config_verdict(world) if waits_for_config(world) else None


def _releasing(asked: _Asked) -> Verdict | None:
    world, _ = asked
    if world.latest is None or world.latest.result != PENDING:
        return None
    return release_verdict(world)


def _processes(asked: _Asked) -> Verdict | None:
    world, _ = asked
    verdict = process_verdict(world)
    return None if verdict is None or verdict.is_ready else verdict


def _route(asked: _Asked) -> Verdict | None:
    world, context = asked
    verdict = route_verdict(world, context)
    if verdict is None or verdict.is_ready:
        return None
    if verdict.is_stalled and decide_hosts(world.app, world.rivals, context.settings).granted:
        refused = verdict.reason == "RouteRefused"
        return verdict if refused else None
    return verdict


def _serving(asked: _Asked) -> Verdict:
    world, context = asked
    version = world.current.version if world.current else 0
    if world.app.maintenance:
        return ready("Maintenance", f"v{version} runs, requests get 503: maintenance is on")
    web = world.formation(WEB)
    where = app_url(default_host(world.app.name, context.settings), context.settings)
    text = f"v{version} serves {where}" if web and web.quantity else f"v{version} runs"
    newest = world.newest_build
    if newest is not None and newest.result == FAILED:
        text += f"; the newest {build_message(newest)}"
    return ready("Serving", text)


_CHAIN = (
    _no_release,
    _declared_source,
    _config_in_the_way,
    _releasing,
    _processes,
    _route,
    _serving,
)


# The status


def app_status(world: AppWorld, context: Context) -> dict[str, Any]:
    """Return the complete status of an app."""
    app, current = world.app, world.current
    host = default_host(app.name, context.settings)
    newest = world.newest_build
    web = world.formation(WEB)
    fields: dict[str, Any] = {
        "observedGeneration": app.meta.generation,
        "host": host,
        "url": app_url(host, context.settings),
        "stack": (current.stack if current else "") or app.stack or context.settings.default_stack,
        "buildpack": _buildpack(world),
        "latestVersion": last_version(world) or None,
        "currentRelease": {"name": current.meta.name, "version": current.version}
        if current
        else None,
        "latestBuild": {"name": newest.meta.name, "result": newest.result} if newest else None,
        "web": f"{web.status.get('readyReplicas') or 0}/{web.quantity}" if web else None,
        "processTypes": _process_types(world),
        "conditions": stamp(
            app.status.get("conditions", ()),
            (*trio(first(_CHAIN, (world, context))), *_details(world, context)),
            app.meta.generation,
            context.now,
        ),
    }
    return {key: value for key, value in fields.items() if value is not None}


def _details(world: AppWorld, context: Context) -> tuple[Condition, ...]:
    found = (
        ("ConfigReady", config_verdict(world)),
        ("BuildSucceeded", build_verdict(world)),
        ("Released", release_verdict(world)),
        ("ProcessesAvailable", process_verdict(world)),
        ("RouteAdmitted", route_verdict(world, context)),
    )
    return tuple(detail(kind, verdict) for kind, verdict in found if verdict is not None)


def _buildpack(world: AppWorld) -> str | None:
    """Return the language of the build that serves; kept when that build is no longer there."""
    current = world.current
    build = world.build(current.build) if current and current.build else None
    known = build.status.get("language") if build else None
    return known or world.app.status.get("buildpack")


def _process_types(world: AppWorld) -> list[dict[str, Any]]:
    ordered = sorted(world.formations, key=lambda each: (each.process_type != WEB, each.meta.name))
    return [
        {
            "name": each.process_type,
            "quantity": each.quantity,
            "size": each.size,
            "readyReplicas": each.status.get("readyReplicas") or 0,
        }
        for each in ordered
    ]
