"""Make a runtime from source: a Job beside the operator, its log, and what the Stack says after it.

The container that compiles has no credential; the one that stores has the operator's settings. It
must never change what a Stack says before the archive is stored.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from haikube.cli.made import NotMade, joined, rewrite
from haikube.cluster.errors import ApiError
from haikube.cluster.port import Cluster
from haikube.model import labels, names
from haikube.model.resources import CONFIG_MAPS, DEPLOYMENTS, JOBS, PODS, STACKS
from haikube.render.renderer import Renderer
from haikube.settings import PLATFORM

MADE_FROM_SOURCE = ("php", "ruby")
"""Languages whose makers give away nothing but source."""

_OPERATOR = "haikube-operator"
_MIRRORS = {"php": "BUILDPACK_PHP_MIRROR", "ruby": "BUILDPACK_RUBY_MIRROR"}
_RELEASE = re.compile(r"\d+[.]\d+[.]\d+", re.ASCII)
"""What a Stack can name; anything else would be refused there, after minutes of compiling."""

_GLANCE = 1.0

Show = Callable[[str], None]
Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One release of a language for a stack; ``mirror`` stands in for its makers' own place."""

    language: str
    version: str
    stack: str
    mirror: str = ""

    @property
    def name(self) -> str:
        """Return what it is called."""
        return names.runtime_name(self.language, self.version)


async def make(cluster: Cluster, wanted: Wanted, show: Show) -> Object:
    """Make it, show how that goes, and let the Stack name it; returns its entry there."""
    if not _RELEASE.fullmatch(wanted.version):
        raise NotMade(f"{wanted.version!r} is no release; write all of it, such as 3.4.7")
    stack = await cluster.get(STACKS, wanted.stack)
    operator = await cluster.get(DEPLOYMENTS, _OPERATOR, PLATFORM)
    settings = await _settings(cluster, operator)
    made = await cluster.create(JOBS, job(wanted, stack, operator, settings))
    entry = await _finished(cluster, made["metadata"]["name"], wanted, show)
    await rewrite(cluster, wanted.stack, lambda runtimes: joined(runtimes, entry))
    return entry


def job(wanted: Wanted, stack: Object, operator: Object, settings: Mapping[str, str]) -> Object:
    """Return the Job: the stack's build image, and the image and settings of the operator."""
    container = operator["spec"]["template"]["spec"]["containers"][0]
    variables = {
        **json.loads(settings.get("HAIKUBE_BUILD_ENV") or "{}"),
        **({_MIRRORS[wanted.language]: wanted.mirror} if wanted.mirror else {}),
        "HOME": "/app",
        "STACK": wanted.stack,
    }
    values = {
        "metadata": {
            "generateName": f"runtime-{wanted.name.replace('.', '-')}-",
            "namespace": PLATFORM,
            "labels": {labels.RUNTIME: wanted.name},
        },
        "build_image": stack["spec"]["buildImage"],
        "platform_image": container["image"],
        "pull_policy": container.get("imagePullPolicy", "IfNotPresent"),
        "make": ["/haikube/buildpacks/runtimes/make", wanted.language, wanted.version, "/work"],
        "keep": [
            *("python3", "-m", "haikube.operator", "keep-runtime"),
            *(wanted.stack, wanted.name, "/work/runtime.tar.zst"),
        ],
        "env": [{"name": name, "value": value} for name, value in sorted(variables.items())],
        "settings": container["envFrom"],
        "ca_bundle": settings.get("HAIKUBE_CA_BUNDLE_CONFIGMAP", ""),
    }
    return Renderer()("runtime-job", values)


async def _settings(cluster: Cluster, operator: Object) -> Mapping[str, str]:
    """Return the operator's settings but for its secrets."""
    found: dict[str, str] = {}
    for each in operator["spec"]["template"]["spec"]["containers"][0].get("envFrom", ()):
        if "configMapRef" in each:
            name = each["configMapRef"]["name"]
            found |= (await cluster.get(CONFIG_MAPS, name, PLATFORM)).get("data") or {}
    return found


async def _finished(cluster: Cluster, name: str, wanted: Wanted, show: Show) -> Object:
    """Follow the Job to its end; returns what it stored."""
    pod = await _pod(cluster, name, _begun)
    await _follow(cluster, pod["metadata"]["name"], show)
    pod = await _pod(cluster, name, _over)
    if pod["status"]["phase"] == "Failed":
        raise NotMade(
            f"{wanted.language} {wanted.version} was not made (see above). A mirror of its makers' "
            f"releases is named by --mirror URL. Look at the pod: "
            f"kubectl -n {PLATFORM} logs {pod['metadata']['name']} --all-containers"
        )
    stored = json.loads(pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"])
    return {"language": wanted.language, "version": wanted.version, "digest": stored["digest"]}


async def _pod(cluster: Cluster, job_name: str, fits: Callable[[Object], bool]) -> Object:
    """Return the pod of a Job as soon as it fits."""
    while True:
        found = await cluster.list(PODS, PLATFORM, labels=f"job-name={job_name}")
        for pod in found.items:
            if fits(pod):
                return pod
        await asyncio.sleep(_GLANCE)


def _over(pod: Object) -> bool:
    return _status(pod).get("phase") in {"Succeeded", "Failed"}


def _begun(pod: Object) -> bool:
    """Tell whether the container that compiles has begun, or never will."""
    states = _status(pod).get("initContainerStatuses") or [{"state": {"waiting": {}}}]
    return "waiting" not in states[0]["state"] or _over(pod)


def _status(pod: Object) -> Object:
    status: Object = pod.get("status") or {}
    return status


async def _follow(cluster: Cluster, pod: str, show: Show) -> None:
    """Show what the container that compiles prints, as far as it can be had."""
    try:
        async for chunk in cluster.pod_log(pod, PLATFORM, container="make", follow=True):
            show(chunk.decode(errors="replace"))
    except ApiError as error:
        show(f"The log cannot be shown ({error.message}); the work goes on.\n")
