"""The log of a build: live from its pod, afterwards from the storage, the same bytes in both.

A reader may come at any time, leave and come back with the number of bytes it has. What a pod
prints is passed on as it is; whoever shows it to a person cleans it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Final

from haikube.cluster.errors import ApiError, NotFound, TooManyRequests, Unauthorized, Unreachable
from haikube.cluster.port import Cluster, Json
from haikube.logs.answering import Gateway
from haikube.logs.booting import boot_problem
from haikube.logs.obstacle import obstacle, waits_for
from haikube.logs.until import until
from haikube.logs.watching import Watched
from haikube.model.resources import BUILDS, PODS, RELEASES
from haikube.storage.port import Storage, StorageError

_LONG: Final = 60.0

RESULTS: Final = frozenset({"Succeeded", "Failed", "Canceled"})
"""Values of ``Build.status.result`` after which nothing changes."""

ANEW: Final = b"\n !     Interrupted: another pod starts anew.\n\n"
"""What a reader of one pod's log is told before that of the pod that took its place."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait between looks; seconds."""

    pulse: float = 1.0
    retry: float = 0.2
    release: float = 120.0
    boot: float = 120.0


@dataclass(slots=True)
class _Place:
    """How far a reader is: the pod it reads, the bytes it has of it, whether that was all."""

    sent: int
    pod: str = ""
    at_end: bool = False

    def turn_to(self, pod: str) -> bool:
        """Go on with ``pod``; returns whether it took the place of another, and starts anew."""
        anew = bool(self.pod) and pod not in ("", self.pod)
        if anew:
            self.sent, self.at_end = 0, False
        self.pod = pod or self.pod
        return anew


class BuildLogs:
    """Streams logs of builds and waits for their results."""

    def __init__(
        self, storage: Storage, patience: Patience | None = None, gateway: Gateway | None = None
    ) -> None:
        self._storage = storage
        self._gateway = gateway
        self._patience = patience or Patience()

    async def stream(
        self, cluster: Cluster, namespace: str, name: str, *, offset: int = 0
    ) -> AsyncIterator[bytes]:
        """Yield the log from byte ``offset`` to its end; an empty chunk for a second of silence."""
        place = _Place(offset)
        async with self._watched(cluster, namespace, name) as build:
            while True:
                status = build.latest.get("status") or {}
                pod = status.get("podName") or ""
                if place.turn_to(pod):
                    yield ANEW
                if status.get("result") in RESULTS:
                    async for chunk in self._rest(cluster, namespace, status, place):
                        yield chunk
                    return
                if pod and not place.at_end:
                    live = self._live(cluster, namespace, pod, place)
                    async for chunk in until(live, _left(build, pod)):
                        yield chunk
                    continue
                if not await build.changed(self._patience.pulse):
                    yield b""

    async def finished(self, cluster: Cluster, namespace: str, name: str) -> Json:
        """Return the build once it has a result and, after a success, its release."""
        async with self._watched(cluster, namespace, name) as build:
            deadline: float | None = None
            while True:
                status = build.latest.get("status") or {}
                result = status.get("result")
                if result in RESULTS and (result != "Succeeded" or status.get("release")):
                    return build.latest
                if result == "Succeeded":
                    deadline = deadline or monotonic() + self._patience.release
                    if monotonic() > deadline:
                        return build.latest
                await build.changed(self._patience.pulse)

    def _watched(self, cluster: Cluster, namespace: str, name: str) -> Watched:
        return Watched(cluster, BUILDS, namespace, name, retry=self._patience.retry)

    async def release_phase(
        self, cluster: Cluster, namespace: str, release: str
    ) -> AsyncIterator[bytes]:
        """Yield what the release command of a release prints, until the release has a result.

        What keeps the command from running is said in between, each obstacle once.
        """
        place, said = _Place(0), ""
        async with Watched(
            cluster, RELEASES, namespace, release, retry=self._patience.retry
        ) as watched:
            while True:
                status = watched.latest.get("status") or {}
                job = status.get("phaseJobName") or ""
                pod = await _pod_of(cluster, namespace, job) if job else ""
                if place.turn_to(pod):
                    yield ANEW
                if pod and not place.at_end:
                    async for chunk in self._live(cluster, namespace, pod, place):
                        yield chunk
                if status.get("result") in RESULTS:
                    return
                if (trouble := waits_for(watched.latest)) not in {"", said}:
                    said = trouble
                    yield f" !     {said}\n".encode()
                if not await watched.changed(self._patience.pulse):
                    yield b""

    async def released(self, cluster: Cluster, namespace: str, release: str) -> bool:
        """Tell whether a release that has a result succeeded."""
        obj = await cluster.get(RELEASES, release, namespace)
        return bool((obj.get("status") or {}).get("result") == "Succeeded")

    async def obstacle(self, cluster: Cluster, namespace: str, name: str) -> str:
        """Return what keeps a build from its release, empty where nothing does."""
        return await obstacle(cluster, namespace, name)

    async def boot_problem(self, cluster: Cluster, namespace: str, app: str, version: int) -> str:
        """Return "" once a release of an app answers, else what keeps it from that."""
        patience = self._patience
        return await boot_problem(
            cluster,
            namespace,
            app,
            version,
            seconds=patience.boot,
            retry=patience.retry,
            gateway=self._gateway,
        )

    async def _live(
        self, cluster: Cluster, namespace: str, pod: str, place: _Place
    ) -> AsyncGenerator[bytes, None]:
        """Yield a pod's log to its end; one that has not begun or broke off is tried again."""
        try:
            log = cluster.pod_log(pod, namespace, follow=True)
            async for chunk in _beyond(log, place):
                yield chunk
        except ApiError as error:
            if not is_passing(error):
                raise
            yield b""
            await asyncio.sleep(self._patience.retry)
            return
        place.at_end = True

    async def _rest(
        self, cluster: Cluster, namespace: str, status: Json, place: _Place
    ) -> AsyncIterator[bytes]:
        """Yield what a finished build printed beyond what the reader has."""
        pod, key = status.get("podName") or "", status.get("logKey") or ""
        if place.at_end and not await self._has_more(key, place):
            return
        failure: Exception | None = None
        for data in self._kept(cluster, namespace, pod, key):
            try:
                async for chunk in _beyond(data, place):
                    yield chunk
            except (StorageError, ApiError) as error:
                failure = error
            else:
                return
        if failure is not None and not place.sent:
            raise failure

    async def _has_more(self, key: str, place: _Place) -> bool:
        """Return whether the storage knows a longer log than the pod gave.

        A kubelet that rotates a fast log ends the stream as if it were complete.
        """
        try:
            return bool(key) and (await self._storage.head(key)).size > place.sent
        except StorageError:
            return False

    def _kept(
        self, cluster: Cluster, namespace: str, pod: str, key: str
    ) -> Iterator[AsyncIterator[bytes]]:
        """Yield the places that may still have the log of a finished build, best first."""
        if key:
            yield self._storage.stream(key)
        if pod:
            yield cluster.pod_log(pod, namespace)


async def _left(build: Watched, pod: str) -> None:
    """Return once a build has a result, or another pod: a lost node closes no log.

    With the result its log is complete, though its pod may not have ended.
    """
    while True:
        status = build.latest.get("status") or {}
        if status.get("result") in RESULTS or status.get("podName", pod) != pod:
            return
        await build.changed(_LONG)


async def _pod_of(cluster: Cluster, namespace: str, job: str) -> str:
    """Return the name of a Job's newest pod, empty while it has none."""
    labels = f"batch.kubernetes.io/job-name={job}"
    pods = (await cluster.list(PODS, namespace, labels=labels, metadata_only=True)).items
    newest = max(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp")), default=None)
    return str(newest["metadata"]["name"]) if newest else ""


async def _beyond(data: AsyncIterator[bytes], place: _Place) -> AsyncIterator[bytes]:
    """Yield what lies behind the bytes the reader has, and count on."""
    skip = place.sent
    async for chunk in data:
        fresh = chunk[skip:]
        skip = max(0, skip - len(chunk))
        if fresh:
            place.sent += len(fresh)
            yield fresh


def is_passing(error: ApiError) -> bool:
    """Tell whether to try again: a container that has not begun is a 400, a pod gone a 404."""
    bad_request = 400
    return (
        isinstance(error, NotFound | Unreachable | TooManyRequests)
        or error.status == bad_request
        or error.status >= 500  # noqa: PLR2004 - every server error
    ) and not isinstance(error, Unauthorized)
