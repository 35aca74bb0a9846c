"""The children as users see them: golden files, and the rules that every pod keeps.

After a wanted change: ``HAIKUBE_GOLDEN=write pytest tests/render``, and read the difference.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import builders as b
from haikube.model.intents import Apply, Create
from stage import Row, plan

GOLDEN = Path(__file__).parent / "golden"
BASE = (b.app(domains=[{"hostname": "www.example.com"}]), b.stack(), b.release())
PHASED = b.release(result=None, types={"web": "x", "release": "python migrate.py"})
WHOLE = (b.app(), b.stack(), b.snapshot(), b.slug_url())

CASES: dict[str, tuple[tuple[b.Raw, ...], str]] = {
    "build-job": ((b.build(version="0123abcd"), b.app(), b.stack()), "create Job b1"),
    "build-urls": ((b.build(version="0123abcd"), b.app(), b.stack()), "create Secret b1-urls"),
    "web-deployment": ((b.formation(quantity=2), *BASE), "apply Deployment hello-web"),
    "worker-deployment": ((b.formation("worker"), *BASE), "apply Deployment hello-worker"),
    "disruption-budget": (
        (b.formation(quantity=2), *BASE),
        "apply PodDisruptionBudget hello-web",
    ),
    "service": ((b.formation(), *BASE), "apply Service hello-web"),
    "httproute": ((b.formation(), *BASE), "apply HTTPRoute hello-web"),
    "release-job": ((PHASED, *WHOLE), "create Job hello-v1-release"),
    "slug-url": ((PHASED, *WHOLE[:3]), "create Secret hello-v1-slug"),
    "one-off-pod": ((b.dyno(command=["bash"], attach=True), *BASE), "create Pod run-1"),
}
PODS = ("build-job", "web-deployment", "worker-deployment", "release-job", "one-off-pod")


async def rendered(case: str) -> Mapping[str, Any]:
    (obj, *others), words = CASES[case]
    row: Row = await plan(obj, *others)
    write = row.write(words)
    assert isinstance(write, Apply | Create)
    return write.body


@pytest.mark.parametrize("case", CASES)
async def test_children_are_as_recorded(case: str) -> None:
    path = GOLDEN / f"{case}.yaml"
    text = yaml.safe_dump(_plain(await rendered(case)), sort_keys=True, width=100)
    if os.environ.get("HAIKUBE_GOLDEN") == "write":
        path.write_text(text, "utf-8")

    assert text == path.read_text("utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("case", PODS)
async def test_pods_get_a_sandbox_and_users_of_their_own_where_the_cluster_has_them(
    case: str,
) -> None:
    (obj, *others), words = CASES[case]
    chosen = {
        "build_runtime_class": "kata",
        "dyno_runtime_class": "gvisor",
        "user_namespaces": "on",
    }
    plain = _pod_spec(await rendered(case))
    fenced = _pod_spec((await plan(obj, *others, **chosen)).write(words).body)

    assert not {"runtimeClassName", "hostUsers"} & set(plain)
    assert fenced["runtimeClassName"] == ("kata" if case == "build-job" else "gvisor")
    assert fenced["hostUsers"] is False


LENDS = {"name": "", "features": {"userNamespaces": True}}
LENDS_NOT = {"name": "", "features": {"userNamespaces": False}}


def node(name: str, *handlers: b.Raw, kernel: str = "6.12.4-generic") -> b.Raw:
    status = {"nodeInfo": {"kernelVersion": kernel}, "runtimeHandlers": [*handlers]}
    return {**b.node(name), "status": status}


@pytest.mark.parametrize("case", PODS)
@pytest.mark.parametrize(
    ("nodes", "changes", "apart"),
    [
        ((), {}, False),
        ((node("a", LENDS),), {}, True),
        ((node("a", LENDS), node("b", LENDS, {"name": "runsc"})), {}, True),
        ((node("a", LENDS), node("b", LENDS_NOT)), {}, False),
        ((node("a", LENDS), node("b")), {}, False),
        ((node("a", {**LENDS, "name": "runsc"}),), {}, False),
        ((node("a", LENDS, kernel="5.15.0-91"),), {}, False),
        ((node("a", LENDS, kernel=""),), {}, False),
        ((node("a", LENDS),), {"user_namespaces": "off"}, False),
        ((node("a", LENDS_NOT),), {"user_namespaces": "on"}, True),
        ((node("a", LENDS),), {"dyno_runtime_class": "g", "build_runtime_class": "g"}, False),
    ],
)
async def test_users_of_their_own_where_every_node_lends_them(
    case: str, nodes: tuple[b.Raw, ...], changes: dict[str, Any], *, apart: bool
) -> None:
    (obj, *others), words = CASES[case]
    made = await plan(obj, *others, *nodes, **changes)

    assert _pod_spec(made.write(words).body).get("hostUsers", True) is not apart


def _pod_spec(body: Mapping[str, Any]) -> Mapping[str, Any]:
    spec: Mapping[str, Any] = body["spec"]
    return spec["template"]["spec"] if "template" in spec else spec


@pytest.mark.parametrize("case", PODS)
async def test_every_pod_is_restricted(case: str) -> None:
    body = await rendered(case)
    spec = body["spec"] if case == "one-off-pod" else body["spec"]["template"]["spec"]
    security = spec["securityContext"]

    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] == security["fsGroup"] == 12345
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC", "serviceAccountName"}
    assert "initContainers" not in spec
    (container,) = spec["containers"]
    own = container["securityContext"]
    assert own["allowPrivilegeEscalation"] is False
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert "privileged" not in own
    assert container["resources"]["limits"].keys() >= {"cpu", "memory"}
    assert container["imagePullPolicy"] == "IfNotPresent"
    kinds = {key for volume in spec["volumes"] for key in volume if key != "name"}
    assert kinds <= {"secret", "emptyDir", "downwardAPI"}


@pytest.mark.parametrize("case", CASES)
async def test_no_child_holds_a_credential_of_the_storage(case: str) -> None:
    text = str(await rendered(case)).lower()

    assert "access_key" not in text
    assert "secret_key" not in text


@pytest.mark.parametrize("case", CASES)
async def test_every_child_is_labelled_and_owned_by_uid(case: str) -> None:
    metadata = (await rendered(case))["metadata"]
    (owner,) = metadata["ownerReferences"]

    assert metadata["labels"]["app.kubernetes.io/managed-by"] == "haikube"
    assert metadata["labels"]["haikube.dev/app-uid"] == "uid-app-hello"
    assert (owner["controller"], owner["blockOwnerDeletion"]) == (True, True)
    assert owner["uid"].startswith("uid-")
