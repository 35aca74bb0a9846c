"""Apps: config, declared builds, the ledger, formations, history, and what Ready says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

import builders as b
from haikube.cluster.fake import FakeCluster
from haikube.model.resources import SECRETS
from haikube.model.secret import parse_secret
from haikube.operator.watched import PRUNED
from haikube.plan.release.snapshot import config_digest
from stage import plan

GIT = {"git": {"url": "https://example.com/hello.git", "ref": "v1"}}
LATER = "2026-01-01T00:00:10Z"
FIRST = (b.initial(), b.snapshot(1))
SERVING = (
    b.release(buildRef={"name": "b1"}),
    b.snapshot(),
    b.slug_url(),
    b.build(status=b.succeeded()),
    b.formation(status=b.ready_status()),
    b.formation("worker", 0, status=b.ready_status()),
    b.route(),
    b.stack(),
    b.deployment(),
)


async def test_a_new_app_gets_an_empty_labelled_config() -> None:
    row = await plan(b.app())
    body = row.body("create Secret hello-config")

    assert row.writes == ["create Secret hello-config"]
    assert body["metadata"]["labels"]["haikube.dev/app"] == "hello"
    assert "data" not in body
    assert row.condition() == ("False", "NoRelease")
    assert row.types == ["Ready", "ConfigReady"]
    assert row.status["url"] == "http://hello.localhost:8080/"


async def test_an_unlabelled_config_is_named_with_the_remedy_and_not_touched() -> None:
    cluster = FakeCluster()
    cluster.seed(SECRETS, {"metadata": {"name": "hello-config", "namespace": "team"}})
    row = await plan(b.app(), cluster=cluster)

    assert row.writes == []
    assert row.condition("ConfigReady") == ("False", "ConfigSecretNotLabelled")
    assert "kubectl label secret hello-config" in row.message("ConfigReady")
    assert row.plan.requeue_after == 30.0


async def test_a_release_that_is_there_before_the_config_does_not_keep_it_from_being_made() -> None:
    row = await plan(b.app(), b.release(2, result=None))

    assert "create Secret hello-config" in row.writes


async def test_a_config_that_got_lost_is_never_replaced_by_an_empty_one() -> None:
    row = await plan(b.app(), *SERVING)

    assert row.writes == []
    assert row.condition("ConfigReady") == ("False", "ConfigSecretMissing")
    assert row.condition() == ("True", "Serving")


async def test_names_that_are_no_variables_are_left_out_and_named() -> None:
    config = b.config({"a.b": "1", "GOOD": "2"})
    row = await plan(b.app(), config)
    release = await plan(b.initial(result=None), b.app(), config)

    assert row.condition("ConfigReady") == ("False", "InvalidConfigVar")
    assert release.write("create Secret hello-v1").copied.keys == ("GOOD",)


async def test_a_config_elsewhere_is_used() -> None:
    own = b.secret("shared", {"A": "1"})
    row = await plan(b.initial(result=None), b.app(configRef={"name": "shared"}), own)

    assert row.write("create Secret hello-v1").copied.source.name == "shared"


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
    ("before", "after", "description"),
    [
        ({}, {"A": "1"}, "Set A config vars"),
        ({"A": "1"}, {"A": "2", "B": "1"}, "Set A, B config vars"),
        ({"A": "1", "B": "2"}, {"B": "2"}, "Remove A config vars"),
        ({"A": "1"}, {"B": "2"}, "Set B config vars, Remove A config vars"),
        ({}, {f"V{n}": "1" for n in range(9)}, "Set V0, V1, V2, V3, V4 and 4 more config vars"),
    ],
)
async def test_a_config_change_releases_the_same_slug(
    before: dict[str, str], after: dict[str, str], description: str
) -> None:
    row = await plan(b.app(), b.config(after), b.release(), b.snapshot(1, before))
    spec = row.body("create Release hello-v2")["spec"]

    assert spec["description"] == description
    assert spec["slug"] == b.slug()
    assert "buildRef" not in spec


LIMIT = 131_072 - len("BIG") - 2


@pytest.mark.parametrize("ended", [b.succeeded(), None])
async def test_no_release_is_made_of_a_config_with_which_no_program_starts(ended: b.Raw) -> None:
    build = [b.build("b9", status=ended)] if ended else []
    base = (b.release(), b.snapshot(1, {}), *build)
    row = await plan(b.app(), b.config({"BIG": "x" * (LIMIT + 1), "A": "1"}), *base)
    assert [each for each in row.writes if "Release" in each] == []
    assert row.condition("ConfigReady") == ("False", "InvalidConfigVar")
    assert "starts no program: BIG has 131,073; no release" in row.message("ConfigReady")

    row = await plan(b.app(), b.config({"BIG": "x" * LIMIT, "A": "1"}), *base)
    assert "create Release hello-v2" in row.writes
    assert row.condition("ConfigReady")[0] == "True"


@pytest.mark.parametrize("value", ["//4=", "YQBi", "no base64"])
async def test_no_release_is_made_of_a_value_that_is_no_text(value: str) -> None:
    config = b.config({"GOOD": "1"})
    config["data"]["RAW"] = value
    row = await plan(b.app(), config, b.release(), b.snapshot(1, {}))
    assert [each for each in row.writes if "Release" in each] == []
    assert row.condition("ConfigReady") == ("False", "InvalidConfigVar")
    assert row.message("ConfigReady").startswith("values that are no text (UTF-8 without zero")
    assert "which no container can be given: RAW; no release" in row.message("ConfigReady")


async def test_a_config_change_without_code_is_a_release_too() -> None:
    row = await plan(b.app(), b.config({"A": "1"}), *FIRST)

    assert row.body("create Release hello-v2")["spec"] == {
        "appRef": {"name": "hello"},
        "version": 2,
        "configRef": {"name": "hello-v2"},
        "description": "Set A config vars",
    }


async def test_who_changed_the_config_and_what_they_call_it_is_in_the_ledger() -> None:
    config = b.config({"A": "1"}, version="12")
    told = {"haikube.dev/author": "ada@example.com", "haikube.dev/description": "Attach DATABASE"}
    config["metadata"]["annotations"] = told
    body = (await plan(b.app(), config, *FIRST)).body("create Release hello-v2")

    assert body["spec"]["author"] == "ada@example.com"
    assert body["spec"]["description"] == "Attach DATABASE"
    assert body["metadata"]["annotations"]["haikube.dev/config-version"] == "12"


async def test_a_new_version_of_the_same_config_is_noted_on_the_newest_release() -> None:
    row = await plan(b.app(), b.config(version="12"), *FIRST)

    assert row.writes == ["annotate hello-v1 12"]


async def test_no_value_of_a_config_is_ever_in_a_release_status_or_event() -> None:
    row = await plan(b.app(), b.config({"A": "s3cret"}), b.release(), b.snapshot())
    text = str((row.body("create Release hello-v2"), row.status, row.plan.events))

    assert "s3cret" not in text
    assert b.encoded({"A": "s3cret"})["A"] not in text


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


async def test_an_unchanged_config_makes_no_release() -> None:
    row = await plan(b.app(), b.config({"A": "1"}), b.release(), b.snapshot(1, {"A": "1"}))

    assert "create Release hello-v2" not in row.writes


async def test_a_config_change_waits_for_a_pending_release() -> None:
    phased = b.release(result=None, types={"web": "x", "release": "y"})
    row = await plan(b.app(), b.config({"A": "1"}), phased, b.snapshot())

    assert row.writes == []
    assert row.condition() == ("Unknown", "Releasing")


async def test_a_deleted_snapshot_is_replaced_by_a_new_release() -> None:
    row = await plan(b.app(), b.config({"A": "1"}), b.release())
    spec = row.body("create Release hello-v2")["spec"]

    assert (spec["description"], spec["slug"]) == ("Restore config vars", b.slug())


async def test_a_config_change_after_a_failed_release_takes_the_slug_that_serves() -> None:
    bad = b.release(2, result="Failed", types={"web": "bad"})
    row = await plan(b.app(), b.config({"A": "1"}), b.release(1), bad, b.snapshot(1), b.snapshot(2))

    assert row.body("create Release hello-v3")["spec"]["slug"] == b.slug()


async def test_a_config_change_gives_a_failed_first_release_another_try() -> None:
    row = await plan(b.app(), b.config({"A": "1"}), b.release(result="Failed"), b.snapshot())

    assert "create Release hello-v2" in row.writes


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


async def test_a_declared_source_is_built_once_per_declaration() -> None:
    first = await plan(b.app(source=GIT), b.config(), *FIRST)
    (words,) = first.writes
    name = words.removeprefix("create Build ")
    other = await plan(b.app(source={"git": {**GIT["git"], "ref": "v2"}}), b.config(), *FIRST)
    running = b.build(name, status={"result": "Running"})
    again = await plan(b.app(source=GIT), b.config(), *FIRST, running)

    assert name.startswith("hello-b-")
    assert first.body(words)["spec"] == {
        "appRef": {"name": "hello"},
        "source": GIT,
        "stack": "debian-13",
        "description": "Deploy v1",
    }
    assert other.writes != first.writes
    assert again.writes == []
    assert again.condition() == ("Unknown", "Building")


async def test_a_blob_and_its_buildpacks_are_declared_too() -> None:
    blob = {"blob": {"url": "https://example.com/x.tgz", "checksum": b.DIGEST}}
    app = b.app(source=blob, buildpacks=[{"name": "heroku/python"}], stack="debian-12")
    row = await plan(app, b.config())
    spec = row.body(row.writes[0])["spec"]

    assert spec["description"] == "Deploy sha256:abababab"
    assert (spec["stack"], spec["buildpacks"]) == ("debian-12", [{"name": "heroku/python"}])


async def test_declaring_an_earlier_source_again_releases_its_slug_again() -> None:
    first = await plan(b.app(source=GIT), b.config())
    name = first.writes[0].removeprefix("create Build ")
    digest = {"haikube.dev/source-digest": name.rsplit("-", 1)[1]}
    mine = b.build(name, status=b.succeeded(), metadata={"annotations": digest})
    others = [
        b.release(1, buildRef={"name": name}, metadata={"annotations": digest}),
        b.release(2, metadata={"annotations": {"haikube.dev/source-digest": "other"}}),
        b.snapshot(2),
    ]
    row = await plan(b.app(source=GIT), b.config(), mine, *others)

    assert row.body("create Release hello-v3")["spec"]["buildRef"] == {"name": name}


async def test_a_declared_source_that_fails_stalls_the_app_though_it_serves() -> None:
    first = await plan(b.app(source=GIT), b.config())
    name = first.writes[0].removeprefix("create Build ")
    row = await plan(b.app(source=GIT), b.config(), b.build(name, status=b.failed()), *SERVING)

    assert row.condition() == ("False", "CompileFailed")
    assert f"delete build {name}" in row.message()


async def test_a_declared_source_whose_release_fails_stalls_the_app_though_it_serves() -> None:
    first = await plan(b.app(source=GIT), b.config())
    name = first.writes[0].removeprefix("create Build ")
    status = {**b.succeeded(), "release": {"name": "hello-v2", "version": 2}}
    failed = b.release(
        2,
        buildRef={"name": name},
        status={**b.failed("ReleaseCommandFailed", "exit 1"), "observedGeneration": 1},
    )
    build = b.build(name, status=status)
    row = await plan(b.app(source=GIT), b.config(), *SERVING, build, failed, b.snapshot(2))

    assert row.condition() == ("False", "ReleaseCommandFailed")
    assert "v2 of the declared source" in row.message()


async def test_a_pushed_build_that_fails_leaves_the_app_ready_and_says_so() -> None:
    bad = b.build("b2", status=b.failed(), metadata={"creationTimestamp": LATER})
    row = await plan(b.app(), b.config(), *SERVING, bad)

    assert row.condition() == ("True", "Serving")
    assert "b2: repair it" in row.message()
    assert row.condition("BuildSucceeded") == ("False", "CompileFailed")
    assert row.status["latestBuild"] == {"name": "b2", "result": "Failed"}


async def test_an_app_that_serves() -> None:
    row = await plan(b.app(), b.config(), *SERVING)

    assert row.writes == []
    assert row.condition() == ("True", "Serving")
    assert row.message() == "v1 serves http://hello.localhost:8080/"
    assert row.status["currentRelease"] == {"name": "hello-v1", "version": 1}
    assert row.status["buildpack"] == "Python"
    assert row.status["web"] == "1/1"
    assert [each["name"] for each in row.status["processTypes"]] == ["web", "worker"]
    assert {row.condition(kind)[0] for kind in row.types} == {"True"}


async def test_maintenance_is_ready_and_says_so() -> None:
    row = await plan(b.app(maintenance="Enabled"), b.config(), *SERVING)

    assert row.condition() == ("True", "Maintenance")


async def test_only_workers() -> None:
    worker = [b.formation("worker", 1), b.deployment("worker"), b.stack()]
    release = b.release(types={"worker": "x"})
    row = await plan(b.app(), b.config(), release, b.snapshot(), b.slug_url(), *worker)

    assert row.condition() == ("True", "Serving")
    assert row.message() == "v1 runs"
    assert "RouteAdmitted" not in row.types


def serving_but(**changes: Any) -> list[b.Raw]:
    """Return what serves, with one part replaced."""
    parts = {"route": b.route(), "deployment": b.deployment(), "pod": None, **changes}
    kept = (each for each in SERVING if each["kind"] not in {"HTTPRoute", "Deployment"})
    return [b.config(), *kept, *(each for each in parts.values() if each)]


CRASHED = b.pod("p", marks=b.dyno_marks(), state=b.ended(1))


@pytest.mark.parametrize(
    ("changes", "condition"),
    [
        ({"deployment": b.deployment(ready=0), "pod": CRASHED}, ("False", "AppCrashed")),
        ({"deployment": b.deployment(ready=0)}, ("Unknown", "DynosStarting")),
        ({"deployment": None}, ("Unknown", "DynosStarting")),
        ({"deployment": b.deployment(version=7)}, ("Unknown", "DynosStarting")),
        ({"route": None}, ("Unknown", "RoutePending")),
        ({"route": b.route(admitted=None)}, ("Unknown", "RoutePending")),
        ({"route": b.route(admitted=False)}, ("False", "RouteRefused")),
    ],
)
async def test_what_keeps_an_app_from_being_ready(
    changes: dict[str, Any], condition: tuple[str, str]
) -> None:
    row = await plan(b.app(), *serving_but(**changes))

    assert row.condition() == condition


async def test_an_app_whose_formations_are_just_being_made() -> None:
    row = await plan(b.app(), b.config(), b.release(), b.snapshot())

    assert row.condition() == ("Unknown", "DynosStarting")


@pytest.mark.parametrize(
    ("others", "condition"),
    [
        ([b.build(status={"result": "Running"})], ("Unknown", "Building")),
        ([b.build(status=b.failed("NoBuildpackMatches"))], ("False", "NoBuildpackMatches")),
        ([b.build(status=b.succeeded())], ("Unknown", "Releasing")),
        ([b.release(result=None), b.snapshot()], ("Unknown", "Releasing")),
        (
            [b.release(2, result=None, rollbackOf=1), b.release(1, result="Failed")],
            ("False", "SnapshotMissing"),
        ),
        (
            [b.release(result=None, status=b.failed("ReleaseCommandFailed")), b.snapshot()],
            ("False", "ReleaseCommandFailed"),
        ),
    ],
)
async def test_an_app_that_has_never_served(
    others: list[b.Raw], condition: tuple[str, str]
) -> None:
    row = await plan(b.app(), b.config(), *others)

    assert row.condition() == condition


async def test_an_unlabelled_config_stops_an_app_that_has_never_served() -> None:
    cluster = FakeCluster()
    cluster.seed(SECRETS, {"metadata": {"name": "hello-config", "namespace": "team"}})
    row = await plan(b.app(), b.build(status=b.succeeded()), cluster=cluster)

    assert row.writes == []
    assert row.condition() == ("False", "ConfigSecretNotLabelled")


async def test_a_taken_default_host_stalls_the_app() -> None:
    older = b.app(namespace="other", metadata={"creationTimestamp": "2025-01-01T00:00:00Z"})
    row = await plan(b.app(), b.config(), *SERVING, older)

    assert row.condition() == ("False", "HostnameTaken")
    assert "other/hello" in row.message()


async def test_a_lost_extra_domain_only_shows_in_its_condition() -> None:
    older = b.app(
        "elder",
        domains=[{"hostname": "www.example.com"}],
        metadata={"creationTimestamp": "2025-01-01T00:00:00Z"},
    )
    row = await plan(b.app(domains=[{"hostname": "www.example.com"}]), b.config(), *SERVING, older)

    assert row.condition() == ("True", "Serving")
    assert row.condition("RouteAdmitted") == ("False", "HostnameTaken")


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


@pytest.mark.parametrize(("hours", "gone"), [(0, False), (2, True)])
async def test_a_dyno_that_has_ended_is_forgotten_after_an_hour(*, hours: int, gone: bool) -> None:
    ended = b.dyno(status={"state": "Complete", "finishedAt": "2026-01-01T00:30:00Z"})
    now = datetime(2026, 1, 1, hours, 31, tzinfo=UTC)
    row = await plan(b.app(), b.config(), *FIRST, ended, now=now)

    assert ("delete Dyno run-1" in row.writes) is gone


async def test_an_app_that_is_being_deleted_is_left_alone() -> None:
    row = await plan(b.app(metadata={"deletionTimestamp": b.CREATED}))

    assert (row.plan.writes, row.plan.status) == ((), None)


async def test_transition_times_stay_while_a_status_does() -> None:
    first = await plan(b.app(), now=datetime(2026, 1, 1, 1, tzinfo=UTC))
    second = await plan(
        b.app(status=dict(first.status)), b.config(), now=datetime(2026, 1, 1, 2, tzinfo=UTC)
    )
    times = {each["type"]: each["lastTransitionTime"] for each in second.status["conditions"]}

    assert times == {"Ready": "2026-01-01T01:00:00Z", "ConfigReady": "2026-01-01T02:00:00Z"}
