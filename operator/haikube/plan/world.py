"""Everything of one App, gathered before anything is decided; what follows from it by itself.

Only what belongs to this very App is here: objects of our kinds that it controls or that nobody
does yet, and children by the uid of their owner. What an App of the same name has left behind has
another uid, and is not seen. Nothing here reads a store, a clock or a name that a uid contradicts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from haikube.model import release as ledger
from haikube.model.app import App
from haikube.model.build import Build
from haikube.model.deployment import Deployment
from haikube.model.dyno import Dyno
from haikube.model.formation import Formation
from haikube.model.job import Job
from haikube.model.meta import Meta
from haikube.model.names import formation_name
from haikube.model.pod import Pod
from haikube.model.release import Release
from haikube.model.resources import Resource
from haikube.model.route import Route
from haikube.model.secret import Secret
from haikube.model.stack import Stack
from haikube.plan.hosts import Rivals
from haikube.plan.result import Result

Owned = tuple[str, str]
"""The uid of an owner, and what the child is for (label ``haikube.dev/component``)."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What reading a build's result from the storage gave: it, nothing there, or an error."""

    result: Result | None = None
    missing: bool = False
    error: str = ""


class Child(NamedTuple):
    """What should be there as some object says: a child, the uid of its owner, what it is for."""

    resource: Resource
    name: str
    owner: str
    component: str = ""


@dataclass(frozen=True)
class AppWorld:
    """One App and all that is its own.

    ``found`` is None when objects refer to an App that does not exist. ``hidden_config`` says
    that a Secret has the name of the config but not the label that says that it is this App's.
    ``admitted`` are the uids of the builds whose turn it is in the queue of all apps, ``moving``
    those of the Deployments whose turn it is to run on the new image of their stack. ``leaving``
    are the names of nodes that its dynos have to leave. ``hidden`` are children that are there, but
    lack labels by which the operator finds them; ``loose`` are those that lost their owner.
    """

    namespace: str
    name: str
    found: App | None
    config: Secret | None = None
    hidden_config: bool = False
    builds: tuple[Build, ...] = ()
    releases: tuple[Release, ...] = ()
    requests: tuple[Release, ...] = ()
    strays: tuple[Release, ...] = ()
    formations: tuple[Formation, ...] = ()
    dynos: tuple[Dyno, ...] = ()
    secrets: Mapping[Owned, Secret] = field(default_factory=dict)
    jobs: Mapping[str, tuple[Job, ...]] = field(default_factory=dict)
    pods: Mapping[str, tuple[Pod, ...]] = field(default_factory=dict)
    dyno_pods: tuple[Pod, ...] = ()
    deployments: Mapping[str, Deployment] = field(default_factory=dict)
    budgets: Mapping[str, Meta] = field(default_factory=dict)
    services: Mapping[str, Meta] = field(default_factory=dict)
    routes: Mapping[str, tuple[Route, ...]] = field(default_factory=dict)
    stacks: Mapping[str, Stack] = field(default_factory=dict)
    rivals: Rivals = field(default_factory=dict)
    stored: Mapping[str, Stored] = field(default_factory=dict)
    ca_bundle: str = ""
    admitted: frozenset[str] = frozenset()
    moving: frozenset[str] = frozenset()
    leaving: frozenset[str] = frozenset()
    hidden: tuple[tuple[Child, Meta], ...] = ()
    loose: tuple[tuple[Resource, Meta], ...] = ()

    @property
    def app(self) -> App:
        """Return the App; only to be asked where it exists."""
        assert self.found is not None  # noqa: S101 - see the contract
        return self.found

    @cached_property
    def latest(self) -> Release | None:
        """Return the newest entry of the ledger."""
        return ledger.latest(self.releases)

    @cached_property
    def current(self) -> Release | None:
        """Return the release that should serve."""
        return ledger.current(self.releases)

    @property
    def newest_build(self) -> Build | None:
        """Return the build that was made last."""
        return max(self.builds, key=lambda each: each.meta.age_key, default=None)

    @property
    def web_routes(self) -> tuple[Route, ...]:
        """Return the routes by which requests reach the app."""
        return next(iter(self.routes.values()), ())

    def build(self, name: str) -> Build | None:
        """Return a build by its name."""
        return next((each for each in self.builds if each.meta.name == name), None)

    def release(self, version: int | None) -> Release | None:
        """Return a release by its version."""
        return next((each for each in self.releases if each.version == version), None)

    def formation(self, process_type: str) -> Formation | None:
        """Return the formation of a process type."""
        name = formation_name(self.name, process_type)
        return next((each for each in self.formations if each.meta.name == name), None)

    def child_secret(self, owner: Meta, component: str) -> Secret | None:
        """Return the Secret that an object owns for one purpose."""
        return self.secrets.get((owner.uid, component))

    def pods_of(self, owner: Meta) -> tuple[Pod, ...]:
        """Return the pods that an object controls itself."""
        return self.pods.get(owner.uid, ())

    def with_builds(self, builds: tuple[Build, ...]) -> AppWorld:
        """Return the world as it is once the statuses of the builds are written."""
        return self if builds is self.builds else self._with(builds=builds)

    def with_releases(self, releases: tuple[Release, ...]) -> AppWorld:
        """Return the world as it is once the statuses of the releases are written."""
        return self if releases is self.releases else self._with(releases=releases)

    def with_formations(self, formations: tuple[Formation, ...]) -> AppWorld:
        """Return the world as it is once the statuses of the formations are written."""
        return self if formations is self.formations else self._with(formations=formations)

    def with_config(self, config: Secret) -> AppWorld:
        """Return the world as it is once the config is made."""
        return self._with(config=config)

    def _with(self, **changed: object) -> AppWorld:
        """Return the same world but for ``changed``: a pass makes a dozen, and each has 28 fields.

        What was found out of the old one is not taken along.
        """
        world = object.__new__(AppWorld)
        known = {key: value for key, value in vars(self).items() if key not in _FOUND_OUT}
        world.__dict__.update(known, **changed)
        return world


_FOUND_OUT = frozenset(
    name for name, value in vars(AppWorld).items() if isinstance(value, cached_property)
)
