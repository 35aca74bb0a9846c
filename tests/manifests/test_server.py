"""A real API server takes the manifests, and its roles let people do what they should."""

from __future__ import annotations

import http.client
import secrets

import pytest

from crds.kubectl import Kubectl
from crds.objects import make
from manifests.built import MANIFESTS, OVERLAYS, Object, Pod, build, pods
from terminal import GATEWAY, eventually

pytestmark = pytest.mark.cluster

DRY = ("apply", "--server-side", "--force-conflicts", "--dry-run=server")
ADA = ("--as=ada", "--as-group=team-developers", "--as-group=system:authenticated")
VERA = ("--as=vera", "--as-group=team-viewers", "--as-group=system:authenticated")

ADA_MAY = [
    "create apps.haikube.dev",
    "delete apps.haikube.dev",
    "create builds.haikube.dev",
    "patch builds.haikube.dev",
    "create releases.haikube.dev",
    "patch formations.haikube.dev/scale",
    "create dynos.haikube.dev",
    "get pods/log",
    "delete pods",
    "get secrets/hello-config",
    "patch secrets/hello-config",
    "create secrets",
    "create pods/exec",
]
ADA_MAY_NOT = [
    "list secrets",
    "watch secrets",
    "delete secrets",
    "update releases.haikube.dev",
    "delete releases.haikube.dev",
    "patch apps.haikube.dev/status",
    "create pods",
    "create deployments.apps",
    "create httproutes.gateway.networking.k8s.io",
    "create stacks.haikube.dev",
    "create rolebindings.rbac.authorization.k8s.io",
]
VERA_MAY = ["get apps.haikube.dev", "watch builds.haikube.dev", "get pods/log"]
VERA_MAY_NOT = ["create apps.haikube.dev", "get secrets/hello-config", "delete pods"]


def may(team: Kubectl, person: tuple[str, ...], act: str, *scope: str) -> bool:
    verb, resource = act.split()
    resource, _, rest = resource.partition("/")
    if rest in {"log", "exec", "scale", "status"}:
        extra: tuple[str, ...] = (resource, f"--subresource={rest}")
    else:
        extra = (f"{resource}/{rest}",) if rest else (resource,)
    answer = team.run("auth", "can-i", verb, *extra, *person, *scope).stdout.strip()
    assert answer in {"yes", "no"}, answer
    return answer == "yes"


def renamed(obj: Object) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "name": f"dry-{obj['metadata']['name']}"}}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_server_takes_an_overlay_without_a_warning(team: Kubectl, overlay: str) -> None:
    """Under other names, so that nothing is merged with what the cluster runs."""
    items = [renamed(each) for each in build(overlay) if each["kind"] != "Namespace"]
    bundle = {"apiVersion": "v1", "kind": "List", "items": items}
    done = Kubectl(team.kubeconfig, "").run(*DRY, "-f", "-", stdin=bundle)

    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr


@pytest.mark.parametrize("pod", list(pods("overlays/production")), ids=lambda each: each.owner)
def test_the_server_finds_a_pod_restricted(team: Kubectl, pod: Pod) -> None:
    spec = {key: value for key, value in pod.spec.items() if key != "serviceAccountName"}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "tried"}, "spec": spec}

    team.ok("create", "--dry-run=server", "-f", "-", stdin=body)


@pytest.mark.parametrize("sample", ["git", "blob"])
def test_the_server_takes_a_sample(team: Kubectl, sample: str) -> None:
    team.ok(*DRY, "-k", str(MANIFESTS / "samples" / sample))


@pytest.mark.parametrize("act", ADA_MAY)
def test_a_developer_may(team: Kubectl, act: str) -> None:
    assert may(team, ADA, act)


@pytest.mark.parametrize("act", ADA_MAY_NOT)
def test_a_developer_may_not(team: Kubectl, act: str) -> None:
    assert not may(team, ADA, act)


@pytest.mark.parametrize("act", ADA_MAY)
def test_a_developer_may_do_nothing_elsewhere(team: Kubectl, act: str) -> None:
    assert not may(team, ADA, act, "-n", "kube-system")


@pytest.mark.parametrize("act", VERA_MAY)
def test_a_viewer_may(team: Kubectl, act: str) -> None:
    assert may(team, VERA, act)


@pytest.mark.parametrize("act", VERA_MAY_NOT)
def test_a_viewer_may_not(team: Kubectl, act: str) -> None:
    assert not may(team, VERA, act)


@pytest.mark.parametrize("act", ["get stacks.haikube.dev", "list stacks.haikube.dev"])
def test_everyone_may_look_at_stacks(team: Kubectl, act: str) -> None:
    assert may(team, ("--as=eve", "--as-group=system:authenticated"), act)


def test_a_developer_deploys_and_scales_with_kubectl(team: Kubectl) -> None:
    team.ok("create", "-f", "-", *ADA, stdin=make("App", "by-ada"))
    formation = make("Formation", "by-ada-job", appRef={"name": "by-ada"}, processType="job")
    team.ok("create", "-f", "-", *ADA, stdin=formation)

    team.ok("scale", "formation/by-ada-job", "--replicas=0", *ADA)

    assert team.json("get", "formation", "by-ada-job", *ADA)["spec"]["quantity"] == 0
    team.ok("delete", "app/by-ada", "--wait=false", *ADA)


@pytest.mark.parametrize(
    ("path", "status"), [("/healthz", 200), ("/metrics", 404), ("/readyz", 404)]
)
def test_the_gateway_shows_of_the_api_what_it_should(path: str, status: int) -> None:
    connection = http.client.HTTPConnection(*GATEWAY, timeout=60)
    connection.request("GET", path, headers={"Host": "api.localhost"})

    assert connection.getresponse().status == status
    connection.close()


def test_a_path_of_the_api_is_in_no_log_of_the_gateway(team: Kubectl) -> None:
    here = Kubectl(team.kubeconfig, "haikube-gateway")
    words = {host: secrets.token_hex(8) for host in ("api.localhost", "nobody.localhost")}
    for host, word in words.items():
        connection = http.client.HTTPConnection(*GATEWAY, timeout=60)
        connection.request("GET", f"/{word}", headers={"Host": host})
        connection.getresponse().read()
        connection.close()

    def log() -> str:
        return here.ok("logs", "deployment/haikube-gateway", "--tail=200")

    eventually(lambda: words["nobody.localhost"] in log(), "the request of nobody's app")
    assert words["api.localhost"] not in log()


@pytest.mark.parametrize("kind", ["secrets", "configmaps"])
def test_the_gateway_may_not_read_what_others_keep(team: Kubectl, kind: str) -> None:
    gateway = ("--as=system:serviceaccount:haikube-gateway:haikube-gateway",)

    assert not may(team, gateway, f"list {kind}")
    assert may(team, gateway, f"list {kind}", "-n", "haikube-gateway")


def test_the_namespace_of_a_team_refuses_a_pod_that_is_not_restricted(team: Kubectl) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "root"},
        "spec": {"containers": [{"name": "root", "image": "example/root"}]},
    }

    assert 'violates PodSecurity "restricted:latest"' in team.refusal(
        "create", "--dry-run=server", "-f", "-", stdin=pod
    )
