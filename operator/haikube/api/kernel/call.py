"""One request that is being answered: the caller, the app, the body, and the writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import Request

from haikube.api.kernel.addresses import api_url, git_base
from haikube.api.kernel.auth import Caller
from haikube.api.kernel.context import Context
from haikube.api.kernel.problems import Problem
from haikube.api.kernel.rights import Right
from haikube.cluster.errors import NotFound
from haikube.cluster.port import Json
from haikube.git.body import read_body
from haikube.model import labels
from haikube.model.resources import Resource
from haikube.settings import Settings

_JSON_LIMIT: Final = 4 << 20


@dataclass(slots=True)
class Call:
    """What an endpoint works with; writes are made with the caller's own token."""

    request: Request
    context: Context
    caller: Caller
    route: str
    warnings: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    _git: str = ""

    @property
    def settings(self) -> Settings:
        """Return the settings."""
        return self.context.settings

    @property
    def git_base(self) -> str:
        """Return what git's URLs begin with, found once for a list."""
        self._git = self._git or git_base(self.request, self.settings)
        return self._git

    @property
    def base(self) -> str:
        """Return the api's own URL as the caller reached it."""
        return api_url(self.request, self.settings)

    def path(self, name: str) -> str:
        """Return a part of the path."""
        return str(self.request.path_params[name])

    async def app(self) -> Json:
        """Return the App that the path names."""
        return await self.context.directory.find(self.caller, self.path("app"))

    async def body(self) -> dict[str, Any]:
        """Return the JSON object of the request, checked against Heroku's schema."""
        wish = await read_json(self.request)
        self.context.contract.check_request(self.request.method, self.route, wish)
        return wish

    async def see(self, resource: Resource, app: Json) -> list[Json]:
        """Return an app's objects of a kind; raises a 403 ``Problem`` for who may not list them."""
        await self.require(Right("list", resource), app["metadata"]["namespace"])
        return self.context.observed.of_app(resource, app)

    async def require(self, right: Right, namespace: str) -> None:
        """Raise a 403 ``Problem`` when the caller may not do this."""
        await self.context.rights.require(self.caller, right, namespace)

    async def create(self, resource: Resource, body: Mapping[str, Any]) -> Json:
        """Create an object as the caller."""
        made = await self.caller.cluster.create(resource, body)
        self.context.observed.put(resource, made)
        return made

    async def patch(self, resource: Resource, obj: Json, change: Mapping[str, Any]) -> Json:
        """Merge-patch an object as the caller, who is noted on it as the author of the change."""
        meta = obj["metadata"]
        noted = dict(change.get("metadata") or {})
        noted["annotations"] = {
            **(noted.get("annotations") or {}),
            labels.AUTHOR: self.caller.email,
        }
        wish = {**change, "metadata": noted}
        try:
            made = await self.caller.cluster.patch(resource, meta["name"], meta["namespace"], wish)
        except NotFound:
            self.context.observed.drop(resource, obj)
            raise
        self.context.observed.put(resource, made)
        return made

    async def delete(self, resource: Resource, obj: Json) -> None:
        """Delete this very object as the caller."""
        meta = obj["metadata"]
        await self.caller.cluster.delete(
            resource, meta["name"], meta.get("namespace"), uid=meta["uid"]
        )
        if not meta.get("finalizers"):
            self.context.observed.drop(resource, obj)


async def read_json(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request; no body at all is an empty one."""
    data = b"".join([chunk async for chunk in read_body(request, _JSON_LIMIT)])
    if data:
        _require_json(request)
    try:
        body = json.loads(data or b"{}")
    except ValueError as error:
        raise Problem(400, "bad_request", f"The body is not JSON: {error}.") from None
    if not isinstance(body, dict):
        raise Problem(400, "bad_request", "The body must be a JSON object.")
    return body


def _require_json(request: Request) -> None:
    """Refuse what a page of another site could make a browser send without asking first."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise Problem(
            415,
            "bad_request",
            f"Content-Type {kind!r:.60} is not taken: send application/json.",
        )
