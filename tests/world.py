"""The platform on loopback for tests: the real api, a cluster and a storage in memory.

The part of the operator is played by ``Operator``, which moves builds through their states as a
test scripts it. Callers are known by token; what they may do is a set of namespaces.
"""

from __future__ import annotations

import asyncio
import socket
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette

from haikube.api.app import create_app
from haikube.api.contract.schema import Contract
from haikube.cluster.errors import Forbidden, NotFound, Unauthorized
from haikube.cluster.fake import Call, FakeCluster
from haikube.cluster.port import Channel, Cluster, Json, Listing, Stream, WatchEvent
from haikube.git.lock import Pace
from haikube.model import labels
from haikube.model.resources import (
    ACCESS_REVIEWS,
    APPS,
    BUILDS,
    NAMESPACES,
    OWN_KINDS,
    POD_ATTACH,
    POD_LOGS,
    PODS,
    RELEASES,
    RULES_REVIEWS,
    SECRETS,
    SERVICE_ACCOUNTS,
    STACKS,
    TOKEN_REVIEWS,
    Resource,
)
from haikube.settings import Settings
from haikube.storage.memory import MemoryStorage
from ledger import Ledger

NAMESPACE = "team-a"
TOKEN = "token-of-ada"
USER = "ada@example.com"


READS = ("get", "list", "watch")

_GOODBYE = 5.0
"""Seconds that requests under way have when the platform stops."""

Body = Mapping[str, Any]


class SharedCluster(FakeCluster):
    """A fake cluster with token reviews, and callers confined to namespaces."""

    def __init__(self) -> None:
        super().__init__()
        self.users = {TOKEN: USER}
        self.namespaces: defaultdict[str, set[str]] = defaultdict(set, {USER: {NAMESPACE}})
        self.denied: set[tuple[str, str, str]] = set()
        """What a user may not do in their own namespaces: (user, verb, plural)."""
        self.viewers: set[str] = set()
        """Users who only look."""
        self.pods: dict[str, asyncio.Queue[bytes | None]] = {}
        self.reviews = 0
        stack = {"apiVersion": STACKS.api_version, "kind": "Stack", "spec": {}}
        self.seed(STACKS, {**stack, "metadata": {"name": "debian-13"}})
        for name in (NAMESPACE, "team-b", "default"):
            marks = {"name": name, "labels": {labels.TEAM: name}}
            self.seed(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": marks})

    def with_token(self, token: str) -> Cluster:
        return Confined(self, token)

    async def create(self, resource: Resource, body: Body) -> Json:
        if resource != TOKEN_REVIEWS:
            return await super().create(resource, body)
        self.reviews += 1
        user = self.users.get(body["spec"]["token"])
        if user and not self._account_exists(user):
            user = None
        status: Json = {"authenticated": user is not None}
        if user:
            status["user"] = {"username": user, "groups": ["system:authenticated"]}
        return {"metadata": {}, "spec": {}, "status": status}

    async def pod_log(self, name: str, namespace: str, **how: Any) -> AsyncIterator[bytes]:
        del namespace, how
        if name not in self.pods:
            raise NotFound(404, "NotFound", f'pods "{name}" not found')
        while (chunk := await self.pods[name].get()) is not None:
            yield chunk
        self.pods[name].put_nowait(None)  # who reads it again comes to its end, too

    def _account_exists(self, user: str) -> bool:
        """Tell whether the service account of an authorization is still there."""
        namespace, _, name = user.removeprefix("system:serviceaccount:").partition(":")
        if not name.startswith("haikube-auth-"):
            return True
        return (namespace, name) in self._state.of(SERVICE_ACCOUNTS)

    def issue(self, account: str, body: Body) -> Json:
        """Return a token of a service account, with its owner's rights."""
        namespace = body["metadata"]["namespace"]
        user = f"system:serviceaccount:{namespace}:{account}"
        token = f"token-{self._state.next_serial()}-of-{account}"
        self.users[token] = user
        self.namespaces[user] = {namespace}
        return {"status": {"token": token}}

    def app(self, name: str, namespace: str = NAMESPACE) -> Json:
        """Put an App in and return it."""
        return self.seed(
            APPS,
            {
                "apiVersion": APPS.api_version,
                "kind": "App",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {},
            },
        )


class Confined:
    """The cluster as one caller may use it."""

    def __init__(self, cluster: SharedCluster, token: str) -> None:
        self._cluster = cluster
        self._token = token

    @property
    def _user(self) -> str:
        user = self._cluster.users.get(self._token)
        if user is None:
            raise Unauthorized(401, "Unauthorized", "Unauthorized")
        return user

    def _check(self, namespace: str | None, verb: str, resource: Resource) -> None:
        if namespace not in self._cluster.namespaces[self._user]:
            raise Forbidden(403, "Forbidden", f"{self._user} is not allowed in {namespace}")
        if not self._may(namespace, verb, resource.plural):
            what = f'resource "{resource.plural}" in API group "{resource.group}"'
            where = f'in the namespace "{namespace}"'
            said = f'User "{self._user}" cannot {verb} {what} {where}'
            raise Forbidden(403, "Forbidden", said)

    def _may(self, namespace: str | None, verb: str, plural: str) -> bool:
        user, cluster = self._user, self._cluster
        looks = verb in READS and plural != SECRETS.plural
        return (
            namespace in cluster.namespaces[user]
            and (user, verb, plural) not in cluster.denied
            and (looks or user not in cluster.viewers)
        )

    def _reviewed(self, resource: Resource, spec: Body) -> Json:
        """Answer a review as the API server does: rules are complete, but for what is denied."""
        if self._cluster.fault is not None:
            self._cluster.fault(Call("create", resource, "", ""))
        if resource == ACCESS_REVIEWS:
            wish = spec["resourceAttributes"]
            parts = (wish["resource"], wish.get("subresource"))
            plural = "/".join(part for part in parts if part)
            may = self._may(wish.get("namespace"), wish["verb"], plural)
            return {"status": {"allowed": may}}
        rules = [
            {"verbs": [verb], "apiGroups": ["*"], "resources": [kind.plural]}
            for verb in (*READS, "create", "patch", "delete")
            for kind in OWN_KINDS
            if self._may(spec["namespace"], verb, kind.plural)
        ]
        return {"status": {"resourceRules": rules, "incomplete": True}}

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Json:
        self._check(namespace, "get", resource)
        return await self._cluster.get(resource, name, namespace)

    async def list(
        self, resource: Resource, namespace: str | None = None, **options: Any
    ) -> Listing:
        self._check(namespace, "list", resource)
        return await self._cluster.list(resource, namespace, **options)

    async def watch(
        self, resource: Resource, namespace: str | None = None, **options: Any
    ) -> AsyncIterator[WatchEvent]:
        self._check(namespace, "watch", resource)
        async for event in self._cluster.watch(resource, namespace, **options):
            yield event

    async def create(self, resource: Resource, body: Body) -> Json:
        if resource in {ACCESS_REVIEWS, RULES_REVIEWS}:
            return self._reviewed(resource, body["spec"])
        self._check(body["metadata"].get("namespace"), "create", resource)
        if resource.kind == "TokenRequest":
            return self._cluster.issue(resource.plural.split("/")[1], body)
        return await self._cluster.create(resource, body)

    async def patch(
        self, resource: Resource, name: str, namespace: str | None, body: Body, **options: Any
    ) -> Json:
        self._check(namespace, "patch", resource)
        return await self._cluster.patch(resource, name, namespace, body, **options)

    async def delete(
        self, resource: Resource, name: str, namespace: str | None = None, **options: Any
    ) -> None:
        self._check(namespace, "delete", resource)
        await self._cluster.delete(resource, name, namespace, **options)

    async def apply(self, resource: Resource, body: Body, **options: Any) -> Json:
        self._check(body["metadata"].get("namespace"), "patch", resource)
        return await self._cluster.apply(resource, body, **options)

    async def apply_status(self, resource: Resource, body: Body, **options: Any) -> Json:
        self._check(body["metadata"].get("namespace"), "patch", resource)
        return await self._cluster.apply_status(resource, body, **options)

    @asynccontextmanager
    async def attach(self, stream: Stream) -> AsyncIterator[Channel]:
        self._check(stream.namespace, "create", POD_ATTACH)
        async with self._cluster.attach(stream) as channel:
            yield channel

    async def pod_log(self, name: str, namespace: str, **options: Any) -> AsyncIterator[bytes]:
        self._check(namespace, "get", POD_LOGS)
        async for chunk in self._cluster.pod_log(name, namespace, **options):
            yield chunk


Script = Callable[["Operator", Json], Awaitable[None]]


@dataclass
class Operator:
    """Plays each new build by ``script``; counts releases per app."""

    cluster: SharedCluster
    storage: MemoryStorage
    script: Script = field(default_factory=lambda: succeed)
    builds: list[Json] = field(default_factory=list)
    versions: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """For scripts that wait until a test lets them go on."""
    boot_problem: str = ""
    """What the dynos of the next releases die of."""
    ledger: Ledger | None = None
    """Who keeps real releases, where a test wants them."""

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            async for event in self.cluster.watch(BUILDS):
                if event.type == "ADDED" and event.object["spec"].get("cancel"):
                    await self.status(event.object, result="Canceled")
                elif event.type == "ADDED" and "source" in event.object["spec"]:
                    self.builds.append(event.object)
                    group.create_task(self._play(event.object))

    async def _play(self, build: Json) -> None:
        await self.script(self, build)

    async def status(self, build: Json, **status: Any) -> None:
        meta = build["metadata"]
        with suppress(NotFound):
            await self.cluster.patch(
                BUILDS, meta["name"], meta["namespace"], {"status": status}, subresource="status"
            )

    async def start(self, build: Json) -> asyncio.Queue[bytes | None]:
        """Give the build a pod and return the queue of what it prints; None ends it."""
        pod = f"{build['metadata']['name']}-pod"
        log = self.cluster.pods.setdefault(pod, asyncio.Queue())
        await self.status(build, result="Running", podName=pod)
        return log

    async def release(self, build: Json) -> None:
        app = build["spec"]["appRef"]["name"]
        self.versions[app] += 1
        version = self.versions[app]
        if self.ledger is not None:
            obj = await self.cluster.get(APPS, app, build["metadata"]["namespace"])
            made = await self.ledger.deploy(obj, author=build["spec"].get("author", ""))
            version = made["spec"]["version"]
        else:
            self._write_down(build["metadata"]["namespace"], app, version)
        await self.status(
            build,
            result="Succeeded",
            release={"name": f"{app}-v{version}", "version": version},
            slug={"processTypes": [{"name": "web", "command": "python app.py"}]},
        )
        await self.serve(build["metadata"]["namespace"], app, version)

    def _write_down(self, namespace: str, app: str, version: int) -> None:
        spec = {"appRef": {"name": app}, "version": version, "stack": "debian-13"}
        metadata = {"name": f"{app}-v{version}", "namespace": namespace}
        release = {"metadata": metadata, "spec": spec, "status": {"result": "Succeeded"}}
        self.cluster.seed(RELEASES, release)

    async def serve(self, namespace: str, app: str, version: int) -> None:
        """Say of the app whether its new release runs: all is well, or ``boot_problem``."""
        ready = {
            "type": "Ready",
            "status": "False" if self.boot_problem else "True",
            "reason": "AppCrashed" if self.boot_problem else "Serving",
            "message": self.boot_problem,
        }
        status = {
            "currentRelease": {"name": f"{app}-v{version}", "version": version},
            "conditions": [ready],
        }
        await self.cluster.patch(APPS, app, namespace, {"status": status}, subresource="status")


async def succeed(operator: Operator, build: Json) -> None:
    """Print two lines and release."""
    log = await operator.start(build)
    log.put_nowait(b"-----> Building on the Debian-13 stack\n-----> Python app detected\n")
    log.put_nowait(None)
    await operator.release(build)


async def fail(operator: Operator, build: Json) -> None:
    """Print what a broken compile prints, and fail."""
    log = await operator.start(build)
    log.put_nowait(b"-----> Python app detected\nERROR: no such package\n")
    log.put_nowait(None)
    failure = {"reason": "CompileFailed", "message": "the compile step exited with 1"}
    await operator.status(build, result="Failed", language="Python", failure=failure)


async def gated(operator: Operator, build: Json) -> None:
    """Print a line, wait for the gate, then succeed."""
    log = await operator.start(build)
    log.put_nowait(b"-----> Building on the Debian-13 stack\n")
    await operator.gate.wait()
    log.put_nowait(b"       after the gate\n")
    log.put_nowait(None)
    await operator.release(build)


async def release_phase(operator: Operator, build: Json, result: str | None) -> None:
    """Succeed with a release command that prints a line and ends so; with None it never ends."""
    log = await operator.start(build)
    log.put_nowait(None)
    operator.versions["hello"] += 1
    release = {"name": "hello-v1", "version": 1}
    kinds = [{"name": "web", "command": "x"}, {"name": "release", "command": "migrate"}]
    metadata = {"name": "hello-v1", "namespace": NAMESPACE}
    spec = {"appRef": {"name": "hello"}, "version": 1, "stack": "debian-13"}
    phase = {"phaseJobName": "hello-v1-release"}
    operator.cluster.seed(RELEASES, {"metadata": metadata, "spec": spec, "status": phase})
    labels = {"batch.kubernetes.io/job-name": "hello-v1-release"}
    pod = {"name": "hello-v1-release-x", "namespace": NAMESPACE, "labels": labels}
    operator.cluster.seed(PODS, {"metadata": pod})
    queue = operator.cluster.pods.setdefault("hello-v1-release-x", asyncio.Queue())
    await operator.status(build, result="Succeeded", release=release, slug={"processTypes": kinds})
    queue.put_nowait(b"migrating the database\n")
    queue.put_nowait(None)
    if result is None:
        return
    body = {"status": {"result": result}}
    await operator.cluster.patch(RELEASES, "hello-v1", NAMESPACE, body, subresource="status")
    if result == "Succeeded":
        await operator.serve(NAMESPACE, "hello", 1)


async def until_canceled(operator: Operator, build: Json, result: str = "Canceled") -> None:
    """Print a line and run until ``spec.cancel``; then end as ``result``, or say nothing."""
    log = await operator.start(build)
    log.put_nowait(b"-----> Building on the Debian-13 stack\n")
    fields = f"metadata.name={build['metadata']['name']}"
    async for event in operator.cluster.watch(BUILDS, fields=fields):
        if event.object["spec"].get("cancel"):
            break
    log.put_nowait(None)
    if result:
        await operator.status(build, result=result)


@dataclass
class World:
    """What a test talks to."""

    url: str
    cluster: SharedCluster
    storage: MemoryStorage
    operator: Operator
    app: Starlette
    ledger: Ledger

    async def quiet(self) -> None:
        """Wait until no push is in flight, whoever listens to it."""
        await self.app.state.context.git.drain()


class _Server(uvicorn.Server):
    """A server that tells when it has started, or failed to.

    Hundreds of tests have one each: it starts and stops without the pauses of the real one.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()
        self.over = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.up.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for each in [*self.servers, *(sockets or ())]:
            each.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110
                    await asyncio.sleep(0.002)
        for task in self.server_state.tasks:
            task.cancel()
        await self.lifespan.shutdown()


PACE = Pace(look=0.02, renew=0.2, term=1.0)


@asynccontextmanager
async def running(
    settings: Settings | None = None,
    pace: Pace = PACE,
    beside: World | None = None,
    *,
    ledger: bool = False,
    storage: MemoryStorage | None = None,
) -> AsyncIterator[World]:
    """Run the platform on a free port of the loopback address.

    With ``beside`` it is another replica of that one: the same cluster and the same storage. With
    ``ledger`` every app has releases and dynos. Every answer has to keep Heroku's schema.
    """
    if beside is None:
        cluster, storage = SharedCluster(), storage or MemoryStorage()
        operator = Operator(cluster, storage)
    else:
        cluster, storage, operator = beside.cluster, beside.storage, beside.operator
    settings = settings or Settings(public_port=8080)
    contract = Contract(audit=True)
    app = create_app(settings, cluster, storage, pace=pace, contract=contract)
    keeper = Ledger(cluster)
    operator.ledger = keeper if ledger else operator.ledger
    listener = socket.create_server(("127.0.0.1", 0))
    server = _Server(uvicorn.Config(app, log_config=None, lifespan="on"))
    playing = [] if beside else [asyncio.create_task(operator.run())]
    playing += [asyncio.create_task(keeper.run())] if ledger else []
    serving = asyncio.create_task(server.serve([listener]))
    try:
        await server.up.wait()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield World(url, cluster, storage, operator, app, keeper)
    finally:
        operator.gate.set()
        server.over.set()
        await serving
        for task in playing:
            task.cancel()
        if playing:
            await asyncio.wait(playing)
    assert not contract.faults, contract.faults
