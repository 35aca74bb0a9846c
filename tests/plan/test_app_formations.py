"""The formations that an app makes, brings back and adopts."""

from __future__ import annotations

import builders as b
from plan.apps import FIRST, SERVING
from stage import plan


async def test_the_first_release_makes_formations_web_first_and_running() -> None:
    types = {"a": "x", "web": "y", "release": "z"}
    row = await plan(b.app(), b.config(), b.release(types=types), b.snapshot())

    assert row.writes == ["create Formation hello-web", "create Formation hello-a"]
    assert row.body("create Formation hello-web")["spec"]["quantity"] == 1
    assert row.body("create Formation hello-a")["spec"]["quantity"] == 0


async def test_web_runs_from_the_start_even_if_it_comes_later() -> None:
    later = [b.release(1, types={"a": "x"}), b.release(2, types={"web": "y", "b": "z"})]
    row = await plan(b.app(), b.config(), *later, b.snapshot(2))

    assert row.body("create Formation hello-web")["spec"]["quantity"] == 1
    assert row.body("create Formation hello-b")["spec"]["quantity"] == 0


async def test_a_deleted_formation_comes_back_as_it_was() -> None:
    known = [{"name": "web", "quantity": 3}, {"name": "worker", "quantity": 2}]
    row = await plan(b.app(status={"processTypes": known}), b.config(), b.release(), b.snapshot())

    assert row.body("create Formation hello-web")["spec"]["quantity"] == 3
    assert row.body("create Formation hello-worker")["spec"]["quantity"] == 2


async def test_a_formation_whose_quantity_left_its_manifest_keeps_what_runs() -> None:
    bare = b.formation(status=b.ready_status())
    del bare["spec"]["quantity"]
    app = b.app(status={"processTypes": [{"name": "web", "quantity": 3}]})
    parts = [each for each in SERVING if each["metadata"]["name"] != "hello-web"]
    row = await plan(app, b.config(), *parts, bare)
    write = row.write("merge Formation hello-web")

    assert write.body == {"spec": {"quantity": 3}}


async def test_what_a_person_made_for_an_app_is_adopted() -> None:
    bare = b.formation()
    del bare["metadata"]["ownerReferences"], bare["metadata"]["labels"]
    row = await plan(b.app(), b.config(), *FIRST, bare)
    metadata = row.write("merge Formation hello-web").body["metadata"]

    assert metadata["labels"] == b.app_labels("hello")
    assert [each["uid"] for each in metadata["ownerReferences"]] == ["uid-app-hello"]


async def test_what_another_incarnation_left_behind_is_not_seen() -> None:
    old = {"metadata": b.owned_by("App", "gone")}
    row = await plan(b.app(), b.config(), b.release(5, **old), b.build(status=b.succeeded(), **old))

    assert row.writes == ["create Release hello-v1"]


async def test_a_formation_made_by_somebody_else_is_left_alone() -> None:
    row = await plan(b.app(), b.config(), *SERVING)

    assert [each for each in row.writes if "Formation" in each] == []
