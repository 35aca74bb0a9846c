"""The committer on both kinds of cluster: zero writes when nothing changed, edits repaired."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from contract.widgets import WIDGETS, Place
from haikube.cluster.port import Json
from haikube.engine.change import Change
from haikube.engine.clock import SystemClock
from haikube.engine.commit import Committer
from haikube.engine.elector import Elector
from haikube.engine.outcome import Foreign, Stale
from haikube.engine.resync import Resync, Watched
from haikube.engine.store import Store
from haikube.model.intents import Apply, Create, Delete, Event, Plan, Presign
from haikube.model.resources import CONFIG_MAPS, EVENTS, LEASES, SECRETS, SERVICES

KINDS = (WIDGETS, SERVICES, SECRETS, CONFIG_MAPS)


async def sign(wish: Presign) -> str:
    return f"https://storage/{wish.key}"


def new_committer(place: Place, store: Store) -> Committer:
    return Committer(
        place.cluster, sign, store, "engine", SystemClock(), digest_annotation="test/digest"
    )


class Engine:
    """A committer for one Widget, begun anew as often as a test likes."""

    def __init__(self, place: Place, owner: Json) -> None:
        self.place, self.owner = place, owner

    async def commit(self, *writes: Any, status: Mapping[str, Any] | None = None) -> int:
        """Start, look at everything, and commit once."""
        store = Store("engine")
        for kind in KINDS:
            store.replace(kind, await self.place.cluster.list(kind, self.place.namespace))
        committer = Committer(
            self.place.cluster,
            sign,
            store,
            "engine",
            SystemClock(),
            digest_annotation="test/digest",
        )
        plan = Plan(writes, status)
        first = await committer.commit(plan, WIDGETS, self.owner)
        second = await committer.commit(plan, WIDGETS, self.owner)
        assert second.writes == 0, "a second pass never writes"
        return first.writes


@pytest.fixture
async def engine(place: Place) -> Engine:
    return Engine(place, await place.cluster.create(WIDGETS, place.widget("boss", size=1)))


def child(engine: Engine, api_version: str, kind: str, **body: Any) -> Json:
    reference = {
        "apiVersion": WIDGETS.api_version,
        "kind": WIDGETS.kind,
        "name": "boss",
        "uid": engine.owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    metadata = {"name": "x", "namespace": engine.place.namespace, "ownerReferences": [reference]}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}


def service(engine: Engine) -> Json:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    return child(engine, "v1", "Service", spec={"selector": {"a": "b"}, "ports": ports})


STATUS = {
    "observedGeneration": 1,
    "note": "fine",
    "conditions": [{"type": "Ready", "status": "True"}],
}


async def test_a_restart_with_nothing_changed_writes_nothing(engine: Engine) -> None:
    secret = child(engine, "v1", "Secret", stringData={"a": "b"})
    writes = (
        Apply(SERVICES, service(engine)),
        Create(SECRETS, secret, {"url": Presign("GET", "k", 60)}),
    )

    assert await engine.commit(*writes, status=STATUS) == 3
    assert await engine.commit(*writes, status=STATUS) == 0


async def test_an_edit_made_while_we_were_away_is_repaired(engine: Engine) -> None:
    wish = Apply(SERVICES, service(engine))
    await engine.commit(wish)
    await engine.place.cluster.patch(
        SERVICES, "x", engine.place.namespace, {"spec": {"selector": {"a": "evil"}}}
    )

    assert await engine.commit(wish) == 1
    live = await engine.place.cluster.get(SERVICES, "x", engine.place.namespace)
    assert live["spec"]["selector"] == {"a": "b"}


async def test_nothing_foreign_is_taken_over(engine: Engine) -> None:
    theirs = service(engine)
    del theirs["metadata"]["ownerReferences"]
    await engine.place.cluster.create(SERVICES, theirs)

    with pytest.raises(Foreign, match="by hand"):
        await engine.commit(Apply(SERVICES, service(engine)))


async def test_an_empty_list_in_a_status_settles(engine: Engine) -> None:
    await engine.commit(status=STATUS)

    empty = {"observedGeneration": 1, "conditions": []}

    assert await engine.commit(status=empty) == 1
    assert await engine.commit(status=empty) == 0


async def test_a_deletion_of_another_version_is_stale(engine: Engine) -> None:
    cluster, namespace = engine.place.cluster, engine.place.namespace
    await engine.commit(Apply(SERVICES, service(engine)))
    old = (await cluster.get(SERVICES, "x", namespace))["metadata"]
    await cluster.patch(SERVICES, "x", namespace, {"metadata": {"labels": {"new": "er"}}})

    with pytest.raises(Stale):
        await engine.commit(Delete(SERVICES, namespace, "x", old["uid"], old["resourceVersion"]))


async def test_the_server_accepts_our_events(place: Place) -> None:
    owner = await place.cluster.create(WIDGETS, place.widget("boss", size=1))
    committer = new_committer(place, Store("engine"))

    plan = Plan(events=(Event("Normal", "Done", "all is well"),))
    await committer.commit(plan, WIDGETS, owner)

    (event,) = (await place.cluster.list(EVENTS, place.namespace)).items
    assert event["involvedObject"]["uid"] == owner["metadata"]["uid"]


async def test_a_lead_is_taken_renewed_and_given_up(place: Place) -> None:
    first, second = (
        Elector(place.cluster, "lead", place.namespace, name, SystemClock(), seconds=15)
        for name in ("a", "b")
    )
    await first.acquire()
    assert not await second._try(5)
    assert await first._try(5)

    await first.release()
    await second.acquire()

    assert (first.leading, second.leading, second.leader) == (False, True, "b")
    lease = await place.cluster.get(LEASES, "lead", place.namespace)
    assert lease["spec"]["leaseTransitions"] == 1


async def test_what_happened_unwatched_is_found(place: Place) -> None:
    cluster, namespace, told = place.cluster, place.namespace, list[str]()
    store, kind = Store("engine"), Watched(WIDGETS, namespace=namespace)

    def note(change: Change, expected: bool) -> None:  # noqa: FBT001 - the listener of a store
        assert not expected, "what nobody of us wrote is news"
        what = "gone" if change.new is None else "changed" if change.old else "new"
        told.append(f"{what} {change.object['metadata']['name']}")

    store.listener = note
    resync = Resync(cluster, store, [kind], lambda _: None, SystemClock(), seconds=600)
    for name in ("dead", "grown", "same"):
        await cluster.create(WIDGETS, place.widget(name, size=1))
    store.replace(WIDGETS, await cluster.list(WIDGETS, namespace))
    told.clear()

    await cluster.delete(WIDGETS, "dead", namespace)
    await cluster.patch(WIDGETS, "grown", namespace, {"spec": {"size": 2}})
    await cluster.create(WIDGETS, place.widget("born", size=1))
    await resync.compare(kind)
    await resync.compare(kind)

    assert sorted(told) == ["changed grown", "gone dead", "new born"]
