"""git smart HTTP for one repository: advertise, receive, upload; C git does the talking.

A push is a task of its own. The connection that began it only reads what the task prints, so
when it is lost the push goes on to its end. Rights are asked and slots taken before a body is
read, and whatever git does has an end.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from haikube.git.body import BodyTooLarge, feed, read_body
from haikube.git.builds import Repository, require_right
from haikube.git.command import chunks, end, read_some
from haikube.git.console import Console
from haikube.git.consolidate import Consolidation
from haikube.git.hooks import Call, Hooks
from haikube.git.pipe import Pipe
from haikube.git.pktline import FLUSH, progress, service_header
from haikube.git.push import Platform, Push
from haikube.git.quota import Quota, measured
from haikube.git.refusal import Refused
from haikube.git.slots import Slots
from haikube.git.snapshot import Snapshot, Snapshots

RECEIVE: Final = "git-receive-pack"
UPLOAD: Final = "git-upload-pack"
SERVICES: Final = (RECEIVE, UPLOAD)

_PROTOCOL: Final = re.compile(r"version=[012]")
_NO_CACHE: Final = {"Cache-Control": "no-cache, max-age=0, must-revalidate"}
_UPLOAD_REQUEST_LIMIT: Final = 16 << 20
_GRACE: Final = 60.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, which begins when ``started`` has a result."""

    repository: Repository
    request: Request
    pipe: Pipe = field(default_factory=Pipe)
    started: asyncio.Future[None] = field(default_factory=asyncio.Future)

    def start(self) -> None:
        """Let the answer begin."""
        if not self.started.done():
            self.started.set_result(None)


class GitService:
    """Serves repositories; one per process."""

    def __init__(
        self,
        platform: Platform,
        snapshots: Snapshots,
        hooks: Hooks,
        consolidation: Consolidation,
    ) -> None:
        self._platform = platform
        self._snapshots = snapshots
        self._hooks = hooks
        self._consolidation = consolidation
        self._tasks: set[asyncio.Task[None]] = set()
        limits = platform.limits
        self._limits = limits
        self._pushes = Slots("pushes", most=limits.pushes, each=limits.each)
        self._fetches = Slots("fetches", most=limits.fetches, each=limits.each)

    async def advertise(self, repository: Repository, service: str, request: Request) -> Response:
        """Answer ``info/refs``: what there is to fetch or to push onto."""
        if service == RECEIVE:
            await require_right(repository)
        env = _protocol(request)
        async with self._snapshots.open(repository.uid, mend=service == RECEIVE) as snapshot:
            command = [service.removeprefix("git-"), "--stateless-rpc", "--http-backend-info-refs"]
            refs = await self._platform.git.run(*command, "--", str(snapshot.path), env=env)
        newest = service == UPLOAD and env.get("GIT_PROTOCOL") == "version=2"
        body = refs if newest else service_header(service) + refs
        media = f"application/x-{service}-advertisement"
        return Response(body, media_type=media, headers=_NO_CACHE)

    async def upload(self, repository: Repository, request: Request) -> Response:
        """Answer a fetch."""
        exchange = Exchange(repository, request)
        return await self._begin(exchange, self._fetches, self._fetch, UPLOAD)

    async def receive(self, repository: Repository, request: Request) -> Response:
        """Answer a push."""
        await require_right(repository)
        exchange = Exchange(repository, request)
        return await self._begin(exchange, self._pushes, self._push, RECEIVE)

    async def drain(self) -> None:
        """Wait for the pushes in flight."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _begin(
        self,
        exchange: Exchange,
        slots: Slots,
        work: Callable[[Exchange], Awaitable[None]],
        service: str,
    ) -> Response:
        """Let ``work`` run as a task of its own, and return its answer once that begins."""
        held = ExitStack()
        held.enter_context(slots.take(exchange.repository.author))
        task = asyncio.create_task(_run(work, exchange))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: held.close())
        await asyncio.shield(exchange.started)
        return _stream(exchange.pipe.read(), service)

    async def _fetch(self, exchange: Exchange) -> None:
        async with (
            asyncio.timeout(self._limits.fetch_seconds),
            self._snapshots.open(exchange.repository.uid) as snapshot,
        ):
            await self._upload_pack(exchange, snapshot)

    async def _upload_pack(self, exchange: Exchange, snapshot: Snapshot) -> None:
        """Read the whole request before git does: in old protocols it answers while it reads."""
        wish = snapshot.path / "request"
        body = read_body(exchange.request, _UPLOAD_REQUEST_LIMIT)
        await asyncio.to_thread(wish.write_bytes, b"".join([chunk async for chunk in body]))
        exchange.start()
        with _opened(wish) as stdin:
            process = await self._platform.git.spawn(
                "upload-pack",
                "--stateless-rpc",
                "--",
                str(snapshot.path),
                env=_protocol(exchange.request),
                stdin=stdin.fileno(),
            )
        await self._relay(process, exchange)

    async def _push(self, exchange: Exchange) -> None:
        repository = exchange.repository
        async with (
            asyncio.timeout(self._limits.push_seconds + _GRACE),
            self._snapshots.open(repository.uid, mend=True) as snapshot,
        ):
            crowded = await self._receive_pack(exchange, snapshot)
        await exchange.pipe.close()
        await self._consolidation.run(repository.uid, crowded=crowded)

    async def _receive_pack(self, exchange: Exchange, snapshot: Snapshot) -> bool:
        """Let git take a push; returns whether its repository wants room."""
        repository, platform = exchange.repository, self._platform
        push: Push | None = None

        async def verdict(call: Call, console: Console) -> bool:
            nonlocal push
            push = Push(platform, repository, snapshot, console)
            return await push.decide(call)

        limit = self._limits.repository
        quota = await measured(platform.packs, repository.uid, snapshot.manifest, limit)
        env = self._hooks.expect(verdict)
        try:
            process = await self._platform.git.spawn(
                "receive-pack",
                "--stateless-rpc",
                "--",
                str(snapshot.path),
                env={**env, **_protocol(exchange.request)},
                stdin=asyncio.subprocess.PIPE,
            )
            answering = asyncio.create_task(self._relay(process, exchange))
            try:
                fits = await self._feed(process, exchange, quota)
                await answering
            finally:
                answering.cancel()
                await asyncio.wait([answering])
        finally:
            self._hooks.forget(env)
        return not fits or (push is not None and push.crowded)

    async def _feed(
        self, process: asyncio.subprocess.Process, exchange: Exchange, quota: Quota
    ) -> bool:
        """Write the whole request into git; its answer begins after that, or when it must.

        Returns whether the repository has room for so much.
        """
        most = self._limits.source
        limit = min(most, quota.longest_request)
        fits = True
        try:
            await feed(process.stdin, read_body(exchange.request, limit, most))
        except BodyTooLarge:
            fits = limit == most
            process.kill()
            refusal = quota.refusal("this push brings more") if not fits else _too_large(limit)
            await exchange.pipe.write(_said(refusal))
        exchange.start()
        return fits

    async def _relay(self, process: asyncio.subprocess.Process, exchange: Exchange) -> None:
        """Hand over what git answers, to its end."""
        errors = asyncio.create_task(read_some(process.stderr))
        try:
            async for chunk in chunks(process.stdout):
                if exchange.pipe.is_full:
                    exchange.start()
                await exchange.pipe.write(chunk)
            if await process.wait():
                message = (await errors).decode(errors="replace").strip()
                _log.info("git failed", app=exchange.repository.app, error=message)
        finally:
            await end(process)
            await errors


async def _run(work: Callable[[Exchange], Awaitable[None]], exchange: Exchange) -> None:
    """Carry an exchange out; an error goes to whoever waits for the answer, or into the log."""
    try:
        await work(exchange)
        await exchange.pipe.close()
    except Exception as error:  # noqa: BLE001 - handed on
        exchange.pipe.cut()
        if exchange.started.done():
            _log.warning("ended early", app=exchange.repository.app, error=repr(error))
        else:
            exchange.started.set_exception(error)


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def _protocol(request: Request) -> Mapping[str, str]:
    version = request.headers.get("git-protocol", "")
    return {"GIT_PROTOCOL": version} if _PROTOCOL.fullmatch(version) else {}


def _stream(body: AsyncIterator[bytes], service: str) -> Response:
    media = f"application/x-{service}-result"
    headers = {**_NO_CACHE, "X-Accel-Buffering": "no"}
    return StreamingResponse(body, media_type=media, headers=headers)


def _too_large(limit: int) -> Refused:
    return Refused(
        f"The push is larger than {limit:,} bytes.",
        "Remove large files from the history, or ask the platform's operators",
        "to raise HAIKUBE_SOURCE_LIMIT.",
    )


def _said(refused: Refused) -> bytes:
    """Return a refusal as the client prints it whose git never got to answer."""
    lines = "".join(f" !     {line}\n" for line in (refused.reason, *refused.remedy))
    return progress(lines) + FLUSH
