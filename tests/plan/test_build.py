"""Builds: what is made for them, how they end, and what the status says."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

import builders as b
from haikube.cluster.fake import FakeCluster
from haikube.model.resources import CONFIG_MAPS, SECRETS
from haikube.model.times import format_time
from haikube.storage.memory import MemoryStorage
from stage import NOW, plan

OK = json.dumps(
    {
        "ok": True,
        "slug": {"digest": b.DIGEST, "sizeBytes": 7},
        "processTypes": [{"name": "web", "command": "python app.py"}],
        "buildpacks": ["heroku/python"],
        "language": "Python",
        "truncated": False,
    }
)
RESULT_KEY = "slugs/uid-app-hello/uid-build-b1.json"


def broken(reason: str = "CompileFailed", message: str = "no such package; repair it") -> str:
    return json.dumps({"ok": False, "reason": reason, "message": message})


def cut() -> str:
    return json.dumps({**json.loads(OK), "processTypes": [], "truncated": True})


def pod(**extra: object) -> b.Raw:
    return b.pod("b1-x", owner=("Job", "b1"), **extra)  # type: ignore[arg-type]  # rows vary


def running(*conditions: tuple[str, str]) -> list[b.Raw]:
    return [b.app(), b.stack(), b.job("b1", ("Build", "b1"), *conditions), urls()]


def urls(expires: str = "2026-01-01T02:00:00Z") -> b.Raw:
    return b.secret(
        "b1-urls",
        {"request.json": "{}"},
        component="build-urls",
        owner=("Build", "b1"),
        annotations={"haikube.dev/expires-at": expires},
    )


async def test_a_new_build_gets_its_urls_and_its_job() -> None:
    row = await plan(b.build(), b.app(), b.stack())

    assert row.writes == ["create Secret b1-urls", "create Job b1"]
    assert row.status["result"] == "Running"
    assert row.condition() == ("Unknown", "BuildStarting")


async def test_the_request_holds_what_the_engine_reads_and_no_key() -> None:
    row = await plan(
        b.build(version="abc", buildpacks=[{"name": "heroku/python"}]),
        b.app(buildTimeoutSeconds=60),
        b.stack(alias="heroku-24"),
    )
    request = json.loads(row.body("create Secret b1-urls")["stringData"]["request.json"])

    assert request["source"] == {"archive": {"digest": b.DIGEST, "sizeBytes": 10}}
    assert request["alias"] == "heroku-24"
    assert request["buildpacks"] == [{"name": "heroku/python"}]
    assert request["sourceVersion"] == "abc"
    assert request["limits"]["timeoutSeconds"] == 60
    assert row.body("create Job b1")["spec"]["activeDeadlineSeconds"] == 360


async def test_a_build_may_fetch_what_was_made_for_its_stack() -> None:
    digest = "sha256:" + "ab" * 32
    made = {"language": "ruby", "version": "3.4.7", "digest": digest}
    row = await plan(b.build(), b.app(), b.stack(runtimes=[made]))

    write = row.write("create Secret b1-urls")
    url = write.presigned["runtime-ruby-3.4.7"]
    key = "runtimes/debian-13/ruby-3.4.7-abababababababab.tar.zst"
    assert (url.method, url.key) == ("GET", key)
    request = json.loads(write.body["stringData"]["request.json"])
    assert request["runtimes"] == {"ruby-3.4.7": digest}
    volumes = row.body("create Job b1")["spec"]["template"]["spec"]["volumes"]
    mounted = next(each["secret"]["items"] for each in volumes if each["name"] == "urls")
    assert {"key": "runtime-ruby-3.4.7", "path": "runtime-ruby-3.4.7"} in mounted


async def test_urls_are_of_single_objects_under_the_uids() -> None:
    row = await plan(b.build(), b.app(), b.stack())
    signed = row.write("create Secret b1-urls").presigned

    assert {key: (each.method, each.key) for key, each in signed.items()} == {
        "source": ("GET", "sources/uid-app-hello/b.tar.gz"),
        "cache-get": ("GET", "caches/uid-app-hello/debian-13.tar.zst"),
        "cache-put": ("PUT", "caches/uid-app-hello/debian-13.tar.zst"),
        "log-put": ("PUT", "logs/uid-app-hello/uid-build-b1.log"),
        "result-get": ("GET", "slugs/uid-app-hello/uid-build-b1.json"),
        "result-put": ("PUT", "slugs/uid-app-hello/uid-build-b1.json"),
        "slug-put": ("PUT", "slugs/uid-app-hello/uid-build-b1.tar.zst"),
    }


async def test_builds_are_told_what_names_stand_for() -> None:
    names = {"heroku/nodejs": "https://git.example/nodejs#v1", "acme/rails": "ruby"}
    row = await plan(b.build(), b.app(), b.stack(), buildpacks=names)
    request = json.loads(row.body("create Secret b1-urls")["stringData"]["request.json"])

    assert request["buildpackNames"] == names


async def test_a_cache_is_for_one_app_on_one_stack() -> None:
    found = []
    cases = [
        ("hello", "debian-13", ""),
        ("other", "debian-13", ""),
        ("hello", "debian-12", ""),
        ("hello", "debian-13", "purged on Monday"),
    ]
    for app, stack, mark in cases:
        marks = {"annotations": {"haikube.dev/build-cache": mark}} if mark else {}
        wanted = b.build(of=app, stack=stack, source=b.archive(f"uid-app-{app}"))
        row = await plan(wanted, b.app(app, metadata=marks), b.stack(stack))
        signed = row.write("create Secret b1-urls").presigned
        found.append({signed[name].key for name in ("cache-get", "cache-put")})

    assert found == [
        {"caches/uid-app-hello/debian-13.tar.zst"},
        {"caches/uid-app-other/debian-13.tar.zst"},
        {"caches/uid-app-hello/debian-12.tar.zst"},
        {"caches/uid-app-hello/5f9b5724a72428d0/debian-13.tar.zst"},
    ]


EVICTED = {
    "phase": "Failed",
    "reason": "Evicted",
    "message": 'Usage of EmptyDir volume "scratch" exceeds the limit "8Gi". ',
}


async def test_a_build_that_filled_its_disk_is_not_tried_again() -> None:
    """The kubelet stops the pod, so the engine itself believes that it was stopped from outside."""
    stopped = b.ended(143, broken("Canceled", "The build was stopped"))
    first = await plan(b.build(), *running(), pod(state=stopped, status=EVICTED))

    assert first.status["failure"]["reason"] == "DiskFull"
    assert "HAIKUBE_BUILD_DISK" in first.status["failure"]["message"]
    assert first.writes == []

    recorded = b.build(status=dict(first.status))
    second = await plan(recorded, *running(), pod(state=stopped, status=EVICTED))
    assert second.writes == ["delete Job b1"]

    over = await plan(recorded, *running(("Failed", "BackoffLimitExceeded")))
    assert over.writes == ["delete Secret b1-urls"]


async def test_a_build_that_a_full_node_evicts_is_tried_again() -> None:
    low = "The node was low on resource: ephemeral-storage. Container build was using 1Gi"
    stopped = b.ended(143, broken("Canceled", "The build was stopped"))
    evicted = pod(state=stopped, status={**EVICTED, "message": low})
    row = await plan(b.build(), *running(), evicted)

    assert row.status["result"] == "Running"
    assert "failure" not in row.status


async def test_a_full_disk_is_known_although_the_engine_left_another_result() -> None:
    storage = MemoryStorage()
    await storage.put(RESULT_KEY, broken("Canceled").encode())
    pods = pod(state=b.ended(137), status=EVICTED)
    row = await plan(b.build(), *running(("Failed", "PodFailurePolicy")), pods, storage=storage)

    assert row.status["failure"]["reason"] == "DiskFull"


async def test_a_full_storage_refuses_builds_that_have_not_begun() -> None:
    full = "the object storage holds 12.0 of 12.0 GB"
    refused = await plan(b.build(), b.app(), b.stack(), storage_full=full)
    assert refused.writes == []
    assert refused.status["result"] == "Failed"
    assert refused.condition() == ("False", "StorageFull")
    assert refused.message().startswith(f"{full}; destroy apps that nobody needs")

    running = b.build(status={"result": "Running"})
    went_on = await plan(
        running, b.app(), b.stack(), b.job("b1", ("Build", "b1")), storage_full=full
    )
    assert went_on.status["result"] == "Running"


async def test_a_git_source_is_fetched_by_the_build_itself() -> None:
    git = {"git": {"url": "https://example.com/x.git", "ref": "v1"}}
    row = await plan(b.build(source=git), b.app(), b.stack())
    secret = row.write("create Secret b1-urls")

    assert "source" not in secret.presigned
    assert json.loads(secret.body["stringData"]["request.json"])["source"] == git


async def test_the_engine_hears_in_which_folder_the_app_is() -> None:
    source = {**b.archive("uid-app-hello"), "path": "apps/web"}
    row = await plan(b.build(source=source), b.app(), b.stack())
    request = json.loads(row.body("create Secret b1-urls")["stringData"]["request.json"])
    assert request["source"]["path"] == "apps/web"
    assert "key" not in request["source"]["archive"]


async def test_extra_certificates_travel_with_the_urls() -> None:
    cluster = FakeCluster()
    ca = {"name": "ca", "namespace": "haikube-system"}
    cluster.seed(CONFIG_MAPS, {"metadata": ca, "data": {"ca-bundle.crt": "PEM"}})
    row = await plan(b.build(), b.app(), b.stack(), cluster=cluster, ca_bundle_configmap="ca")

    assert row.body("create Secret b1-urls")["stringData"]["ca-bundle.crt"] == "PEM"
    pod_spec = row.body("create Job b1")["spec"]["template"]["spec"]
    assert "/haikube/ca" in [
        each["mountPath"] for each in pod_spec["containers"][0]["volumeMounts"]
    ]


async def test_expired_urls_are_signed_anew_before_a_job_starts() -> None:
    row = await plan(b.build(), b.app(), b.stack(), urls("2026-01-01T00:30:00Z"))

    assert row.writes == ["create Secret b1-urls", "create Job b1"]
    assert row.write("create Secret b1-urls").renew


async def test_a_lost_url_secret_is_made_again_beside_the_job() -> None:
    row = await plan(b.build(), b.app(), b.stack(), b.job("b1", ("Build", "b1")))

    assert row.writes == ["create Secret b1-urls"]


async def test_a_younger_build_waits_and_names_the_older() -> None:
    younger = b.build("b2", metadata={"creationTimestamp": "2026-01-01T00:00:01Z"})
    row = await plan(younger, b.build("b1"), b.app(), b.stack())

    assert row.writes == []
    assert row.status["result"] == "Pending"
    assert row.condition() == ("Unknown", "WaitingForBuild")
    assert "b1" in row.message()


async def test_the_older_build_does_not_wait_for_a_younger() -> None:
    younger = b.build("a2", metadata={"creationTimestamp": "2026-01-01T00:00:01Z"})

    assert (await plan(b.build("b1"), younger, b.app(), b.stack())).writes != []


async def test_a_build_that_runs_already_goes_first_even_if_its_name_is_later() -> None:
    row = await plan(b.build("a1"), b.build("b1", status={"result": "Running"}), b.app(), b.stack())

    assert row.condition() == ("Unknown", "WaitingForBuild")


async def test_a_finished_build_is_not_waited_for() -> None:
    younger = b.build("b2", metadata={"creationTimestamp": "2026-01-01T00:00:01Z"})
    row = await plan(younger, b.build("b1", status=b.failed()), b.app(), b.stack())

    assert row.writes == ["create Secret b2-urls", "create Job b2"]


@pytest.mark.parametrize(("label", "seen"), [(None, False), ("other", False), ("other", True)])
async def test_a_secret_that_is_not_the_apps_is_given_to_no_build(
    label: str | None, *, seen: bool
) -> None:
    cluster = FakeCluster()
    marks = {"haikube.dev/app": label} if label else {}
    place = {"name": "stripe-keys", "namespace": b.NAMESPACE, "labels": marks}
    made = cluster.seed(SECRETS, {"metadata": place, "data": {"KEY": "c2VjcmV0"}})
    app = b.app(configRef={"name": "stripe-keys"})
    known = [{**made, "kind": "Secret"}] if seen else []

    row = await plan(b.build(), app, b.stack(), *known, cluster=cluster)

    assert (row.writes, row.condition()) == ([], ("False", "ConfigSecretNotLabelled"))
    assert "kubectl label secret stripe-keys haikube.dev/app=hello" in str(row.status)
    assert row.plan.requeue_after == 30.0


@pytest.mark.parametrize(
    ("others", "spec", "reason"),
    [
        ([b.stack()], {}, "AppNotFound"),
        ([b.app(), b.stack()], {"source": {}}, "SourceMissing"),
        ([b.app()], {}, "StackNotFound"),
    ],
)
async def test_what_is_missing_is_named_and_nothing_is_started(
    others: list[b.Raw], spec: b.Raw, reason: str
) -> None:
    row = await plan(b.build(**spec), *others)

    assert (row.writes, row.condition()) == ([], ("False", reason))
    assert row.status["result"] == "Pending"


@pytest.mark.parametrize(
    ("state", "conditions", "reason"),
    [
        (b.RUNNING, [], "BuildRunning"),
        (None, [], "BuildStarting"),
        (b.ended(75, broken("StorageUnavailable", "no answer")), [], "BuildRestarting"),
        (b.ended(143), [], "BuildRestarting"),
        (b.ended(137), [], "BuildStarting"),  # the Job is about to say that it failed
        (b.waiting("ImagePullBackOff", "no such image"), [], "ImagePullFailed"),
        (
            None,
            [{"type": "PodScheduled", "reason": "Unschedulable", "message": "no cpu"}],
            "Unschedulable",
        ),
    ],
)
async def test_how_far_a_build_is(
    state: b.Raw | None, conditions: list[b.Raw], reason: str
) -> None:
    row = await plan(b.build(), *running(), pod(state=state, conditions=conditions))

    assert row.writes == []
    assert row.status["result"] == "Running"
    assert row.condition() == ("Unknown", reason)


@pytest.mark.parametrize(
    ("wish", "runtime", "created", "reason"),
    [
        ("on", "", b.CREATED, "UserNamespacesMissing"),
        ("auto", "", b.CREATED, "BuildStarting"),  # none are asked for
        ("on", "kata", b.CREATED, "BuildStarting"),  # nobody knows what that one can do
        ("on", "", format_time(NOW), "BuildStarting"),  # it takes its time
    ],
)
async def test_a_build_waits_for_users_that_no_node_lends(
    wish: str, runtime: str, created: str, reason: str
) -> None:
    starting = pod(state=b.waiting("ContainerCreating"), created=created)
    changes = {"user_namespaces": wish, "build_runtime_class": runtime}

    row = await plan(b.build(), *running(), starting, **changes)

    assert row.condition() == ("Unknown", reason)
    assert row.plan.requeue_after == 15


async def test_a_successful_build_records_its_slug_and_times() -> None:
    row = await plan(b.build(), *running(), pod(state=b.ended(0, OK)))

    assert row.status["result"] == "Succeeded"
    assert row.status["slug"] == {
        "key": "slugs/uid-app-hello/uid-build-b1.tar.zst",
        "digest": b.DIGEST,
        "sizeBytes": 7,
        "processTypes": [{"name": "web", "command": "python app.py"}],
    }
    assert (row.status["language"], row.status["duration"]) == ("Python", "40s")
    assert row.status["finishedAt"] == "2026-01-01T00:00:40Z"
    assert row.condition("SourceReady") == ("True", "SourceFetched")
    assert row.condition("SlugStored") == ("True", "BuildSucceeded")
    assert [each.reason for each in row.plan.events] == ["BuildSucceeded"]


async def test_a_result_is_believed_before_the_pod_ends() -> None:
    """The kubelet publishes readiness at once, the end of a container a second later."""
    storage = MemoryStorage()
    await storage.put(RESULT_KEY, OK.encode())
    ready = pod(state=b.RUNNING, ready=True)
    row = await plan(b.build(), *running(), ready, storage=storage)

    assert row.status["result"] == "Succeeded"
    assert row.status["duration"] == "1h0m"
    assert row.status["finishedAt"] == "2026-01-01T01:00:00Z"


async def test_a_pod_that_is_ready_without_a_result_goes_on() -> None:
    row = await plan(b.build(), *running(), pod(state=b.RUNNING, ready=True))

    assert row.status["result"] == "Running"
    assert row.condition() == ("Unknown", "BuildRunning")


@pytest.mark.parametrize(
    ("seconds", "writes", "again"), [(0, [], 30.0), (29, [], 1.0), (30, ["delete Job b1"], None)]
)
async def test_the_pod_of_a_finished_build_has_to_end(
    seconds: int, writes: list[str], again: float | None
) -> None:
    recorded = b.build(status=b.succeeded(finished="2026-01-01T01:00:00Z"))
    now = datetime(2026, 1, 1, 1, 0, seconds, tzinfo=UTC)
    row = await plan(recorded, *running(), pod(state=b.RUNNING), now=now)

    assert (row.writes, row.plan.requeue_after) == (writes, again)


async def test_a_failed_compile_is_final_at_once_with_its_reason() -> None:
    row = await plan(b.build(), *running(), pod(state=b.ended(1, broken())))

    assert row.status["result"] == "Failed"
    assert row.status["failure"]["reason"] == "CompileFailed"
    assert row.condition("Succeeded") == ("False", "CompileFailed")
    assert row.condition("Stalled") == ("True", "CompileFailed")


async def test_a_source_that_cannot_be_fetched_shows_in_its_own_condition() -> None:
    text = broken("SourceUnavailable", "404; check the URL")
    row = await plan(b.build(), *running(), pod(state=b.ended(1, text)))

    assert row.condition("SourceReady") == ("False", "SourceUnavailable")


@pytest.mark.parametrize(
    ("state", "job", "status", "reason"),
    [
        (b.ended(137, reason="OOMKilled"), [], {}, "BuildOutOfMemory"),
        (b.ended(137), [("Failed", "DeadlineExceeded")], {}, "BuildTimedOut"),
        (b.ended(0, "{"), [], {}, "BuildResultInvalid"),
        (b.ended(1, '{"ok": false, "reason": "Nonsense"}'), [], {}, "BuildResultInvalid"),
        (b.ended(75, broken("StorageUnavailable")), [("Failed", "X")], {}, "StorageUnavailable"),
        (b.ended(143, broken("Canceled")), [("Failed", "X")], {}, "BuildLost"),
        (b.ended(2), [("Failed", "BackoffLimitExceeded")], {}, "BuildLost"),
        (None, [("Complete", "")], {"phase": "Succeeded"}, "BuildResultMissing"),
        (
            None,
            [("Failed", "PodFailurePolicy")],
            {"reason": "Evicted", "message": "ephemeral-storage exceeds"},
            "DiskFull",
        ),
    ],
)
async def test_how_a_build_is_broken_off(
    state: b.Raw | None, job: list[tuple[str, str]], status: b.Raw, reason: str
) -> None:
    row = await plan(b.build(), *running(*job), pod(state=state, status=status))

    assert row.status["result"] == "Failed"
    assert row.condition("Succeeded") == ("False", reason)
    assert row.status["failure"]["message"]


async def test_a_job_that_is_seen_to_end_before_its_pod_is_waited_for() -> None:
    row = await plan(b.build(), *running(("Complete", "")), pod(state=b.RUNNING))

    assert row.status["result"] == "Running"


@pytest.mark.parametrize("key", ["sources/uid-app-other/x", "sources/uid-app-hello/../other/x"])
async def test_the_source_of_another_app_is_never_signed(key: str) -> None:
    source = {"archive": {**b.archive()["archive"], "key": key}}
    row = await plan(b.build(source=source), b.app(), b.stack())

    assert row.writes == []
    assert (row.status["result"], row.condition()) == ("Failed", ("False", "SourceInvalid"))


async def test_a_lost_first_pod_is_not_the_end() -> None:
    row = await plan(b.build(), *running(), pod(state=b.ended(75, broken("StorageUnavailable"))))

    assert row.status["result"] == "Running"


async def test_a_result_that_was_cut_short_is_read_from_the_storage() -> None:
    storage = MemoryStorage()
    await storage.put(RESULT_KEY, OK.encode())
    row = await plan(b.build(), *running(), pod(state=b.ended(0, cut())), storage=storage)

    assert row.status["result"] == "Succeeded"
    assert row.status["slug"]["processTypes"][0]["name"] == "web"


async def test_a_cut_result_that_is_nowhere_fails_the_build() -> None:
    row = await plan(b.build(), *running(), pod(state=b.ended(0, cut())))

    assert row.condition("Succeeded") == ("False", "BuildResultMissing")


async def test_storage_down_is_waited_for() -> None:
    storage = MemoryStorage()
    storage.down = "connection refused"
    row = await plan(b.build(), *running(), pod(state=b.ended(0, cut())), storage=storage)

    assert row.condition() == ("Unknown", "StorageUnavailable")
    assert row.plan.requeue_after == 5.0


async def test_a_build_whose_job_is_gone_is_found_in_the_storage() -> None:
    storage = MemoryStorage()
    await storage.put(RESULT_KEY, OK.encode())
    build = b.build(status={"result": "Running", "startedAt": b.CREATED})
    row = await plan(build, b.app(), b.stack(), storage=storage)

    assert row.status["result"] == "Succeeded"
    assert row.status["startedAt"] == b.CREATED


async def test_a_build_whose_job_was_deleted_midway_is_run_again() -> None:
    build = b.build(status={"result": "Running", "startedAt": b.CREATED})
    row = await plan(build, b.app(), b.stack(), urls())

    assert row.writes == ["create Job b1"]


async def test_cancelling_deletes_the_job() -> None:
    row = await plan(b.build(cancel=True), *running(), pod(state=b.RUNNING))

    assert row.writes == ["delete Job b1"]
    assert row.status["result"] == "Canceled"
    assert row.condition("Succeeded") == ("False", "Canceled")


async def test_a_finished_build_stays_as_it_is_recorded() -> None:
    row = await plan(b.build(status=b.succeeded(), cancel=True), b.app(), b.stack())

    assert row.writes == []
    assert row.status["result"] == "Succeeded"
    assert row.status["slug"] == b.slug()


async def test_a_finished_build_learns_its_release() -> None:
    release = b.release(4, buildRef={"name": "b1"})
    row = await plan(b.build(status=b.succeeded()), b.app(), release)

    assert row.status["release"] == {"name": "hello-v4", "version": 4}


async def test_a_build_that_is_being_deleted_is_left_alone() -> None:
    row = await plan(b.build(metadata={"deletionTimestamp": b.CREATED}), b.app(), b.stack())

    assert (row.plan.writes, row.plan.status) == ((), None)


async def test_the_urls_outlive_both_attempts_of_the_job() -> None:
    row = await plan(b.build(), b.app(), b.stack(), now=datetime(2026, 1, 1, tzinfo=UTC))
    notes = row.body("create Secret b1-urls")["metadata"]["annotations"]

    assert notes["haikube.dev/expires-at"] == "2026-01-01T00:41:00Z"
