"""What the rooms share: one of each part per process, made once in ``api.app``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from starlette.requests import Request

from haikube.api.contract.schema import Contract
from haikube.api.kernel.addresses import app_url
from haikube.api.kernel.auth import Authenticator, Caller, Impersonator
from haikube.api.kernel.capability import Capabilities
from haikube.api.kernel.directory import Directory
from haikube.api.kernel.identity import app_name
from haikube.api.kernel.observed import Observed
from haikube.api.kernel.rights import Rights
from haikube.api.kernel.seal import Seals
from haikube.api.webhooks.herald import Herald
from haikube.cluster.port import Json
from haikube.git.builds import Repository
from haikube.git.service import GitService
from haikube.logs.builds import BuildLogs
from haikube.logs.tail import History, Router
from haikube.model import labels
from haikube.model.resources import SERVICE_ACCOUNTS
from haikube.model.source import declared_path
from haikube.settings import Settings
from haikube.storage.port import Storage


@dataclass(frozen=True, slots=True)
class Context:
    """The parts; ``own`` acts as the api itself."""

    settings: Settings
    own: Impersonator
    storage: Storage
    authenticator: Authenticator
    capabilities: Capabilities
    seals: Seals
    contract: Contract
    observed: Observed
    rights: Rights
    directory: Directory
    logs: BuildLogs
    history: History | None
    router: Router
    git: GitService
    herald: Herald
    closing: asyncio.Event
    """Set when the process is told to stop: what has no end of its own ends now."""

    async def caller(self, request: Request) -> Caller:
        """Return who sent a request; a machine acts for the owner of its authorization."""
        caller = await self.authenticator.caller(request)
        account = self.observed.get(SERVICE_ACCOUNTS, caller.namespace, caller.account)
        if account is None:
            return caller
        notes = account["metadata"].get("annotations") or {}
        return replace(caller, acts_for=str(notes.get(labels.OWNER) or ""))

    async def app(self, request: Request) -> tuple[Caller, Json]:
        """Return the caller and the App that the path names."""
        caller = await self.caller(request)
        return caller, await self.directory.find(caller, request.path_params["app"])

    def repository(self, caller: Caller, app: Json) -> Repository:
        """Return an app as its builds see it."""
        meta, spec = app["metadata"], app.get("spec") or {}
        return Repository(
            app=meta["name"],
            called=app_name(app),
            namespace=meta["namespace"],
            uid=meta["uid"],
            url=app_url(app, self.settings),
            author=caller.email,
            cluster=caller.cluster,
            stack=spec.get("stack") or self.settings.default_stack,
            buildpacks=tuple(spec.get("buildpacks") or ()),
            path=declared_path(spec.get("source")),
        )


def context_of(request: Request) -> Context:
    """Return the parts that serve this request."""
    context = request.app.state.context
    if not isinstance(context, Context):
        raise TypeError("the application has no context")
    return context
