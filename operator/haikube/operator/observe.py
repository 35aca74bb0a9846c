"""Gather what a plan needs: from the store, and in three cases from outside.

Those are a config Secret that the watch does not see, the stored result of a build whose pod
has handed it back or says nothing any more, and the extra certificates of the platform.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from haikube.cluster.errors import NotFound
from haikube.cluster.port import Cluster
from haikube.engine.clock import Clock
from haikube.engine.store import Store
from haikube.model import labels, names
from haikube.model import release as ledger
from haikube.model.app import App, parse_app
from haikube.model.build import parse_build
from haikube.model.deployment import parse_deployment
from haikube.model.dyno import parse_dyno
from haikube.model.formation import WEB, parse_formation
from haikube.model.job import parse_job
from haikube.model.meta import Meta, parse_meta
from haikube.model.pod import Pod, parse_pod
from haikube.model.release import Release, parse_release
from haikube.model.resources import (
    APPS,
    BUDGETS,
    BUILDS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    FORMATIONS,
    HTTP_ROUTES,
    JOBS,
    PODS,
    RELEASES,
    SECRETS,
    SERVICES,
    STACKS,
    Resource,
)
from haikube.model.route import parse_route
from haikube.model.secret import Secret, parse_secret
from haikube.model.stack import Stack, parse_stack
from haikube.plan.appview import AppView
from haikube.plan.buildjob import CA_FILE
from haikube.plan.buildview import BuildView, Stored
from haikube.plan.children import label_value
from haikube.plan.dyno import DynoView
from haikube.plan.formationview import FormationView
from haikube.plan.hosts import Rivals, wanted_hosts
from haikube.plan.release import ReleaseView
from haikube.plan.result import RESULT_LIMIT, InvalidResult, parse_result
from haikube.plan.sizes import find_size, size_names
from haikube.plan.snapshot import COMPONENT
from haikube.plan.stack import StackView
from haikube.settings import Settings
from haikube.storage.port import MissingObject, Storage, StorageError

Object = Mapping[str, Any]
T = TypeVar("T")

_CA_SECONDS = 60.0


class Observer:
    """Makes views; keeps nothing but the platform's certificates for a minute."""

    def __init__(
        self, store: Store, cluster: Cluster, storage: Storage, settings: Settings, clock: Clock
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._storage = storage
        self._settings = settings
        self._clock = clock
        self._ca: tuple[float, str] | None = None

    async def app(self, obj: Object) -> AppView:
        """Return all that decides about an App."""
        app = parse_app(obj)
        namespace, name = app.meta.namespace, app.meta.name
        secrets = [parse_secret(each) for each in self._of_app(SECRETS, namespace, name)]
        releases = self._releases(namespace, name)
        config = self._config(app)
        formations = tuple(map(parse_formation, self._of_app(FORMATIONS, namespace, name)))
        web = names.formation_name(name, WEB)
        return AppView(
            app=app,
            config=config,
            hidden_config=config is None and await self._is_hidden(app),
            snapshots={each.meta.name: each for each in secrets if _is_snapshot(each, app)},
            builds=tuple(map(parse_build, self._of_app(BUILDS, namespace, name))),
            releases=releases,
            formations=formations,
            route=self._get(HTTP_ROUTES, namespace, web, parse_route),
            rivals=self._rivals(app),
        )

    async def build(self, obj: Object) -> BuildView:
        """Return all that decides about a Build."""
        build = parse_build(obj)
        namespace = build.meta.namespace
        app = self._get(APPS, namespace, build.app, parse_app)
        siblings = map(parse_build, self._of_app(BUILDS, namespace, build.app))
        wanted = build.stack or (app.stack if app else None) or self._settings.default_stack
        job = self._child(JOBS, build.meta, parse_job)
        view = BuildView(
            build=build,
            app=app,
            stack=self._get(STACKS, "", wanted, parse_stack),
            siblings=tuple(each for each in siblings if each.meta.uid != build.meta.uid),
            job=job,
            pods=self._pods_of(job.meta) if job else (),
            urls=self._child(SECRETS, build.meta, parse_secret),
            releases=self._releases(namespace, build.app),
            ca_bundle=await self._ca_bundle(),
            hidden_config=await self._hides_config(app, started=job is not None or build.finished),
        )
        return await self._with_stored(view) if view.needs_stored else view

    async def release(self, obj: Object) -> ReleaseView:
        """Return all that decides about a Release."""
        release = parse_release(obj)
        namespace, app_name = release.meta.namespace, release.app
        app = self._get(APPS, namespace, app_name, parse_app)
        releases = self._releases(namespace, app_name)
        origin = next((each for each in releases if each.version == release.rollback_of), None)
        job = self._child(JOBS, release.meta, parse_job)
        used = f"{namespace}/{label_value(release.meta.name)}"
        slug_name = names.slug_secret_name(release.meta.name)
        return ReleaseView(
            release=release,
            app=app,
            stack=self._get(STACKS, "", release.stack, parse_stack),
            releases=releases,
            config=self._config(app) if app else None,
            snapshot=self._get(SECRETS, namespace, release.config, parse_secret),
            rolled_back=self._get(SECRETS, namespace, origin.config, parse_secret)
            if origin
            else None,
            slug_url=self._get(SECRETS, namespace, slug_name, parse_secret),
            job=job,
            phase_pods=self._pods_of(job.meta) if job else (),
            in_use=bool(self._store.find(PODS, "release", used)),
        )

    async def formation(self, obj: Object) -> FormationView:
        """Return all that decides about a Formation."""
        formation = parse_formation(obj)
        namespace = formation.meta.namespace
        app = self._get(APPS, namespace, formation.app, parse_app)
        release = ledger.current(self._releases(namespace, formation.app))
        pods = self._store.find(PODS, "formation", f"{namespace}/{formation.meta.name}")
        return FormationView(
            formation=formation,
            size=find_size(formation.size, self._settings),
            app=app,
            release=release,
            stack=self._stack(release),
            deployment=self._child(DEPLOYMENTS, formation.meta, parse_deployment),
            budget=self._child(BUDGETS, formation.meta, parse_meta),
            service=self._child(SERVICES, formation.meta, parse_meta),
            route=self._child(HTTP_ROUTES, formation.meta, parse_meta),
            pods=tuple(parse_pod(each) for each in pods if app and _is_of(each, app)),
            rivals=self._rivals(app) if app else {},
        )

    async def dyno(self, obj: Object) -> DynoView:
        """Return all that decides about a one-off Dyno."""
        dyno = parse_dyno(obj)
        namespace = dyno.meta.namespace
        release = ledger.current(self._releases(namespace, dyno.app))
        return DynoView(
            dyno=dyno,
            size=find_size(dyno.size, self._settings),
            sizes=size_names(self._settings),
            app=self._get(APPS, namespace, dyno.app, parse_app),
            release=release,
            stack=self._stack(release),
            pod=self._child(PODS, dyno.meta, parse_pod),
        )

    async def stack(self, obj: Object) -> StackView:
        """Return all that decides about a Stack."""
        stack = parse_stack(obj)
        return StackView(stack, apps=len(self._store.find(APPS, "stack", stack.meta.name)))

    # From the store

    def _get(
        self, resource: Resource, namespace: str, name: str, parse: Callable[[Object], T]
    ) -> T | None:
        obj = self._store.get(resource, namespace, name)
        return parse(obj) if obj is not None else None

    def _child(self, resource: Resource, owner: Meta, parse: Callable[[Object], T]) -> T | None:
        """Return the one child of a kind, by its owner's uid: names are not trusted."""
        found = self._store.find(resource, "owner", owner.uid)
        return parse(found[0]) if found else None

    def _of_app(self, resource: Resource, namespace: str, app: str) -> list[Object]:
        return self._store.find(resource, "app", f"{namespace}/{app}")

    def _releases(self, namespace: str, app: str) -> tuple[Release, ...]:
        return tuple(map(parse_release, self._of_app(RELEASES, namespace, app)))

    def _pods_of(self, job: Meta) -> tuple[Pod, ...]:
        return tuple(map(parse_pod, self._store.find(PODS, "owner", job.uid)))

    def _stack(self, release: Release | None) -> Stack | None:
        return self._get(STACKS, "", release.stack, parse_stack) if release else None

    def _config(self, app: App) -> Secret | None:
        found = self._get(SECRETS, app.meta.namespace, app.config, parse_secret)
        if found is None or found.meta.labels.get(labels.APP) != app.meta.name:
            return None
        return found

    def _rivals(self, app: App) -> Rivals:
        claims = {
            host: tuple(
                parse_app(each)
                for each in self._store.find(APPS, "host", host)
                if each["metadata"]["uid"] != app.meta.uid
            )
            for host in wanted_hosts(app, self._settings)
        }
        return {host: rivals for host, rivals in claims.items() if rivals}

    # From outside

    async def _hides_config(self, app: App | None, *, started: bool) -> bool:
        """Return whether a build that has yet to start would get a Secret that is not the app's."""
        if app is None or started or self._config(app) is not None:
            return False
        return await self._is_hidden(app)

    async def _is_hidden(self, app: App) -> bool:
        try:
            await self._cluster.get(SECRETS, app.config, app.meta.namespace)
        except NotFound:
            return False
        return True

    async def _with_stored(self, view: BuildView) -> BuildView:
        if view.app is None:
            return view
        key = names.result_key(view.app.meta.uid, view.build.meta.uid)
        try:
            text = await self._storage.get(key, limit=RESULT_LIMIT)
            stored = Stored(parse_result(text.decode("utf-8", "replace")))
        except (MissingObject, InvalidResult):
            stored = Stored(missing=True)
        except StorageError as error:
            stored = Stored(error=str(error))
        return replace(view, stored=stored)

    async def _ca_bundle(self) -> str:
        name, now = self._settings.ca_bundle_configmap, self._clock.monotonic()
        if not name:
            return ""
        if self._ca is None or now - self._ca[0] > _CA_SECONDS:
            found = await self._cluster.get(CONFIG_MAPS, name, self._settings.namespace)
            self._ca = (now, (found.get("data") or {}).get(CA_FILE, ""))
        return self._ca[1]


def _is_snapshot(secret: Secret, app: App) -> bool:
    return secret.meta.labels.get(labels.COMPONENT) == COMPONENT and (
        secret.meta.labels.get(labels.APP_UID) == app.meta.uid
    )


def _is_of(pod: Object, app: App) -> bool:
    return bool(pod["metadata"]["labels"].get(labels.APP_UID) == app.meta.uid)
