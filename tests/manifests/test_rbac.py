"""Rights are named one by one: no wildcard, no way to more rights, nothing a part does not use."""

from __future__ import annotations

import pytest

from haikube.api.kernel.linkkey import NAME
from haikube.model.resources import (
    APPS,
    BUDGETS,
    BUILDS,
    CHILD_KINDS,
    DEPLOYMENTS,
    DYNOS,
    FORMATIONS,
    GROUP,
    HTTP_ROUTES,
    JOBS,
    OWN_KINDS,
    PODS,
    RELEASES,
    SECRETS,
    SERVICES,
    STACKS,
    Resource,
)
from manifests.built import OVERLAYS, Object, of_kind, one

LOCAL = "overlays/local"
WRITES = {"create", "update", "patch", "delete", "deletecollection"}
FORBIDDEN_VERBS = {"escalate", "bind", "impersonate", "deletecollection"}
INTO_DYNOS = {"pods/exec", "pods/attach"}
FORBIDDEN_RESOURCES = {
    *INTO_DYNOS,
    "pods/portforward",
    "serviceaccounts/token",
    "nodes",
    "nodes/proxy",
    "roles",
    "rolebindings",
    "clusterroles",
    "clusterrolebindings",
}

ALLOWED = {
    # It reads which of them are being left.
    "haikube-operator": {"nodes"},
    # `heroku run` acts with the caller's own rights.
    "haikube-developer": INTO_DYNOS,
    # The API server lets nobody give away more than they have.
    "haikube-admin": {"rolebindings", "serviceaccounts/token"},
    # It says who is of a team.
    "haikube-api": {"rolebindings"},
}


def roles(overlay: str = LOCAL) -> list[Object]:
    return of_kind(overlay, "ClusterRole", "Role")


def verbs(role: Object, group: str, resource: str) -> set[str]:
    """Return what a role allows on a resource."""
    return {
        verb
        for rule in role["rules"]
        if group in rule["apiGroups"] and resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_role_has_a_wildcard_or_a_way_to_more(overlay: str) -> None:
    for role in roles(overlay):
        allowed = ALLOWED.get(role["metadata"]["name"], set())
        for rule in role["rules"]:
            named = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            assert not any("*" in each for each in named), (role["metadata"]["name"], rule)
            assert not FORBIDDEN_VERBS & set(rule["verbs"]), (role["metadata"]["name"], rule)
            found = FORBIDDEN_RESOURCES & set(rule["resources"])
            assert found <= allowed, role["metadata"]["name"]


def test_every_binding_names_a_role_of_ours() -> None:
    known = {(each["kind"], each["metadata"]["name"]) for each in roles()}

    for binding in of_kind(LOCAL, "ClusterRoleBinding", "RoleBinding"):
        ref = binding["roleRef"]
        assert (ref["kind"], ref["name"]) in known


def test_every_service_account_is_used() -> None:
    accounts = {each["metadata"]["name"] for each in of_kind(LOCAL, "ServiceAccount")}
    users = {
        each["spec"]["template"]["spec"].get("serviceAccountName")
        for each in of_kind(LOCAL, "Deployment")
    }

    assert accounts == users - {None}


READS = {"get", "list", "watch"}
OPERATOR_WRITES = {
    APPS: set(),
    STACKS: set(),
    DYNOS: {"patch", "delete"},
    BUILDS: {"create", "patch", "delete"},
    RELEASES: {"create", "patch", "delete"},
    FORMATIONS: {"create", "patch", "delete"},
    DEPLOYMENTS: {"create", "patch", "delete"},
    BUDGETS: {"create", "patch", "delete"},
    SERVICES: {"create", "patch", "delete"},
    HTTP_ROUTES: {"create", "patch", "delete"},
    SECRETS: {"create", "patch", "delete"},
    JOBS: {"create", "patch", "delete"},
    PODS: {"create", "patch", "delete"},
}


@pytest.mark.parametrize("kind", OPERATOR_WRITES, ids=lambda each: each.plural)
def test_the_operator_may_do_what_its_plans_ask_and_no_more(kind: Resource) -> None:
    role = one(LOCAL, "ClusterRole", "haikube-operator")

    assert verbs(role, kind.group, kind.plural) == READS | OPERATOR_WRITES[kind]
    if kind in OWN_KINDS:
        assert "patch" in verbs(role, GROUP, f"{kind.plural}/status")


def test_the_operator_looks_at_nodes_and_changes_none() -> None:
    assert verbs(one(LOCAL, "ClusterRole", "haikube-operator"), "", "nodes") == READS


def test_no_kind_is_forgotten() -> None:
    assert {*OWN_KINDS, *CHILD_KINDS} == set(OPERATOR_WRITES)


def test_the_api_writes_nothing_on_its_own_account_and_reads_no_secret_but_its_own() -> None:
    role = one(LOCAL, "ClusterRole", "haikube-api")
    own = one(LOCAL, "Role", "haikube-api-links")

    for rule in role["rules"]:
        if rule["resources"] != ["tokenreviews"]:
            assert not WRITES & set(rule["verbs"]), rule
        assert "secrets" not in rule["resources"]
    assert own["metadata"]["namespace"] == "haikube-system"
    assert verbs(own, "", "secrets") == {"create", "get"}
    for rule in own["rules"]:
        assert rule.get("resourceNames") == ([NAME] if "get" in rule["verbs"] else None)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_gateway_reads_secrets_of_its_own_namespace_alone(overlay: str) -> None:
    everywhere = one(overlay, "ClusterRole", "haikube-gateway")
    at_home = one(overlay, "Role", "haikube-gateway")

    assert not verbs(everywhere, "", "secrets") | verbs(everywhere, "", "configmaps")
    assert at_home["metadata"]["namespace"] == "haikube-gateway"
    assert verbs(at_home, "", "secrets") == {"get", "list", "watch"}


def test_a_developer_cannot_list_secrets_or_edit_the_ledger() -> None:
    role = one(LOCAL, "ClusterRole", "haikube-developer")

    assert verbs(role, "", "secrets") == {"get", "create", "patch"}
    assert not {"update", "delete"} & verbs(role, GROUP, "releases")
    assert {"create", "update", "patch", "delete"} <= verbs(role, GROUP, "apps")
    assert not verbs(role, GROUP, "stacks")


def test_a_viewer_only_looks() -> None:
    role = one(LOCAL, "ClusterRole", "haikube-viewer")

    for rule in role["rules"]:
        assert set(rule["verbs"]) <= {"get", "list", "watch"}
        assert "secrets" not in rule["resources"]


def test_roles_of_people_flow_into_the_clusters_own() -> None:
    def flows(name: str) -> set[str]:
        marks = one(LOCAL, "ClusterRole", name)["metadata"]["labels"]
        prefix = "rbac.authorization.k8s.io/aggregate-to-"
        return {key.removeprefix(prefix) for key in marks if key.startswith(prefix)}

    assert flows("haikube-developer") == {"admin", "edit"}
    assert flows("haikube-viewer") == {"view"}


def test_the_drains_process_changes_nothing_but_its_own_checkpoints() -> None:
    assert not WRITES & {
        verb
        for rule in one(LOCAL, "ClusterRole", "haikube-drains")["rules"]
        for verb in rule["verbs"]
    }
    assert one(LOCAL, "Role", "haikube-drains")["rules"] == [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create", "patch"]}
    ]
