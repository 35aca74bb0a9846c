"""What the API server refuses although RBAC would let it through."""

from __future__ import annotations

from collections.abc import Iterator
from json import dumps
from typing import Any

import pytest

from crds.kubectl import Kubectl
from crds.objects import make
from haikube.api.kernel.linkkey import NAME
from manifests.test_server import ADA

pytestmark = pytest.mark.cluster

OPERATOR = "--as=system:serviceaccount:haikube-system:haikube-operator"
API = "--as=system:serviceaccount:haikube-system:haikube-api"
TRY = ("create", "--dry-run=server", "-f", "-")
MARK = {"haikube.dev/app": "hello"}


def secret(name: str = "made", **fields: Any) -> dict[str, Any]:
    labels = fields.pop("labels", MARK)
    metadata = {"name": name, "labels": labels, **fields.pop("metadata", {})}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", **fields}


def token_secret() -> dict[str, Any]:
    account = {"kubernetes.io/service-account.name": "default"}
    kind = "kubernetes.io/service-account-token"
    return secret(type=kind, metadata={"annotations": account})


def test_a_developer_makes_a_config_secret(team: Kubectl) -> None:
    team.ok(*TRY, *ADA, stdin=secret())


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (token_secret(), "Opaque only, not 'kubernetes.io/service-account-token'"),
        (secret(type="bootstrap.kubernetes.io/token"), "Opaque only"),
        (secret(labels={}), "needs the label haikube.dev/app"),
        (secret(labels={"haikube.dev/app": ""}), "needs the label haikube.dev/app"),
        (
            secret(labels={**MARK, "haikube.dev/component": "config-snapshot"}),
            "made by the operator alone",
        ),
    ],
)
def test_a_developer_makes_no_other_secret(
    team: Kubectl, made: dict[str, Any], reason: str
) -> None:
    assert reason in team.refusal(*TRY, *ADA, stdin=made)


def test_whoever_may_delete_secrets_is_not_asked(team: Kubectl) -> None:
    team.ok(*TRY, stdin=token_secret())


@pytest.fixture
def others(team: Kubectl) -> Iterator[None]:
    """Put Secrets beside an app that are not its config."""
    team.ok("create", "-f", "-", stdin=secret("plain", labels={}))
    slug = secret("slug", labels={**MARK, "haikube.dev/component": "slug-url"})
    team.ok("create", "-f", "-", stdin=slug)
    config = secret("config", labels={**MARK, "haikube.dev/component": "config"})
    team.ok("create", "-f", "-", stdin=config)
    yield
    team.ok("delete", "secret", "plain", "slug", "config")


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize("name", ["plain", "slug"])
def test_a_developer_changes_no_secret_but_config(team: Kubectl, name: str) -> None:
    words = ("patch", "secret", name, "--type=merge", "-p")
    relabel = '{"metadata":{"labels":{"haikube.dev/app":"hello","haikube.dev/component":null}}}'

    assert "only a Secret with config vars" in team.refusal(*words, relabel, *ADA)
    team.ok("patch", "secret", "config", "--type=merge", "-p", '{"data":{"A":"MQ=="}}', *ADA)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (make("Release", "hello-v1", version=1), "releases are made by the operator"),
        (make("Release", "hello-v2", version=2, rollbackOf=1), "releases are made by the operator"),
    ],
)
def test_a_developer_writes_no_entry_of_the_ledger(
    team: Kubectl, made: dict[str, Any], reason: str
) -> None:
    assert reason in team.refusal(*TRY, *ADA, stdin=made)
    team.ok(*TRY, stdin=made)


@pytest.mark.parametrize(
    "refused",
    [
        {"metadata": {"annotations": {"haikube.dev/commit": "f" * 40}}},
        {"metadata": {"labels": {"haikube.dev/app": "another"}}},
        {"metadata": {"annotations": None}},
    ],
)
def test_a_developer_may_only_ask_to_run_a_release_command_again_or_to_end_it(
    team: Kubectl, refused: dict[str, Any]
) -> None:
    team.ok("apply", "-f", "-", stdin=make("Release", "hello-v1", version=1))
    team.ok("annotate", "--overwrite", "release", "hello-v1", "haikube.dev/commit=abc")
    patch = ("patch", "release", "hello-v1", "--dry-run=server", "--type=merge", *ADA, "-p")
    for wish in ("haikube.dev/retry", "haikube.dev/stop"):
        team.ok(*patch, dumps({"metadata": {"annotations": {wish: "now"}}}))
    assert "set the annotation haikube.dev/retry" in team.refusal(*patch, dumps(refused))


def pod(**spec: Any) -> dict[str, Any]:
    container = {
        "name": "x",
        "image": "x",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    secure = {"runAsNonRoot": True, "runAsUser": 1, "seccompProfile": {"type": "RuntimeDefault"}}
    fields = {
        "automountServiceAccountToken": False,
        "containers": [container],
        "securityContext": secure,
        **spec,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "made"}, "spec": fields}


@pytest.mark.parametrize("made", [secret(), pod()], ids=["secret", "pod"])
@pytest.mark.parametrize("namespace", ["kube-system", "haikube-system"])
def test_the_operator_writes_only_where_a_team_is(
    team: Kubectl, made: dict[str, Any], namespace: str
) -> None:
    elsewhere = Kubectl(team.kubeconfig, namespace)

    team.ok(*TRY, OPERATOR, stdin=made)
    assert f"haikube team create {namespace}" in elsewhere.refusal(*TRY, OPERATOR, stdin=made)


def test_the_operator_deletes_nothing_elsewhere(team: Kubectl) -> None:
    elsewhere = Kubectl(team.kubeconfig, "haikube-system")
    words = ("delete", "service", "haikube-storage", "--dry-run=server", OPERATOR)

    assert "is no team of Haikube" in elsewhere.refusal(*words)


@pytest.mark.parametrize("made", [token_secret(), secret(labels={})], ids=["token", "unlabelled"])
def test_the_operator_makes_no_secret_but_an_apps(team: Kubectl, made: dict[str, Any]) -> None:
    assert "writes no Secret but those of an app" in team.refusal(*TRY, OPERATOR, stdin=made)


def test_the_api_makes_no_secret_but_the_key_of_its_links(team: Kubectl) -> None:
    here = Kubectl(team.kubeconfig, "haikube-system")
    unnamed = token_secret()
    unnamed["metadata"]["generateName"] = unnamed["metadata"].pop("name")
    others = [secret(), token_secret(), unnamed]

    for made in others:
        assert "makes no Secret but haikube-links" in here.refusal(*TRY, API, stdin=made)
    assert "already exists" in here.refusal(*TRY, API, stdin=secret(NAME))


@pytest.mark.usefixtures("others")
def test_the_operator_deletes_no_secret_but_an_apps(team: Kubectl) -> None:
    words = ("delete", "secret", "--dry-run=server", OPERATOR)

    assert "writes no Secret but those of an app" in team.refusal(*words, "plain")
    team.ok(*words, "slug")


@pytest.mark.usefixtures("others")
def test_the_operator_puts_labels_back_only_on_what_an_app_owns(team: Kubectl) -> None:
    made = team.json("create", "-f", "-", stdin=make("App", "owner"))
    owner = {key: made[key] for key in ("apiVersion", "kind")} | {
        "name": "owner",
        "uid": made["metadata"]["uid"],
        "controller": True,
    }
    owned = secret("owned", labels={}, metadata={"ownerReferences": [owner]})
    team.ok("create", "-f", "-", stdin=owned)
    words = ("haikube.dev/app=hello", "--dry-run=server", OPERATOR)

    assert "writes no Secret but those" in team.refusal("label", "secret", "plain", *words)
    team.ok("label", "secret", "owned", *words)
    team.ok("delete", "app", "owner")


@pytest.mark.parametrize(
    "spec",
    [
        {"automountServiceAccountToken": True},
        {"serviceAccountName": "developer"},
        {
            "volumes": [
                {
                    "name": "t",
                    "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]},
                }
            ]
        },
    ],
    ids=["token", "account", "projected token"],
)
def test_the_operator_starts_no_pod_with_a_token(team: Kubectl, spec: dict[str, Any]) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "developer"}}
    team.run("create", "-f", "-", stdin=account)

    assert "starts no pod with a token" in team.refusal(*TRY, OPERATOR, stdin=pod(**spec))


def route(*hostnames: str, gateway: str = "haikube") -> dict[str, Any]:
    parent = {"name": gateway, "namespace": "haikube-gateway"}
    spec: dict[str, Any] = {"parentRefs": [parent], "rules": [{"backendRefs": [_BACKEND]}]}
    if hostnames:
        spec["hostnames"] = list(hostnames)
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "rogue"},
        "spec": spec,
    }


_BACKEND = {"name": "rogue", "port": 80}


@pytest.mark.parametrize(
    ("hostnames", "reason"),
    [
        (("api.localhost",), "take in the api of Haikube at api.localhost"),
        (("a.example.com", "api.localhost"), "take in the api of Haikube"),
        (("*.localhost",), "take in the api of Haikube"),
        ((), "needs hostnames"),
    ],
)
def test_nobody_takes_the_requests_of_the_api(
    team: Kubectl, hostnames: tuple[str, ...], reason: str
) -> None:
    assert reason in team.refusal(*TRY, stdin=route(*hostnames))


@pytest.mark.parametrize(
    "made",
    [route("www.example.com"), route("*.example.com"), route(gateway="another")],
    ids=["host", "wildcard", "another gateway"],
)
def test_other_routes_are_let_through(team: Kubectl, made: dict[str, Any]) -> None:
    team.ok(*TRY, stdin=made)
