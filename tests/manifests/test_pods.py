"""Every pod the platform installs meets Pod Security "restricted" and a few rules of our own."""

from __future__ import annotations

import pytest

from manifests.built import OVERLAYS, Object, Pod, of_kind, one, pods

PODS = [
    pytest.param(pod, id=f"{overlay}:{pod.owner}") for overlay in OVERLAYS for pod in pods(overlay)
]
VOLUMES = {"configMap", "secret", "emptyDir", "projected", "downwardAPI", "persistentVolumeClaim"}
COLLECTOR = "DaemonSet/haikube-collector"
"""Reads files of the node that belong to root: alone in a namespace that allows it."""

TOKENLESS = {"haikube-storage", "haikube-log-store", "haikube-collector"}
every_pod = pytest.mark.parametrize("pod", PODS)


def containers(pod: Pod) -> list[Object]:
    return [*pod.spec["containers"], *pod.spec.get("initContainers", [])]


def test_the_platform_is_there() -> None:
    owners = {pod.owner for pod in pods("overlays/local")}

    assert owners == {
        "Deployment/haikube-api",
        "Deployment/haikube-errors",
        "Deployment/haikube-gateway",
        "Deployment/haikube-operator",
        "Deployment/haikube-storage",
        "Deployment/haikube-drains",
        "Deployment/haikube-log-store",
        "DaemonSet/haikube-collector",
    }


@every_pod
def test_a_pod_is_restricted(pod: Pod) -> None:
    security = pod.spec["securityContext"]

    reader = pod.owner == COLLECTOR
    assert security.get("runAsNonRoot", False) is not reader
    assert (security["runAsUser"] > 0) is not reader
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostPID", "hostIPC", "hostUsers"} & set(pod.spec)
    for volume in pod.spec.get("volumes", ()):
        allowed = VOLUMES | ({"hostPath"} if reader else set())
        assert set(volume) - {"name"} <= allowed, volume
    for container in containers(pod):
        own = container["securityContext"]
        assert own["allowPrivilegeEscalation"] is False
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert own["readOnlyRootFilesystem"] is True
        assert "privileged" not in own
        assert all("hostPort" not in port for port in container["ports"])


@every_pod
def test_only_the_local_gateway_uses_the_hosts_network(
    request: pytest.FixtureRequest, pod: Pod
) -> None:
    local = "overlays/local" in request.node.name

    assert pod.spec.get("hostNetwork", False) is (local and pod.namespace == "haikube-gateway")


@every_pod
def test_a_pod_gets_a_token_only_to_use_it(pod: Pod) -> None:
    needs_token = pod.labels["app.kubernetes.io/name"] not in TOKENLESS

    assert pod.spec["automountServiceAccountToken"] is needs_token
    assert ("serviceAccountName" in pod.spec) is needs_token
    assert pod.spec["enableServiceLinks"] is False


@every_pod
def test_a_pod_has_limits_and_probes(pod: Pod) -> None:
    for container in containers(pod):
        resources = container["resources"]
        assert set(resources["requests"]) == set(resources["limits"]) == {"cpu", "memory"}
        assert {"livenessProbe", "readinessProbe"} <= set(container)
        assert container["imagePullPolicy"] == "IfNotPresent"
        assert container["image"].startswith("haikube/"), "an installation names the image"
    for volume in pod.spec.get("volumes", ()):
        assert volume.get("emptyDir") is None or "sizeLimit" in volume["emptyDir"], volume


@every_pod
def test_storage_credentials_reach_the_platform_alone(pod: Pod) -> None:
    text = str(pod.spec)
    knows = "haikube-storage" in text and ("secretRef" in text or "secretKeyRef" in text)

    strangers = {"Deployment/haikube-errors", "Deployment/haikube-drains"}
    assert knows is (pod.namespace == "haikube-system" and pod.owner not in strangers)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_secret_is_shipped(overlay: str) -> None:
    assert of_kind(overlay, "Secret") == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_namespaces_enforce_what_their_pods_meet(overlay: str) -> None:
    levels = {
        each["metadata"]["name"]: each["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for each in of_kind(overlay, "Namespace")
    }

    gateway = "privileged" if overlay == "overlays/local" else "restricted"
    logs = {"haikube-logs": "privileged"} if overlay == "overlays/local" else {}
    assert levels == {"haikube-system": "restricted", "haikube-gateway": gateway, **logs}


def test_the_collector_reads_the_nodes_logs_and_writes_nothing_there() -> None:
    collector = one("overlays/local", "DaemonSet", "haikube-collector")["spec"]["template"]["spec"]
    paths = [each["hostPath"] for each in collector["volumes"] if "hostPath" in each]
    (mount,) = (
        each for each in collector["containers"][0]["volumeMounts"] if each["name"] == "pods"
    )

    assert paths == [{"path": "/var/log/pods", "type": "Directory"}]
    assert mount["readOnly"] is True


def test_two_operators_run_and_one_may_be_evicted() -> None:
    operator = one("overlays/production", "Deployment", "haikube-operator")
    budget = one("overlays/production", "PodDisruptionBudget", "haikube-operator")

    assert operator["spec"]["replicas"] == 2
    assert budget["spec"]["maxUnavailable"] == 1
    assert budget["spec"]["selector"] == operator["spec"]["selector"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_budget_can_block_a_drain(overlay: str) -> None:
    replicas = {
        each["metadata"]["name"]: each["spec"]["replicas"]
        for each in of_kind(overlay, "Deployment")
    }

    for budget in of_kind(overlay, "PodDisruptionBudget"):
        assert replicas[budget["metadata"]["name"]] > 1, budget["metadata"]["name"]


def test_an_empty_line_of_an_app_stays_empty_in_the_log_store() -> None:
    store = one("overlays/local", "Deployment", "haikube-log-store")
    (container,) = store["spec"]["template"]["spec"]["containers"]

    assert "-defaultMsgValue=" in container["args"], "it has a sentence of its own otherwise"
