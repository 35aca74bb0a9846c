"""The ASGI application: the parts put together, the routes, the start and the stop."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from haikube.api.contract.schema import Contract
from haikube.api.kernel.accesslog import AccessLog
from haikube.api.kernel.auth import Authenticator, Impersonator
from haikube.api.kernel.capability import Capabilities
from haikube.api.kernel.context import Context
from haikube.api.kernel.directory import Directory
from haikube.api.kernel.linkkey import link_key
from haikube.api.kernel.observed import Kind, Observed
from haikube.api.kernel.problems import answer
from haikube.api.kernel.rights import Rights
from haikube.api.kernel.seal import Seals
from haikube.api.rooms import ROOMS, git, probes
from haikube.api.streams import attach
from haikube.api.streams.logs import DYNO_PODS, LogSources, log_sources
from haikube.api.webhooks.deliver import Caller
from haikube.api.webhooks.herald import Herald
from haikube.cluster.port import Cluster
from haikube.git.command import Git
from haikube.git.consolidate import Consolidation
from haikube.git.hooks import Hooks
from haikube.git.limits import limits_of
from haikube.git.lock import Pace
from haikube.git.manifest import Manifests
from haikube.git.packs import PackCache
from haikube.git.push import Platform
from haikube.git.service import GitService
from haikube.git.snapshot import Snapshots
from haikube.git.verdict import outcome
from haikube.logs.answering import Gateway
from haikube.logs.builds import BuildLogs
from haikube.model import labels
from haikube.model.resources import (
    APPS,
    BUILDS,
    DYNOS,
    FORMATIONS,
    GATEWAYS,
    NAMESPACES,
    RELEASES,
    ROLE_BINDINGS,
    SERVICE_ACCOUNTS,
    STACKS,
)
from haikube.plan.certificates.serving import COMPONENT as CERTIFICATE
from haikube.settings import Settings
from haikube.storage.port import Storage

_SYNC_SECONDS: Final = 30.0

WATCHED: Final = (
    Kind(APPS),
    Kind(BUILDS),
    Kind(RELEASES),
    Kind(FORMATIONS),
    Kind(DYNOS),
    Kind(STACKS),
    DYNO_PODS,
    Kind(NAMESPACES, labels=labels.TEAM),
    Kind(ROLE_BINDINGS),
    Kind(GATEWAYS, labels=f"{labels.COMPONENT}={CERTIFICATE}"),
    Kind(SERVICE_ACCOUNTS, labels=f"{labels.COMPONENT}=authorization"),
)
"""What the api reads from its own copy."""


def create_app(
    settings: Settings,
    cluster: Impersonator,
    storage: Storage,
    *,
    pace: Pace | None = None,
    contract: Contract | None = None,
) -> Starlette:
    """Return the application; its scratch space exists while it runs."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        observed = Observed(cluster, WATCHED)
        sources = log_sources(settings, cluster, observed)
        herald = Herald(settings, storage, observed, Caller(settings))
        async with _git(settings, cluster, storage, pace or Pace()) as service:
            app.state.context = _context(
                settings,
                cluster,
                storage,
                key=await link_key(cluster, settings.namespace),
                observed=observed,
                sources=sources,
                service=service,
                herald=herald,
                contract=contract or Contract(),
                closing=app.state.closing,
            )
            async with observed.running(_SYNC_SECONDS), sources.running(), herald.listening():
                app.state.ready = True
                yield
            app.state.ready = False

    app = Starlette(
        routes=[
            *probes.ROUTES,
            *(route for room in ROOMS for route in room.routes),
            *attach.ROUTES,
            *git.ROUTES,
        ],
        middleware=[Middleware(AccessLog)],
        exception_handlers={HTTPException: answer},
        lifespan=lifespan,
    )
    app.state.closing = asyncio.Event()
    return app


def _context(
    settings: Settings,
    cluster: Impersonator,
    storage: Storage,
    *,
    key: bytes,
    observed: Observed,
    sources: LogSources,
    service: GitService,
    herald: Herald,
    contract: Contract,
    closing: asyncio.Event,
) -> Context:
    rights = Rights()
    return Context(
        settings=settings,
        own=cluster,
        storage=storage,
        authenticator=Authenticator(cluster),
        capabilities=Capabilities(key),
        seals=Seals(key),
        contract=contract,
        observed=observed,
        rights=rights,
        directory=Directory(cluster, observed, rights),
        logs=_listener(settings, storage),
        history=sources.history,
        router=sources.router,
        git=service,
        herald=herald,
        closing=closing,
    )


def _listener(settings: Settings, storage: Storage) -> BuildLogs:
    asked = Gateway(settings.gateway_address) if settings.gateway_address else None
    return BuildLogs(storage, gateway=asked)


@asynccontextmanager
async def _git(
    settings: Settings, cluster: Cluster, storage: Storage, pace: Pace
) -> AsyncIterator[GitService]:
    """Keep scratch space and the hooks' socket while the service runs; it ends what it began."""
    scratch = Path(tempfile.mkdtemp(prefix="haikube-"))
    hooks = Hooks(scratch)
    await hooks.start()
    service = _git_service(
        settings, own=cluster, storage=storage, hooks=hooks, scratch=scratch, pace=pace
    )
    try:
        yield service
    finally:
        await service.drain()
        await hooks.stop()
        shutil.rmtree(scratch, ignore_errors=True)


def _git_service(
    settings: Settings,
    *,
    own: Cluster,
    storage: Storage,
    hooks: Hooks,
    scratch: Path,
    pace: Pace,
) -> GitService:
    home = scratch / "home"
    home.mkdir()
    limits = limits_of(settings)
    manifests = Manifests(storage)
    packs = PackCache(storage, scratch / "packs", settings.git_cache)
    platform = Platform(
        git=Git(home, hooks.path, limits.source, limits.memory),
        storage=storage,
        manifests=manifests,
        packs=packs,
        listener=_listener(settings, storage),
        own=own,
        pace=pace,
        limits=limits,
        strict=settings.strict_release,
    )
    snapshots = Snapshots(
        platform.git, manifests, packs, scratch / "requests", partial(outcome, own)
    )
    consolidation = Consolidation(
        platform.git, manifests, packs, snapshots, pace=pace, room=limits.repository
    )
    return GitService(platform, snapshots, hooks, consolidation)
