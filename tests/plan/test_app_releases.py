"""The releases that an app makes of builds and of requests, and those that it forgets."""

from __future__ import annotations

import pytest

import builders as b
from haikube.model.resources import SECRETS
from haikube.model.secret import parse_secret
from haikube.operator.watched import PRUNED
from haikube.plan.release.snapshot import config_digest
from plan.apps import FIRST, LATER, SERVING
from stage import plan


async def test_an_app_has_a_release_from_its_creation_on() -> None:
    row = await plan(b.app(), b.config(version="9"))
    body = row.body("create Release hello-v1")

    assert row.writes == ["create Release hello-v1"]
    assert body["spec"] == {
        "appRef": {"name": "hello"},
        "version": 1,
        "configRef": {"name": "hello-v1"},
        "description": "Initial release",
    }
    assert body["metadata"]["annotations"] == {"haikube.dev/config-version": "9"}
    assert row.condition() == ("False", "NoRelease")


async def test_the_first_release_is_by_whoever_made_the_app() -> None:
    made = b.app(metadata={"annotations": {"haikube.dev/author": "ada@example.com"}})
    row = await plan(made, b.config())

    assert row.body("create Release hello-v1")["spec"]["author"] == "ada@example.com"


async def test_a_succeeded_build_becomes_a_release() -> None:
    done = b.build(status=b.succeeded(), version="0123456789abcdef", author="ada@example.com")
    row = await plan(b.app(), b.config({"A": "1"}), done, *FIRST)
    body = row.body("create Release hello-v2")

    assert row.writes == ["create Release hello-v2"]
    assert body["spec"] == {
        "appRef": {"name": "hello"},
        "version": 2,
        "buildRef": {"name": "b1"},
        "stack": "debian-13",
        "slug": b.slug(),
        "configRef": {"name": "hello-v2"},
        "description": "Deploy 01234567",
        "author": "ada@example.com",
    }
    assert body["metadata"]["annotations"]["haikube.dev/commit"] == "0123456789abcdef"


async def test_a_build_that_waits_is_released_together_with_the_first_release() -> None:
    row = await plan(b.app(), b.config(version="9"), b.build(status=b.succeeded()))

    assert row.writes == ["create Release hello-v1", "create Release hello-v2"]
    first, second = (row.body(each) for each in row.writes)
    assert "slug" not in first["spec"]
    assert second["spec"]["slug"] == b.slug()
    assert second["spec"]["version"] == 2
    assert second["metadata"]["annotations"]["haikube.dev/config-version"] == "9"


async def test_of_several_builds_that_wait_one_is_released_with_the_first_release() -> None:
    builds = [
        b.build(
            name, status=b.succeeded(), metadata={"creationTimestamp": f"2026-01-01T00:0{at}:00Z"}
        )
        for at, name in enumerate(("b1", "b2"))
    ]
    row = await plan(b.app(), b.config(), *builds)

    assert row.writes == ["create Release hello-v1", "create Release hello-v2"]
    assert row.body("create Release hello-v2")["spec"]["buildRef"] == {"name": "b1"}


async def test_the_number_of_a_deleted_release_is_not_given_again() -> None:
    done = b.build(status=b.succeeded())
    row = await plan(b.app(status={"latestVersion": 7}), b.config(), done, *FIRST)

    assert row.writes == ["create Release hello-v8"]


async def test_the_next_version_follows_the_highest_even_if_that_failed() -> None:
    done = b.build("b2", status=b.succeeded(finished=LATER))
    old = [b.release(1, buildRef={"name": "b1"}), b.release(2, result="Failed")]
    row = await plan(b.app(), b.config(), b.build(status=b.succeeded()), done, *old)

    assert "create Release hello-v3" in row.writes


async def test_builds_older_than_a_released_one_are_passed_over() -> None:
    long_ago = {"creationTimestamp": "2025-12-31T00:00:00Z"}
    old = b.build("b0", status=b.succeeded(finished=LATER), metadata=long_ago)
    row = await plan(b.app(), b.config(), old, *SERVING)

    assert row.writes == []


async def test_builds_are_ordered_by_the_clock_of_the_api_server_alone() -> None:
    """The node of the second build is half a minute behind."""
    second = b.build(
        "b2",
        status=b.succeeded(finished="2025-12-31T23:59:30Z"),
        metadata={"creationTimestamp": LATER},
    )
    row = await plan(b.app(), b.config(), *SERVING, second)

    assert "create Release hello-v2" in row.writes


async def test_a_build_of_the_same_second_as_a_released_one_is_released_too() -> None:
    row = await plan(b.app(), b.config(), *SERVING, b.build("a0", status=b.succeeded()))

    assert "create Release hello-v2" in row.writes


async def test_a_build_that_names_its_release_never_makes_another() -> None:
    done = b.succeeded() | {"release": {"name": "hello-v1", "version": 1}}
    row = await plan(b.app(), b.config(), b.build(status=done), *FIRST)

    assert row.writes == []


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (b.request(9), "NoSuchRelease"),
        (b.request(1), "NothingToRun"),
        (b.request(3), "ReleaseNotComplete"),
    ],
)
async def test_a_rollback_that_cannot_be_says_why(request_: b.Raw, reason: str) -> None:
    ledger = [*FIRST, b.release(2), b.snapshot(2), b.release(3, result="Failed"), b.snapshot(3)]
    row = await plan(request_, b.app(), b.config(), *ledger)

    assert (row.writes, row.condition()) == ([], ("False", reason))
    assert row.status["result"] == "Failed"


async def test_a_rollback_is_numbered_by_the_operator() -> None:
    asked = b.request(2, author="ada@example.com")
    ledger = [
        *FIRST,
        b.release(2),
        b.snapshot(2),
        b.release(3, types={"web": "bad"}),
        b.snapshot(3),
    ]
    app = await plan(b.app(), b.config(), *ledger, asked)
    body = app.body("create Release hello-v4")

    assert body["spec"]["description"] == "Rollback to v2"
    assert (body["spec"]["rollbackOf"], body["spec"]["slug"]) == (2, b.slug())
    assert body["spec"]["author"] == "ada@example.com"
    requested = {"haikube.dev/requested-by": asked["metadata"]["uid"]}
    assert requested.items() <= body["metadata"]["annotations"].items()
    answer = b.release(4, metadata={"annotations": requested}, rollbackOf=2)
    after = await plan(b.app(), b.config(), *ledger, asked, answer, b.snapshot(4))
    gone = await plan(asked, b.app(), b.config(), *ledger, answer)

    assert [each for each in after.writes if each.startswith("create Release")] == []
    assert gone.writes == ["delete Release hello-rollback-x"]


async def test_a_rollback_is_left_standing_though_the_config_differs() -> None:
    config = b.config({"A": "2"})
    known = parse_secret(PRUNED[SECRETS](config))
    seen = {"haikube.dev/config-seen": config_digest(known)}
    rolled = b.snapshot(3, {"A": "1"}, annotations=seen)
    base = [b.release(2), b.release(3, rollbackOf=1), b.snapshot(2, {"A": "2"}), rolled]
    calm = await plan(b.app(), config, *base)
    changed = await plan(b.app(), b.config({"A": "3"}), *base)

    assert "create Release hello-v4" not in calm.writes
    assert changed.body("create Release hello-v4")["spec"]["description"] == "Set A config vars"


async def test_history_keeps_what_is_set_and_what_serves() -> None:
    builds = [
        b.build(
            f"b{n}", status=b.failed(), metadata={"creationTimestamp": f"2026-01-01T00:00:0{n}Z"}
        )
        for n in range(4)
    ]
    releases = [b.release(1), *(b.release(n, result="Failed") for n in range(2, 4))]
    row = await plan(
        b.app(), b.config(), *builds, *releases, b.snapshot(3), build_history=2, release_history=2
    )

    assert [each for each in row.writes if each.startswith("delete")] == [
        "delete Build b1",
        "delete Build b0",
    ]


async def test_old_releases_go() -> None:
    releases = [b.release(n) for n in range(1, 5)]
    row = await plan(b.app(), b.config(), *releases, b.snapshot(4), release_history=2)

    assert "delete Release hello-v1" in row.writes
    assert "delete Release hello-v2" in row.writes


async def test_failed_releases_go_too() -> None:
    ledger = [b.release(1), *(b.release(n, result="Failed") for n in range(2, 7))]
    row = await plan(b.app(), b.config(), *ledger, b.snapshot(6), release_history=2)

    assert [each for each in row.writes if each.startswith("delete")] == [
        f"delete Release hello-v{n}" for n in (4, 3, 2)
    ]


async def test_a_release_that_pods_run_is_kept() -> None:
    ledger = [b.release(n) for n in range(1, 5)]
    pod = b.pod("p", marks=b.dyno_marks(1))
    row = await plan(b.app(), b.config(), *ledger, b.snapshot(4), pod, release_history=2)

    assert [each for each in row.writes if each.startswith("delete")] == ["delete Release hello-v2"]
