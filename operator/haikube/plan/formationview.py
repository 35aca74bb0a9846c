"""All that decides about one formation, gathered before anything is decided."""

from __future__ import annotations

from dataclasses import dataclass

from haikube.model import labels
from haikube.model.app import App
from haikube.model.deployment import Deployment
from haikube.model.formation import Formation
from haikube.model.meta import Meta
from haikube.model.names import formation_name
from haikube.model.pod import Pod
from haikube.model.release import Release
from haikube.model.route import Route
from haikube.model.stack import Stack
from haikube.plan.children import label_value
from haikube.plan.dynos import DynoPod
from haikube.plan.hosts import Rivals
from haikube.plan.rollout import paced
from haikube.plan.sizes import Size, find_size
from haikube.plan.world import AppWorld
from haikube.settings import Settings


@dataclass(frozen=True, slots=True)
class FormationView:
    """One formation, the release it follows, and the children it has."""

    formation: Formation
    size: Size | None
    app: App | None
    release: Release | None
    stack: Stack | None
    deployment: Deployment | None
    budget: Meta | None
    service: Meta | None
    routes: tuple[Route, ...]
    pods: tuple[Pod, ...]
    rivals: Rivals
    leaving: frozenset[str] = frozenset()
    """Names of nodes that dynos have to leave."""

    @property
    def command(self) -> str | None:
        """Return what the release runs for this process type, or None."""
        if self.release is None or self.release.slug is None:
            return None
        return self.release.slug.command(self.formation.process_type)

    @property
    def misnamed(self) -> bool:
        """Return whether it has another name than its process type asks for."""
        wanted = formation_name(self.formation.app, self.formation.process_type)
        return self.formation.meta.name != wanted

    @property
    def release_label(self) -> str:
        """Return the label value by which the pods of the release are known."""
        return label_value(self.release.meta.name) if self.release else ""

    @property
    def dyno(self) -> DynoPod | None:
        """Return what a dyno of this formation is, or None while that is not known."""
        if self.app is None or self.release is None or self.stack is None or self.misnamed:
            return None
        if self.command is None or self.size is None:
            return None
        kind = self.formation.process_type
        return DynoPod(self.app, self.release, self.stack, kind, self.command, self.size)

    @property
    def restarted_at(self) -> str:
        """Return the wish that its dynos be replaced, or empty."""
        return self.formation.meta.annotations.get(labels.RESTARTED_AT, "")

    @property
    def selector(self) -> dict[str, str]:
        """Return the labels that the pods of this formation have, and no others."""
        if self.app is None:
            return {}
        return {
            labels.APP: self.app.meta.name,
            labels.APP_UID: self.app.meta.uid,
            labels.FORMATION: self.formation.meta.name,
        }


def formation_view(world: AppWorld, formation: Formation, settings: Settings) -> FormationView:
    """Return all that decides about a formation."""
    uid, name, release = formation.meta.uid, formation.meta.name, world.current
    return FormationView(
        formation=formation,
        size=find_size(formation.size, settings),
        app=world.found,
        release=release if release and release.slug else None,
        stack=paced(world, formation, release) if release else None,
        deployment=world.deployments.get(uid),
        budget=world.budgets.get(uid),
        service=world.services.get(uid),
        routes=world.routes.get(uid, ()),
        pods=tuple(pod for pod in world.dyno_pods if pod.meta.labels.get(labels.FORMATION) == name),
        rivals=world.rivals,
        leaving=world.leaving,
    )
