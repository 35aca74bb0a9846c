"""How the parts of an app are: config, newest build, newest release, dynos and route."""

from __future__ import annotations

from haikube.model import conditions
from haikube.model.build import SUCCEEDED, Build
from haikube.model.conditions import READY, Verdict, progressing, ready, stalled
from haikube.model.formation import WEB, Formation
from haikube.model.names import LONGEST_STRING
from haikube.model.release import FAILED as RELEASE_FAILED
from haikube.model.release import PENDING
from haikube.model.secret import Secret
from haikube.plan.closed import why_closed_by_status
from haikube.plan.context import Context
from haikube.plan.hosts import decide_hosts
from haikube.plan.world import AppWorld

_SHOWN = 5


def config_verdict(world: AppWorld) -> Verdict:
    """Return whether the config vars can be read."""
    name = world.app.config
    if world.hidden_config:
        return stalled(
            "ConfigSecretNotLabelled",
            f"the operator does not see Secret {name}; label it: "
            f"kubectl label secret {name} haikube.dev/app={world.name}",
        )
    if world.config is None and world.releases:
        return stalled(
            "ConfigSecretMissing",
            f"Secret {name} is gone; the dynos keep their config. Create it again with the label "
            f"haikube.dev/app={world.name}",
        )
    if world.config is None:
        return progressing("CreatingConfig", f"Secret {name} is being made")
    if flaw := _flaw(world.config):
        return stalled("InvalidConfigVar", flaw)
    return ready("ConfigFound", f"{len(world.config.data)} config vars in Secret {name}")


def _flaw(config: Secret) -> str:
    """Return what is wrong with some config vars, or nothing."""
    unchanged = "no release is made of this config, the dynos keep theirs"
    if config.oversized:
        sizes = [f"{name} has {size:,}" for name, size in config.oversized.items()]
        return (
            f"over {LONGEST_STRING:,} bytes with their names, with which Linux starts no program: "
            f"{', '.join(sizes[:_SHOWN])}; {unchanged}. Store such a value elsewhere, or in parts"
        )
    if config.unreadable:
        return (
            "values that are no text (UTF-8 without zero bytes), which no container can be given: "
            f"{', '.join(config.unreadable[:_SHOWN])}; {unchanged}. Store them as base64"
        )
    if config.ignored:
        return f"no names for config vars, so left out: {', '.join(config.ignored[:_SHOWN])}"
    return ""


def build_verdict(world: AppWorld) -> Verdict | None:
    """Return how the newest build went; None when there is none."""
    build = world.newest_build
    if build is None:
        return None
    if build.result == SUCCEEDED:
        return ready("BuildSucceeded", f"build {build.meta.name} succeeded")
    if build.finished:
        return stalled(failure(build, "reason", "BuildFailed"), build_message(build))
    return progressing("Building", f"build {build.meta.name} is not finished")


def failure(build: Build, field: str, default: str) -> str:
    """Return what a failed build says of its failure."""
    return str((build.status.get("failure") or {}).get(field) or default)


def build_message(build: Build) -> str:
    """Return what a failed build says, with its name."""
    return f"build {build.meta.name}: {failure(build, 'message', 'it failed')}"


def release_verdict(world: AppWorld) -> Verdict | None:
    """Return how the newest release went; None when there is none."""
    latest = world.latest
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


def process_verdict(world: AppWorld) -> Verdict | None:
    """Return whether the dynos of the current release are up; None when there is none."""
    current = world.current
    if current is None or current.slug is None:
        return None
    wanted = {each.name for each in current.slug.process_types}
    active = [each for each in world.formations if each.process_type in wanted and each.quantity]
    states = [_formation_verdict(each, current.version) for each in active]
    worst = [each for each in states if each.is_stalled] or [
        each for each in states if not each.is_ready
    ]
    if worst:
        return worst[0]
    if not world.formations:
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


def route_verdict(world: AppWorld, context: Context) -> Verdict | None:
    """Return whether requests reach the app; None when it has no web process."""
    web = world.formation(WEB)
    current = world.current
    if web is None or current is None or not current.slug or not current.slug.command(WEB):
        return None
    hosts = decide_hosts(world.app, world.rivals, context.settings)
    if hosts.refused:
        refusal = hosts.refused[0]
        return stalled(refusal.reason, refusal.message)
    if closed := why_closed_by_status(world.app, web):
        return ready("RouteClosed", f"the platform's own page is shown: {closed}")
    routes = world.routes.get(web.meta.uid, ())
    if not routes or any(each.admitted is None for each in routes):
        return progressing("RoutePending", "the gateway has not taken the route yet")
    refusals = [each.refusal for each in routes if not each.admitted]
    if refusals:
        return stalled("RouteRefused", f"the gateway refuses the route: {refusals[0]}")
    return ready("RouteAdmitted", f"{', '.join(hosts.granted[:5])}")
