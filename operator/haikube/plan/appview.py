"""All that decides about one app, gathered before anything is decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from haikube.model import release as ledger
from haikube.model.app import App
from haikube.model.build import Build
from haikube.model.formation import Formation
from haikube.model.meta import Meta
from haikube.model.names import formation_name
from haikube.model.release import Release
from haikube.model.route import Route
from haikube.model.secret import Secret
from haikube.plan.hosts import Rivals


@dataclass(frozen=True, slots=True)
class AppView:
    """One app, its config, builds, ledger and formations.

    ``hidden_config`` says that a Secret has the name of the config but not the label by which
    the operator sees it. ``snapshots`` are by name, which is that of their release.
    """

    app: App
    config: Secret | None
    hidden_config: bool
    snapshots: Mapping[str, Secret]
    builds: tuple[Build, ...]
    releases: tuple[Release, ...]
    formations: tuple[Formation, ...]
    route: Route | None
    rivals: Rivals

    @property
    def latest(self) -> Release | None:
        """Return the newest entry of the ledger."""
        return ledger.latest(self.releases)

    @property
    def current(self) -> Release | None:
        """Return the release that serves."""
        return ledger.current(self.releases)

    @property
    def newest_build(self) -> Build | None:
        """Return the build that was made last."""
        return max(self.builds, key=lambda each: each.meta.age_key, default=None)

    def build(self, name: str) -> Build | None:
        """Return a build by its name."""
        return next((each for each in self.builds if each.meta.name == name), None)

    def formation(self, process_type: str) -> Formation | None:
        """Return the formation of a process type."""
        name = formation_name(self.app.meta.name, process_type)
        return next((each for each in self.formations if each.meta.name == name), None)

    @property
    def orphans(self) -> tuple[Meta, ...]:
        """Return the snapshots that no release has."""
        known = {each.config for each in self.releases}
        return tuple(found.meta for name, found in self.snapshots.items() if name not in known)
