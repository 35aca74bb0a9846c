"""A cluster with one owner in it, and an engine that carries plans out there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.objects import DIGEST, MANAGER, PARTS, THINGS, owned_by
from haikube.cluster.fake import FakeCluster
from haikube.cluster.port import Json
from haikube.engine.clock import FakeClock
from haikube.engine.commit import Committer
from haikube.engine.store import Store
from haikube.model.intents import Plan, Presign, Write
from haikube.model.resources import SECRETS

KINDS = (THINGS, PARTS, SECRETS)


async def sign(wish: Presign) -> str:
    return f"https://storage/{wish.key}?{wish.method}&{wish.seconds}"


@dataclass
class World:
    """A cluster with one owner in it, and an engine that knows it."""

    cluster: FakeCluster
    owner: Json
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Start the engine with nothing in memory."""
        self.store = Store(MANAGER)
        self.committer = Committer(
            self.cluster, sign, self.store, MANAGER, self.clock, digest_annotation=DIGEST
        )

    async def look(self) -> None:
        """Learn what is in the cluster, as the barrier and the watches do."""
        for kind in KINDS:
            self.store.replace(kind, await self.cluster.list(kind))

    async def commit(self, *writes: Write, **more: Any) -> list[str]:
        """Commit a plan; returns what was called, in short."""
        self.cluster.writes.clear()
        await self.committer.commit(Plan(writes, **more), THINGS, self.owner)
        return [f"{call.verb} {call.name}" for call in self.cluster.writes]

    async def edit(self, name: str, patch: Json) -> None:
        """Change a part as somebody with kubectl does."""
        await self.cluster.patch(PARTS, name, "ns", patch)


def secret(world: World, **data: str) -> Json:
    metadata = {"name": "urls", "namespace": "ns", **owned_by(world.owner)}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}
