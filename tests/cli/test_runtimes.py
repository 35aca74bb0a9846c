"""``haikube runtimes``: the table, and a Job that ends in an entry of the Stack."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from haikube.cli.made import NotMade, joined
from haikube.cli.making import Wanted, job, make
from haikube.cli.runtimes import known, table
from haikube.cluster.fake import Call, FakeCluster
from haikube.model.names import runtime_key
from haikube.model.resources import CONFIG_MAPS, DEPLOYMENTS, JOBS, PODS, STACKS
from haikube.settings import PLATFORM
from haikube.storage.memory import MemoryStorage
from haikube.storage.runtime import keep_runtime

DIGEST = "sha256:" + "a" * 64
WANTED = Wanted("ruby", "3.4.7", "debian-13", "http://mirror/ruby")
STACK: dict[str, Any] = {
    "apiVersion": STACKS.api_version,
    "kind": "Stack",
    "metadata": {"name": "debian-13"},
    "spec": {"runImage": "run:1", "buildImage": "build:1"},
}
OPERATOR: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "haikube-operator", "namespace": PLATFORM},
    "spec": {
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "operator",
                        "image": "platform:1",
                        "envFrom": [
                            {"configMapRef": {"name": "settings-x"}},
                            {"secretRef": {"name": "haikube-storage"}},
                        ],
                    }
                ]
            }
        }
    },
}
SETTINGS: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings-x", "namespace": PLATFORM},
    "data": {
        "HAIKUBE_BUILD_ENV": '{"https_proxy": "http://p"}',
        "HAIKUBE_CA_BUNDLE_CONFIGMAP": "ca",
    },
}


def test_the_container_that_compiles_has_no_credential() -> None:
    made = job(WANTED, STACK, OPERATOR, SETTINGS["data"])
    pod = made["spec"]["template"]["spec"]
    compiles, keeps = pod["initContainers"][0], pod["containers"][0]

    assert compiles["image"] == "build:1"
    assert compiles["command"][1:] == ["ruby", "3.4.7", "/work"]
    assert {each["name"]: each["value"] for each in compiles["env"]} == {
        "BUILDPACK_RUBY_MIRROR": "http://mirror/ruby",
        "HOME": "/app",
        "STACK": "debian-13",
        "https_proxy": "http://p",
    }
    assert "envFrom" not in compiles
    assert pod["automountServiceAccountToken"] is False
    assert keeps["image"] == "platform:1"
    assert keeps["command"][3:] == [
        *("keep-runtime", "debian-13", "ruby-3.4.7", "/work/runtime.tar.zst")
    ]
    assert {"secretRef": {"name": "haikube-storage"}} in keeps["envFrom"]
    assert pod["volumes"][-1]["configMap"]["name"] == "ca"


def test_an_entry_replaces_that_of_the_same_release() -> None:
    old = {"language": "ruby", "version": "3.4.7", "digest": "old"}
    other = {"language": "ruby", "version": "3.4.6", "digest": "other"}
    new = {"language": "ruby", "version": "3.4.7", "digest": "new"}

    assert joined([old, other], new) == [other, new]


async def cluster_of_a_platform(phase: str) -> FakeCluster:
    """Return a cluster whose Jobs get a pod that has ended."""
    cluster = FakeCluster()
    for resource, body in ((STACKS, STACK), (DEPLOYMENTS, OPERATOR), (CONFIG_MAPS, SETTINGS)):
        await cluster.create(resource, body)
    waiting: list[asyncio.Task[Any]] = []

    def run(call: Call) -> None:
        if call.verb == "list" and call.resource == PODS and not waiting:
            waiting.append(asyncio.ensure_future(_run_pod(cluster, phase)))

    cluster.fault = run
    return cluster


async def _run_pod(cluster: FakeCluster, phase: str) -> None:
    name = next(call.name for call in cluster.writes if call.resource == JOBS)
    ended = {"terminated": {"exitCode": 0, "message": json.dumps({"digest": DIGEST})}}
    cluster.logs[(PLATFORM, "maker")] = [b"-----> Compiling\n"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "maker", "namespace": PLATFORM, "labels": {"job-name": name}},
    }
    status = {
        "phase": phase,
        "initContainerStatuses": [{"state": {"terminated": {"exitCode": 0}}}],
        "containerStatuses": [{"state": ended}],
    }
    await cluster.create(PODS, pod)
    await cluster.patch(PODS, "maker", PLATFORM, {"status": status}, subresource="status")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("haikube.cli.making._GLANCE", 0.0)


async def test_the_stack_names_what_was_made() -> None:
    cluster = await cluster_of_a_platform("Succeeded")
    shown: list[str] = []

    await make(cluster, WANTED, shown.append)

    stack = await cluster.get(STACKS, "debian-13")
    entry = {"language": "ruby", "version": "3.4.7", "digest": DIGEST}
    assert stack["spec"]["runtimes"] == [entry]
    assert stack["spec"]["buildImage"] == "build:1"
    assert "".join(shown) == "-----> Compiling\n"


async def test_a_failure_leaves_the_stack_alone_and_names_the_pod() -> None:
    cluster = await cluster_of_a_platform("Failed")

    with pytest.raises(NotMade, match=r"ruby 3\.4\.7 was not made .* logs maker"):
        await make(cluster, WANTED, lambda _: None)

    assert "runtimes" not in (await cluster.get(STACKS, "debian-13"))["spec"]


@pytest.mark.parametrize(
    "version", ["3.4", "9.9.9x", "ruby-3.4.7", "latest", "../3.4.7", "3.5.0-preview1"]
)
async def test_what_is_no_release_is_refused_before_anything_runs(version: str) -> None:
    cluster = await cluster_of_a_platform("Succeeded")

    with pytest.raises(NotMade, match="is no release; write all of it"):
        await make(cluster, Wanted("ruby", version, "debian-13"), lambda _: None)

    assert not (await cluster.list(JOBS, PLATFORM)).items


async def test_an_archive_is_stored_by_its_digest(tmp_path: Path) -> None:
    storage, archive = MemoryStorage(), tmp_path / "runtime.tar.zst"
    archive.write_bytes(b"x" * 3_000_000)

    said = await keep_runtime(storage, "debian-13", "ruby-3.4.7", archive)

    key = runtime_key("debian-13", "ruby-3.4.7", str(said["digest"]))
    assert said["sizeBytes"] == 3_000_000
    assert await storage.get(key, limit=4_000_000) == archive.read_bytes()


def test_the_table_says_where_each_line_comes_from() -> None:
    lines = table(known())

    told = [" ".join(line.split()) for line in lines]
    assert "python 3.14 the distribution, suite sid mended until 2030-10" in told
    assert "python 3.12 python-build-standalone, by uv mended until 2028-10" in told
    assert "ruby 3.4 its source: haikube runtimes add mended until 2028-03" in told
