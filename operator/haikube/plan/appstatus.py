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
from haikube.model.formation import WEB, Formation
from haikube.model.release import FAILED as RELEASE_FAILED
from haikube.model.release import PENDING
from haikube.plan.appview import AppView
from haikube.plan.context import Context, first
from haikube.plan.declared import declared_build_name
from haikube.plan.hosts import app_url, decide_hosts, default_host

_Asked = tuple[AppView, Context]


# Details


def config_verdict(view: AppView) -> Verdict:
    """Return whether the config vars can be read."""
    name = view.app.config
    if view.hidden_config:
        return stalled(
            "ConfigSecretNotLabelled",
            f"the operator does not see Secret {name}; label it: "
            f"kubectl label secret {name} haikube.dev/app={view.app.meta.name}",
        )
    if view.config is None and view.releases:
        return stalled(
            "ConfigSecretMissing",
            f"Secret {name} is gone; the dynos keep their config. Create it again with the label "
            f"haikube.dev/app={view.app.meta.name}",
        )
    if view.config is None:
        return progressing("CreatingConfig", f"Secret {name} is being made")
    if view.config.ignored:
        listed = ", ".join(view.config.ignored[:5])
        return stalled("InvalidConfigVar", f"no names for config vars, so left out: {listed}")
    return ready("ConfigFound", f"{len(view.config.data)} config vars in Secret {name}")


def build_verdict(view: AppView) -> Verdict | None:
    """Return how the newest build went; None when there is none."""
    build = view.newest_build
    if build is None:
        return None
    if build.result == SUCCEEDED:
        return ready("BuildSucceeded", f"build {build.meta.name} succeeded")
    if build.finished:
        return stalled(_failure(build, "reason", "BuildFailed"), _build_message(build))
    return progressing("Building", f"build {build.meta.name} is not finished")


def _failure(build: Build, field: str, default: str) -> str:
    return str((build.status.get("failure") or {}).get(field) or default)


def _build_message(build: Build) -> str:
    return f"build {build.meta.name}: {_failure(build, 'message', 'it failed')}"


def release_verdict(view: AppView) -> Verdict | None:
    """Return how the newest release went; None when there is none."""
    latest = view.latest
    if latest is None:
        return None
    if latest.result == PENDING:
        known = conditions.find(latest.status, READY)
        text = known.get("message", "it is being prepared")
        if conditions.find(latest.status, conditions.STALLED):
            return stalled(known.get("reason", "ReleaseStalled"), f"v{latest.version}: {text}")
        return progressing("Releasing", f"v{latest.version}: {text}")
    if latest.result == RELEASE_FAILED:
        known = conditions.find(latest.status, READY)
        reason = known.get("reason", "ReleaseCommandFailed")
        return stalled(reason, f"v{latest.version}: {known.get('message', 'it failed')}")
    return ready("Released", f"v{latest.version}: {latest.description}")


def process_verdict(view: AppView) -> Verdict | None:
    """Return whether the dynos of the current release are up; None when there is none."""
    current = view.current
    if current is None or current.slug is None:
        return None
    wanted = {each.name for each in current.slug.process_types}
    active = [each for each in view.formations if each.process_type in wanted and each.quantity]
    states = [_formation_verdict(each, current.version) for each in active]
    worst = [each for each in states if each.is_stalled] or [
        each for each in states if not each.is_ready
    ]
    if worst:
        return worst[0]
    if not view.formations:
        return progressing("DynosStarting", "its formations are being made")
    return ready("ProcessesUp", f"all dynos run v{current.version}")


def _formation_verdict(formation: Formation, version: int) -> Verdict:
    status = formation.status
    known = conditions.find(status, READY)
    reason = known.get("reason", "DynosStarting")
    text = f"{formation.process_type}: {known.get('message', 'it is not observed yet')}"
    followed = (status.get("release") or {}).get("version") == version
    if status.get("observedGeneration") != formation.meta.generation or not followed:
        return progressing("DynosStarting", f"{formation.process_type}: v{version} is rolled out")
    if known.get("status") == "True":
        return ready(reason, text)
    if conditions.find(status, conditions.STALLED):
        return stalled(reason, text)
    return progressing(reason, text)


def route_verdict(view: AppView, context: Context) -> Verdict | None:
    """Return whether requests reach the app; None when it has no web process."""
    web = view.formation(WEB)
    current = view.current
    if web is None or current is None or not current.slug or not current.slug.command(WEB):
        return None
    hosts = decide_hosts(view.app, view.rivals, context.settings)
    if hosts.refused:
        refusal = hosts.refused[0]
        return stalled(refusal.reason, refusal.message)
    if view.route is None or view.route.admitted is None:
        return progressing("RoutePending", "the gateway has not taken the route yet")
    if not view.route.admitted:
        return stalled("RouteRefused", f"the gateway refuses the route: {view.route.refusal}")
    return ready("RouteAdmitted", f"{', '.join(hosts.granted[:5])}")


# The chain: what Ready says


def _no_release(asked: _Asked) -> Verdict | None:
    view, _ = asked
    if view.current is not None:
        return None
    config = config_verdict(view)
    if view.hidden_config:
        return config
    for verdict in (build_verdict(view), release_verdict(view)):
        if verdict is not None and not verdict.is_ready:
            return verdict
    if view.newest_build is None and not view.app.source:
        return idle("NoRelease", "push code to deploy: git push heroku main")
    return progressing("Releasing", "its first release is being made")


def _declared_source(asked: _Asked) -> Verdict | None:
    view, _ = asked
    name = declared_build_name(view.app)
    if not name:
        return None
    build = view.build(name)
    if build is None or not build.finished:
        return progressing("Building", f"build {name} of the declared source is not finished")
    if build.result == SUCCEEDED:
        return None
    return stalled(
        _failure(build, "reason", "BuildFailed"),
        f"{_build_message(build)}. Repair spec.source, or delete build {name} to try again",
    )


def _releasing(asked: _Asked) -> Verdict | None:
    view, _ = asked
    if view.latest is None or view.latest.result != PENDING:
        return None
    return release_verdict(view)


def _processes(asked: _Asked) -> Verdict | None:
    view, _ = asked
    verdict = process_verdict(view)
    return None if verdict is None or verdict.is_ready else verdict


def _route(asked: _Asked) -> Verdict | None:
    view, context = asked
    verdict = route_verdict(view, context)
    if verdict is None or verdict.is_ready:
        return None
    if verdict.is_stalled and decide_hosts(view.app, view.rivals, context.settings).granted:
        refused = verdict.reason == "RouteRefused"
        return verdict if refused else None
    return verdict


def _serving(asked: _Asked) -> Verdict:
    view, context = asked
    version = view.current.version if view.current else 0
    if view.app.maintenance:
        return ready("Maintenance", f"v{version} runs, requests get 503: maintenance is on")
    web = view.formation(WEB)
    where = app_url(default_host(view.app.meta.name, context.settings), context.settings)
    text = f"v{version} serves {where}" if web and web.quantity else f"v{version} runs"
    newest = view.newest_build
    if newest is not None and newest.result == FAILED:
        text += f"; the newest {_build_message(newest)}"
    return ready("Serving", text)


_CHAIN = (
    _no_release,
    _declared_source,
    _releasing,
    _processes,
    _route,
    _serving,
)


# The status


def app_status(view: AppView, context: Context) -> dict[str, Any]:
    """Return the complete status of an app."""
    app, current = view.app, view.current
    host = default_host(app.meta.name, context.settings)
    newest = view.newest_build
    web = view.formation(WEB)
    fields: dict[str, Any] = {
        "observedGeneration": app.meta.generation,
        "host": host,
        "url": app_url(host, context.settings),
        "stack": current.stack if current else app.stack or context.settings.default_stack,
        "buildpack": _buildpack(view),
        "currentRelease": {"name": current.meta.name, "version": current.version}
        if current
        else None,
        "latestBuild": {"name": newest.meta.name, "result": newest.result} if newest else None,
        "web": f"{web.status.get('readyReplicas') or 0}/{web.quantity}" if web else None,
        "processTypes": _process_types(view),
        "conditions": stamp(
            app.status.get("conditions", ()),
            (*trio(first(_CHAIN, (view, context))), *_details(view, context)),
            app.meta.generation,
            context.now,
        ),
    }
    return {key: value for key, value in fields.items() if value is not None}


def _details(view: AppView, context: Context) -> tuple[Condition, ...]:
    found = (
        ("ConfigReady", config_verdict(view)),
        ("BuildSucceeded", build_verdict(view)),
        ("Released", release_verdict(view)),
        ("ProcessesAvailable", process_verdict(view)),
        ("RouteAdmitted", route_verdict(view, context)),
    )
    return tuple(detail(kind, verdict) for kind, verdict in found if verdict is not None)


def _buildpack(view: AppView) -> str | None:
    """Return the language of the build that serves; kept when that build is no longer there."""
    current = view.current
    build = view.build(current.build) if current and current.build else None
    known = build.status.get("language") if build else None
    return known or view.app.status.get("buildpack")


def _process_types(view: AppView) -> list[dict[str, Any]]:
    ordered = sorted(view.formations, key=lambda each: (each.process_type != WEB, each.meta.name))
    return [
        {
            "name": each.process_type,
            "quantity": each.quantity,
            "readyReplicas": each.status.get("readyReplicas") or 0,
        }
        for each in ordered
    ]
