"""Leader election by a Lease: of several processes at most one leads.

Theory of operation, after client-go:

1. Clocks of different machines are never compared. A lease is judged by how long *we* have seen
   it unchanged, on our monotonic clock; its timestamps are for people.
2. Every write carries the resourceVersion that was read, so of two candidates one loses.
3. A leader that has not renewed for two thirds of the lease, counted from the *start* of its last
   successful renewal, has lost, whatever the reason; a follower waits the full lease. The third
   between is the margin in which the old leader stops before a new one starts.
4. Every error is a failed try, never the end. Only the deadline decides.
5. A leader that leaves in good order empties the holder, and the next try of another succeeds.

The elector never ends the process. Who leads must stop at once when ``keep`` returns.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass

from haikube.cluster.errors import ApiError, NotFound
from haikube.cluster.port import Cluster, Json
from haikube.engine.clock import Clock
from haikube.model.resources import LEASES

log = logging.getLogger(__name__)

RENEW_SHARE = 2 / 3
RETRY_SHARE = 2 / 7
"""A leader writes this often: with 7 s every 2 s."""

LOOK_SHARE = 1 / 28
"""A follower reads this often: with 7 s every 0.25 s, which is most of what a clean stop takes."""

_JITTER = 0.2


@dataclass(frozen=True, slots=True)
class _Observed:
    """A lease's content and when we first saw it so."""

    spec: Json
    at: float


class Elector:
    """One candidate. ``acquire`` waits for the lead, ``keep`` holds it, ``release`` gives it up."""

    def __init__(
        self,
        cluster: Cluster,
        name: str,
        namespace: str,
        identity: str,
        clock: Clock,
        *,
        seconds: float = 15.0,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._cluster = cluster
        self._name = name
        self._namespace = namespace
        self._identity = identity
        self._clock = clock
        self._seconds = seconds
        self._deadline = seconds * RENEW_SHARE
        self._jitter = jitter
        self._observed: _Observed | None = None
        self._renewed = float("-inf")

    @property
    def leading(self) -> bool:
        """Return whether we lead, as far as our own clock can tell."""
        return self._time_left() > 0

    @property
    def leader(self) -> str:
        """Return who leads as last seen; empty for nobody or not known."""
        return str(self._observed.spec.get("holderIdentity") or "") if self._observed else ""

    async def acquire(self) -> None:
        """Wait until we lead."""
        while not await self._try(self._deadline):
            await self._clock.sleep(self._look_seconds())
        log.info("%s leads", self._identity)

    async def keep(self) -> None:
        """Renew until that fails for too long; returning means the lead is lost."""
        while self.leading:
            await self._clock.sleep(min(self._retry_seconds(), self._time_left()))
            await self._try(self._time_left())
        log.error("%s has lost the lead", self._identity)

    async def release(self) -> None:
        """Give the lead up, if we have it; the others need not wait for the lease to end."""
        if not self.leading:
            return
        self._renewed = float("-inf")
        try:
            async with asyncio.timeout(self._deadline):
                await self._give_up()
        except (ApiError, TimeoutError) as error:
            log.warning("lease %s was not given up: %s", self._name, str(error) or "no answer")

    async def _give_up(self) -> None:
        lease = await self._cluster.get(LEASES, self._name, self._namespace)
        if lease.get("spec", {}).get("holderIdentity") == self._identity:
            await self._write(lease, {"holderIdentity": ""})

    def _time_left(self) -> float:
        """Return for how long we still lead unless we renew."""
        return self._renewed + self._deadline - self._clock.monotonic()

    async def _try(self, limit: float) -> bool:
        """Take or renew the lease within ``limit`` seconds; False for every failure."""
        start = self._clock.monotonic()
        try:
            async with asyncio.timeout(limit):
                taken = await self._take()
        except (ApiError, TimeoutError) as error:
            log.warning("lease %s: %s", self._name, str(error) or "no answer in time")
            return False
        if taken:
            self._renewed = start
        return taken

    async def _take(self) -> bool:
        try:
            lease = await self._cluster.get(LEASES, self._name, self._namespace)
        except NotFound:
            await self._cluster.create(LEASES, self._new_lease())
            return True
        spec = lease.get("spec", {})
        self._observe(spec)
        if not self._is_free(spec):
            return False
        await self._write(lease, self._claim(spec))
        return True

    def _observe(self, spec: Json) -> None:
        if self._observed is None or self._observed.spec != spec:
            self._observed = _Observed(spec, self._clock.monotonic())

    def _is_free(self, spec: Json) -> bool:
        holder = spec.get("holderIdentity") or ""
        if holder in {"", self._identity}:
            return True
        if self._observed is None:
            return False
        lease_seconds = float(spec.get("leaseDurationSeconds") or self._seconds)
        return self._clock.monotonic() - self._observed.at >= lease_seconds

    def _claim(self, spec: Json) -> Json:
        now = self._stamp()
        claim: Json = {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": max(1, round(self._seconds)),
            "renewTime": now,
        }
        if spec.get("holderIdentity") == self._identity:
            return claim
        transitions = int(spec.get("leaseTransitions") or 0) + 1
        return {**claim, "acquireTime": now, "leaseTransitions": transitions}

    async def _write(self, lease: Json, spec: Json) -> None:
        version = {"resourceVersion": lease["metadata"]["resourceVersion"]}
        written = await self._cluster.patch(
            LEASES, self._name, self._namespace, {"metadata": version, "spec": spec}
        )
        self._observe(written.get("spec", {}))

    def _new_lease(self) -> Json:
        return {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": self._claim({}) | {"leaseTransitions": 0},
        }

    def _stamp(self) -> str:
        return self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def _retry_seconds(self) -> float:
        return self._seconds * RETRY_SHARE * (1 + _JITTER * self._jitter())

    def _look_seconds(self) -> float:
        return self._seconds * LOOK_SHARE * (1 + _JITTER * self._jitter())
