"""Builds: what is made for them, how they end, and what the status says."""

from __future__ import annotations

import json

import pytest

import builders as b
from haikube.cluster.fake import FakeCluster
from haikube.model.resources import CONFIG_MAPS, SECRETS
from haikube.model.times import format_time
from plan.buildpods import broken, pod, running, urls
from stage import NOW, plan


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
