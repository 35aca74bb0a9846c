"""What the routes share: one of each part per process, made once in ``api.app``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request

from haikube.api.kernel.addresses import api_url, app_url
from haikube.api.kernel.auth import Authenticator, Caller
from haikube.api.kernel.capability import Capabilities
from haikube.api.kernel.directory import Directory
from haikube.api.kernel.problems import Problem
from haikube.cluster.port import Cluster, Json
from haikube.git.body import read_body
from haikube.git.builds import Repository
from haikube.git.service import GitService
from haikube.logs.builds import BuildLogs
from haikube.model.source import declared_path
from haikube.settings import Settings
from haikube.storage.port import Storage

_JSON_LIMIT: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Context:
    """The parts; ``own`` acts as the api itself."""

    settings: Settings
    own: Cluster
    storage: Storage
    authenticator: Authenticator
    capabilities: Capabilities
    directory: Directory
    logs: BuildLogs
    git: GitService

    async def caller(self, request: Request) -> Caller:
        """Return who sent a request."""
        return await self.authenticator.caller(request)

    async def app(self, request: Request) -> tuple[Caller, Json]:
        """Return the caller and the App that the path names."""
        caller = await self.caller(request)
        return caller, await self.directory.find(caller, request.path_params["app"])

    def repository(self, caller: Caller, app: Json) -> Repository:
        """Return an app as its builds see it."""
        meta, spec = app["metadata"], app.get("spec") or {}
        return Repository(
            app=meta["name"],
            namespace=meta["namespace"],
            uid=meta["uid"],
            url=app_url(app, self.settings),
            author=caller.username,
            cluster=caller.cluster,
            stack=spec.get("stack") or self.settings.default_stack,
            buildpacks=tuple(spec.get("buildpacks") or ()),
            path=declared_path(spec.get("source")),
        )

    def api_url(self, request: Request) -> str:
        """Return the api's own URL as the caller reached it."""
        return api_url(request, self.settings)


def context_of(request: Request) -> Context:
    """Return the parts that serve this request."""
    context = request.app.state.context
    if not isinstance(context, Context):
        raise TypeError("the application has no context")
    return context


async def read_json(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request; no body at all is an empty one."""
    data = b"".join([chunk async for chunk in read_body(request, _JSON_LIMIT)])
    try:
        body = json.loads(data or b"{}")
    except ValueError as error:
        raise Problem(400, "bad_request", f"The body is not JSON: {error}.") from None
    if not isinstance(body, dict):
        raise Problem(400, "bad_request", "The body must be a JSON object.")
    return body
