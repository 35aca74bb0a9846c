"""How far a formation is: a chain of checks, and the status that follows from it."""

from __future__ import annotations

from typing import Any

from haikube.model import labels
from haikube.model.conditions import Verdict, idle, progressing, ready, stalled, stamp, trio
from haikube.model.names import formation_name
from haikube.plan.context import Context, first
from haikube.plan.diagnosis import diagnose
from haikube.plan.formationview import FormationView
from haikube.plan.sizes import size_names

_Asked = tuple[FormationView, Context]


def _app_missing(asked: _Asked) -> Verdict | None:
    view, _ = asked
    if view.app is not None:
        return None
    return stalled("AppNotFound", f"there is no App {view.formation.app}; create it or delete this")


def _misnamed(asked: _Asked) -> Verdict | None:
    view, _ = asked
    if not view.misnamed:
        return None
    wanted = formation_name(view.formation.app, view.formation.process_type)
    return stalled(
        "WrongName",
        f"the formation of {view.formation.process_type} is called {wanted}; "
        "delete this one and scale that",
    )


def _no_release(asked: _Asked) -> Verdict | None:
    view, _ = asked
    if view.release is not None:
        return None
    return idle("NoRelease", "the app has no release; push code to deploy: git push heroku main")


def _not_in_release(asked: _Asked) -> Verdict | None:
    view, _ = asked
    if view.command is not None or view.release is None:
        return None
    return idle(
        "NotInRelease",
        f"v{view.release.version} has no process type {view.formation.process_type}; "
        "its dynos are removed until a release has it again",
    )


def _unknown_size(asked: _Asked) -> Verdict | None:
    view, context = asked
    if view.size is not None:
        return None
    known = size_names(context.settings)
    return stalled("UnknownSize", f"there is no size {view.formation.size}; use one of {known}")


def _stack_missing(asked: _Asked) -> Verdict | None:
    view, _ = asked
    if view.stack is not None or view.release is None:
        return None
    return stalled("StackNotFound", f"there is no Stack {view.release.stack}; make it again")


def _scaled_to_zero(asked: _Asked) -> Verdict | None:
    view, _ = asked
    if view.formation.quantity or (view.deployment and view.deployment.replicas):
        return None
    return ready("ScaledToZero", "no dynos are wanted")


def all_up(view: FormationView) -> bool:
    """Say whether every dyno runs the current release, and none of another is left."""
    found = view.deployment
    if (
        found is None
        or not found.observed
        or found.meta.labels.get(labels.RELEASE) != view.release_label
    ):
        return False
    return found.available == found.updated == found.replicas == view.formation.quantity


def _all_up(asked: _Asked) -> Verdict | None:
    view, _ = asked
    if view.deployment is None or not all_up(view):
        return None
    version = view.release.version if view.release else 0
    found, wanted = view.deployment, view.formation.quantity
    return ready("DynosUp", f"{found.ready}/{wanted} dynos run v{version}")


def _refused(asked: _Asked) -> Verdict | None:
    view, _ = asked
    if view.deployment is None or not view.deployment.refusal:
        return None
    text = view.deployment.refusal
    if "quota" not in text:
        return stalled("PodsRefused", f"the cluster refuses its dynos: {text}")
    if _makes_room(view):
        return None
    return stalled("QuotaExceeded", f"the cluster refuses its dynos: {text}{_other_way(view)}")


def _makes_room(view: FormationView) -> bool:
    """Say whether a dyno that is leaving is what a new one waits for."""
    in_place = view.app is not None and view.app.rollout.in_place
    return in_place and any(pod.meta.deleting for pod in view.pods)


def _other_way(view: FormationView) -> str:
    """Return what lets a release roll out that surges where there is no room for more dynos."""
    surges = view.app is not None and view.app.rollout.surges
    if not surges or view.deployment is None or view.deployment.updated == view.deployment.replicas:
        return ""
    return "; the App's rollout.strategy InPlace replaces dynos without room for more"


def _ailing(asked: _Asked) -> Verdict | None:
    view, _ = asked
    if view.dyno is None:
        return None
    mine = (pod for pod in view.pods if pod.meta.labels.get(labels.RELEASE) == view.release_label)
    return diagnose(mine)


def _no_users(asked: _Asked) -> Verdict | None:
    view, context = asked
    return context.lacks_users(context.settings.dyno_runtime_class, view.pods)


def _stuck(asked: _Asked) -> Verdict | None:
    view, _ = asked
    if view.deployment is None or not view.deployment.stuck or not view.deployment.observed:
        return None
    return stalled("RolloutStuck", "its dynos do not get ready; see kubectl describe pods")


def _rolling(asked: _Asked) -> Verdict:
    view, _ = asked
    found = view.deployment
    up = min(found.updated, found.ready) if found else 0
    version = view.release.version if view.release else 0
    return progressing("DynosStarting", f"{up}/{view.formation.quantity} dynos run v{version}")


_CHAIN = (
    _app_missing,
    _misnamed,  # two formations of one type would fight over hosts and ordinals
    _no_release,
    _not_in_release,
    _unknown_size,
    _stack_missing,
    _scaled_to_zero,
    _all_up,
    _refused,
    _ailing,
    _no_users,
    _stuck,
    _rolling,
)


def formation_status(view: FormationView, context: Context) -> dict[str, Any]:
    """Return the complete status of a formation."""
    formation, found = view.formation, view.deployment
    verdict = first(_CHAIN, (view, context))
    fields: dict[str, Any] = {
        "observedGeneration": formation.meta.generation,
        "replicas": found.replicas if found else 0,
        "readyReplicas": found.ready if found else 0,
        "ready": f"{found.ready if found else 0}/{formation.quantity}",
        "command": view.command,
        "conditions": stamp(
            formation.status.get("conditions", ()),
            trio(verdict),
            formation.meta.generation,
            context.now,
        ),
    }
    if view.app is not None:
        chosen = sorted(view.selector.items())
        fields["selector"] = ",".join(f"{key}={value}" for key, value in chosen)
    if view.release is not None:
        fields["release"] = {"name": view.release.meta.name, "version": view.release.version}
    return {key: value for key, value in fields.items() if value is not None}
