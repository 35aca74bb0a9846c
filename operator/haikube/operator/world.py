"""Gather the world of an App: from the store, and in three cases from outside.

Those are what an object says is there and the store lacks (the watches of two kinds are never in
step, and see no child without its label), the stored result of a build whose pod has handed it back
or says nothing any more, and the extra certificates of the platform.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from haikube.cluster.errors import NotFound
from haikube.cluster.port import Cluster
from haikube.engine.clock import Clock
from haikube.engine.store import Store
from haikube.model import labels, names
from haikube.model.app import App
from haikube.model.build import Build
from haikube.model.job import Job
from haikube.model.meta import Meta, parse_meta
from haikube.model.pod import Pod
from haikube.model.release import Release
from haikube.model.resources import (
    APPS,
    BUDGETS,
    BUILDS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    DYNOS,
    FORMATIONS,
    HTTP_ROUTES,
    JOBS,
    NODES,
    PODS,
    RELEASES,
    SECRETS,
    SERVICES,
    STACKS,
    Resource,
)
from haikube.model.secret import Secret
from haikube.model.stack import Stack
from haikube.operator.lacking import lacking
from haikube.operator.owners import by_owner, grouped, loose
from haikube.operator.rivals import find_rivals
from haikube.plan.app.adopt import is_own, outlives
from haikube.plan.buildjob import CA_FILE
from haikube.plan.buildview import build_view
from haikube.plan.children import CONFIG
from haikube.plan.queue import admitted
from haikube.plan.release.entries import split
from haikube.plan.result import RESULT_LIMIT, InvalidResult, parse_result
from haikube.plan.stack import StackView
from haikube.plan.world import AppWorld, Child, Stored
from haikube.settings import Settings
from haikube.storage.port import MissingObject, Storage, StorageError

T = TypeVar("T")
Results = dict[str, Stored]

_CA_SECONDS = 60.0


class Worlds:
    """Makes worlds; keeps nothing but the platform's certificates for a minute."""

    def __init__(
        self, store: Store, cluster: Cluster, storage: Storage, settings: Settings, clock: Clock
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._storage = storage
        self._settings = settings
        self._clock = clock
        self._ca: tuple[float, str] | None = None
        self.moving: dict[str, frozenset[str]] = {}

    async def app(self, namespace: str, name: str, stored: Results) -> AppWorld:
        """Return the world of an App; ``stored`` are the results that this pass has read."""
        world = await self._known(namespace, name)
        if all(each.finished for each in world.builds):
            return world
        world = replace(world, ca_bundle=await self._ca_bundle(), admitted=self._admitted(world))
        for build in world.builds:
            await self._read_result(world, build, stored)
        return replace(world, stored=stored)

    def stack(self, name: str) -> StackView:
        """Return all that decides about a Stack."""
        apps = self._store.number(APPS, "stack", name)
        dynos = tuple(self._store.values(DEPLOYMENTS, "runs-on", name))
        return StackView(self._store.value(STACKS, "", name), apps=apps, deployments=dynos)

    def lend_users(self) -> bool:
        """Return whether pods can have users of their own on every node, as far as is known."""
        return bool(self._store.count(NODES)) and not self._store.number(NODES, "shares-users", "")

    def unfinished(self) -> Sequence[Build]:
        """Return the builds of all apps that have not ended."""
        return self._store.values(BUILDS, "unfinished", "")

    # From the store

    def _seen(self, namespace: str, name: str) -> AppWorld:
        app: App | None = self._store.value(APPS, namespace, name)
        place = f"{namespace}/{name}"
        ledger = self._ours(RELEASES, place, app)
        numbered = [each for each in ledger if not each.is_request]
        entries, strays = split(numbered, app) if app else (tuple(numbered), ())
        children = self._children(place, app)
        return AppWorld(
            namespace=namespace,
            name=name,
            found=app,
            config=self._config(app) if app else None,
            builds=tuple(self._ours(BUILDS, place, app)),
            releases=entries,
            requests=tuple(each for each in ledger if each.is_request),
            strays=strays,
            formations=tuple(self._formations(place, app)),
            dynos=tuple(self._ours(DYNOS, place, app)),
            **children,
            leaving=self._leaving(children["dyno_pods"]),
            stacks=self._stacks(app, ledger, place),
            rivals=find_rivals(self._store, app, self._settings) if app else {},
            moving=frozenset[str]().union(*self.moving.values()),
        )

    def _leaving(self, dynos: Iterable[Pod]) -> frozenset[str]:
        """Return which of the nodes that dynos run on are to be left."""
        nodes = (self._store.value(NODES, "", name) for name in {each.node for each in dynos})
        return frozenset(each.meta.name for each in nodes if each is not None and each.leaving)

    def _children(self, place: str, app: App | None) -> dict[str, Any]:
        pods: Sequence[Pod] = self._of_app(PODS, place, app)
        secrets: Sequence[Secret] = self._of_app(SECRETS, place, app)
        jobs: Sequence[Job] = self._of_app(JOBS, place, app)
        return {
            "secrets": {
                (each.meta.controller, each.meta.labels.get(labels.COMPONENT, "")): each
                for each in secrets
                if each.meta.controller
            },
            "jobs": grouped(jobs),
            "pods": grouped(pods),
            "dyno_pods": tuple(each for each in pods if labels.FORMATION in each.meta.labels),
            "deployments": by_owner(self._of_app(DEPLOYMENTS, place, app)),
            "budgets": {each.controller: each for each in self._of_app(BUDGETS, place, app)},
            "services": {each.controller: each for each in self._of_app(SERVICES, place, app)},
            "routes": grouped(self._of_app(HTTP_ROUTES, place, app)),
            "loose": (*loose(SECRETS, secrets), *loose(JOBS, jobs), *loose(PODS, pods)),
        }

    def _ours(self, resource: Resource, place: str, app: App | None) -> Sequence[Any]:
        """Return the objects of one of our kinds that are of this very App, or of nobody yet."""
        found = self._store.values(resource, "app", place)
        return found if app is None else [each for each in found if is_own(each.meta, app.meta)]

    def _formations(self, place: str, app: App | None) -> Sequence[Any]:
        """Return the formations, and those of people that an App of the same name had adopted."""
        found = self._store.values(FORMATIONS, "app", place)
        if app is None:
            return found
        return [each for each in found if is_own(each.meta, app.meta) or outlives(each.meta)]

    def _of_app(self, resource: Resource, place: str, app: App | None) -> Sequence[Any]:
        """Return children by the uid in their labels."""
        found = self._store.values(resource, "app", place)
        if app is None:
            return found
        return [each for each in found if _uid_label(each) == app.meta.uid]

    def _stacks(self, app: App | None, ledger: Iterable[Release], place: str) -> dict[str, Stack]:
        """Return the stacks that anything of the App may need, as far as they exist."""
        default = self._settings.default_stack
        builds: Sequence[Build] = self._store.values(BUILDS, "app", place)
        wanted = {
            (app.stack if app else None) or default,
            *(each.stack for each in ledger),
            *(each.stack or default for each in builds if not each.finished),
        }
        known = {each: self._store.value(STACKS, "", each) for each in wanted}
        return {name: stack for name, stack in known.items() if stack is not None}

    def _config(self, app: App) -> Secret | None:
        """Return the config, unless it is what an App of the same name has left behind."""
        found: Secret | None = self._store.value(SECRETS, app.meta.namespace, app.config)
        if found is None or found.meta.labels.get(labels.APP) != app.meta.name:
            return None
        return found if is_own(found.meta, app.meta) else None

    def _admitted(self, world: AppWorld) -> frozenset[str]:
        chosen = admitted(self.unfinished(), self._settings.builds_at_once)
        return chosen & {each.meta.uid for each in world.builds}

    # From outside

    async def _known(self, namespace: str, name: str) -> AppWorld:
        """Return what the store has, after asking for what it should have and lacks.

        An operator that has just begun may know a Release and not yet its snapshot: taken for
        deleted, it would make a release that nobody asked for.
        """
        asked: dict[Child, Meta | None] = {}
        world = self._seen(namespace, name)
        while unknown := set(lacking(world)) - asked.keys():
            for child in unknown:
                asked[child] = await self._ask_for(child, namespace)
            if not any(asked[child] for child in unknown):
                break  # what is nowhere has changed nothing
            world = self._seen(namespace, name)
        there = [(child, meta) for child, meta in asked.items() if meta is not None]
        if not there:
            return world
        return replace(
            world,
            hidden=tuple((child, meta) for child, meta in there if _belongs(child, meta)),
            hidden_config=world.config is None
            and any(
                child.component == CONFIG and _is_of_another(meta, name) for child, meta in there
            ),
        )

    async def _ask_for(self, child: Child, namespace: str) -> Meta | None:
        """Return what is there, and take it in if a watch will tell of it."""
        try:
            found = await self._cluster.get(child.resource, child.name, namespace)
        except NotFound:
            return None
        meta = parse_meta(found)
        if labels.APP in meta.labels:
            self._store.put(child.resource, None, found)
        return meta

    async def _read_result(self, world: AppWorld, build: Build, stored: Results) -> None:
        """Read what only the storage knows of a build, once in a pass."""
        uid = build.meta.uid
        view = build_view(world, build, self._settings.default_stack)
        if uid in stored or not view.needs_stored or world.found is None:
            return
        key = names.result_key(world.found.meta.uid, uid)
        try:
            text = await self._storage.get(key, limit=RESULT_LIMIT)
            stored[uid] = Stored(parse_result(text.decode("utf-8", "replace")))
        except (MissingObject, InvalidResult):
            stored[uid] = Stored(missing=True)
        except StorageError as error:
            stored[uid] = Stored(error=str(error))

    async def _ca_bundle(self) -> str:
        name, now = self._settings.ca_bundle_configmap, self._clock.monotonic()
        if not name:
            return ""
        if self._ca is None or now - self._ca[0] > _CA_SECONDS:
            found = await self._cluster.get(CONFIG_MAPS, name, self._settings.namespace)
            self._ca = (now, (found.get("data") or {}).get(CA_FILE, ""))
        return self._ca[1]


def _belongs(child: Child, meta: Meta) -> bool:
    """Return whether what was found is its owner's, whatever its labels say."""
    return bool(child.component) and meta.controller == child.owner and not meta.deleting


def _is_of_another(config: Meta, app: str) -> bool:
    """Return whether no App of this name may have what its config is to be."""
    return config.labels.get(labels.APP) != app


def _uid_label(child: Any) -> str | None:  # noqa: ANN401 - any parsed child, or bare metadata
    meta = getattr(child, "meta", child)
    found: str | None = meta.labels.get(labels.APP_UID)
    return found
