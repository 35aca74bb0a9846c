"""git smart HTTP for one repository: advertise, receive, upload; C git does the talking.

A push is a task of its own. The connection that began it only reads what the task prints, so
when it is lost the push goes on to its end.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Final

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
from haikube.git.refusal import Refused
from haikube.git.snapshot import Snapshot, Snapshots

RECEIVE: Final = "git-receive-pack"
UPLOAD: Final = "git-upload-pack"
SERVICES: Final = (RECEIVE, UPLOAD)

_PROTOCOL: Final = re.compile(r"version=[012]")
_NO_CACHE: Final = {"Cache-Control": "no-cache, max-age=0, must-revalidate"}
_UPLOAD_REQUEST_LIMIT: Final = 16 << 20
_GRACE: Final = 60.0
_MOST_PUSHES: Final = 100

_log = structlog.get_logger(__name__)


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
        self._pushes: set[asyncio.Task[None]] = set()

    async def advertise(self, repository: Repository, service: str, request: Request) -> Response:
        """Answer ``info/refs``: what there is to fetch or to push onto."""
        if service == RECEIVE:
            await require_right(repository)
        env = _protocol(request)
        async with self._snapshots.open(repository.uid) as snapshot:
            command = [service.removeprefix("git-"), "--stateless-rpc", "--http-backend-info-refs"]
            refs = await self._platform.git.run(*command, "--", str(snapshot.path), env=env)
        newest = service == UPLOAD and env.get("GIT_PROTOCOL") == "version=2"
        body = refs if newest else service_header(service) + refs
        media = f"application/x-{service}-advertisement"
        return Response(body, media_type=media, headers=_NO_CACHE)

    async def upload(self, repository: Repository, request: Request) -> Response:
        """Answer a fetch."""
        stack = AsyncExitStack()
        snapshot = await stack.enter_async_context(self._snapshots.open(repository.uid))
        process = await self._platform.git.spawn(
            "upload-pack",
            "--stateless-rpc",
            "--",
            str(snapshot.path),
            env=_protocol(request),
            stdin=asyncio.subprocess.PIPE,
        )
        errors = asyncio.create_task(read_some(process.stderr))
        stack.push_async_callback(asyncio.wait, [errors])
        stack.push_async_callback(end, process)
        try:
            await feed(process.stdin, read_body(request, _UPLOAD_REQUEST_LIMIT))
        except BaseException:
            await stack.aclose()
            raise
        return _stream(_until_closed(chunks(process.stdout), stack), UPLOAD)

    async def receive(self, repository: Repository, request: Request) -> Response:
        """Answer a push."""
        await require_right(repository)
        if len(self._pushes) >= _MOST_PUSHES:
            raise Refused(f"{_MOST_PUSHES} pushes run here already", "Push again in a minute")
        pipe = Pipe()
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._push(repository, request, pipe, started))
        self._pushes.add(task)
        task.add_done_callback(self._pushes.discard)
        await started
        return _stream(pipe.read(), RECEIVE)

    async def drain(self) -> None:
        """Wait for the pushes in flight."""
        while self._pushes:
            await asyncio.wait(self._pushes)

    async def _push(
        self,
        repository: Repository,
        request: Request,
        pipe: Pipe,
        started: asyncio.Future[None],
    ) -> None:
        try:
            async with (
                asyncio.timeout(self._platform.push_timeout + _GRACE),
                self._snapshots.open(repository.uid) as snapshot,
            ):
                await self._receive_pack(repository, snapshot, request, pipe, started)
        except Exception as error:  # noqa: BLE001 - handed to whoever waits, or logged
            if started.done():
                _log.warning("push ended early", app=repository.app, error=str(error))
            else:
                started.set_exception(error)
        finally:
            await pipe.close()
        await self._consolidation.run(repository.uid)

    async def _receive_pack(
        self,
        repository: Repository,
        snapshot: Snapshot,
        request: Request,
        pipe: Pipe,
        started: asyncio.Future[None],
    ) -> None:
        async def verdict(call: Call, console: Console) -> bool:
            return await Push(self._platform, repository, snapshot, console).decide(call)

        env = self._hooks.expect(verdict)
        process = await self._platform.git.spawn(
            "receive-pack",
            "--stateless-rpc",
            "--",
            str(snapshot.path),
            env={**env, **_protocol(request)},
            stdin=asyncio.subprocess.PIPE,
        )
        errors = asyncio.create_task(read_some(process.stderr))
        try:
            await self._feed(process, request, pipe, started)
            async for chunk in chunks(process.stdout):
                await pipe.write(chunk)
            if await process.wait():
                message = (await errors).decode(errors="replace").strip()
                _log.info("receive-pack failed", app=repository.app, error=message)
        finally:
            self._hooks.forget(env)
            await end(process)
            await errors

    async def _feed(
        self,
        process: asyncio.subprocess.Process,
        request: Request,
        pipe: Pipe,
        started: asyncio.Future[None],
    ) -> None:
        """Write the whole request into git before the response begins."""
        limit = self._platform.source_limit
        body = read_body(request, limit)
        try:
            await feed(process.stdin, body)
        except BodyTooLarge:
            await end(process)
            await pipe.write(_too_large(limit))
        started.set_result(None)


def _protocol(request: Request) -> Mapping[str, str]:
    version = request.headers.get("git-protocol", "")
    return {"GIT_PROTOCOL": version} if _PROTOCOL.fullmatch(version) else {}


def _stream(body: AsyncIterator[bytes], service: str) -> Response:
    media = f"application/x-{service}-result"
    headers = {**_NO_CACHE, "X-Accel-Buffering": "no"}
    return StreamingResponse(body, media_type=media, headers=headers)


async def _until_closed(body: AsyncIterator[bytes], stack: AsyncExitStack) -> AsyncIterator[bytes]:
    async with stack:
        async for chunk in body:
            yield chunk


def _too_large(limit: int) -> bytes:
    return (
        progress(
            f" !     The push is larger than {limit:,} bytes.\n"
            " !     Remove large files from the history, or ask the platform's operators\n"
            " !     to raise HAIKUBE_SOURCE_LIMIT.\n"
        )
        + FLUSH
    )
