"""The fences that depend on what a cluster has: networks of IPv6, and runtimes for strangers' code.

The local node has no IPv6 and its network enforces no policy: what is seen is that the real API
server takes the policies, and what they say.
"""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import sample_apps as apps
from terminal import Make, Person, eventually

pytestmark = pytest.mark.alone

NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "six"},
    "spec": {"podCIDRs": ["10.250.0.0/24", "2001:db8:7:1::/64"], "podCIDR": "10.250.0.0/24"},
}
ADDRESSES = [
    {"type": "InternalIP", "address": "10.251.0.9"},
    {"type": "InternalIP", "address": "2001:db8:9:0:ffff::9"},
]
RUNTIME = {
    "apiVersion": "node.k8s.io/v1",
    "kind": "RuntimeClass",
    "metadata": {"name": "fenced"},
    "handler": "runc",
}


UNDER_WAY = {"BuildStarting", "BuildRunning", "WaitingForTurn"}


@pytest.fixture
def team(person: Person) -> Iterator[str]:
    """Name a team; its namespace is deleted at the end."""
    name = f"six-{secrets.token_hex(3)}"
    yield name
    person.kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


@pytest.fixture
def _node_of_ipv6(person: Person) -> Iterator[None]:
    """Let the cluster have a second node, which speaks IPv6 and runs nothing."""
    tainted = {**NODE["spec"], "unschedulable": True}
    person.kubectl("create", "-f", "-", stdin=json.dumps({**NODE, "spec": tainted}))
    try:
        patch = json.dumps({"status": {"addresses": ADDRESSES}})
        person.kubectl("patch", "node", "six", "--subresource=status", "-p", patch)
        yield
    finally:
        person.kubectl("delete", "node", "six")


@pytest.mark.usefixtures("_node_of_ipv6")
def test_nodes_and_pods_of_ipv6_are_not_the_internet_of_a_team(person: Person, team: str) -> None:
    person.haikube("team", "create", team)

    said = person.kubectl("-n", team, "get", "networkpolicy", "-o", "json")
    policies = {each["metadata"]["name"]: each["spec"] for each in json.loads(said)["items"]}
    reached = blocks(policies["haikube-egress"]["egress"], "to")
    let_in = blocks(policies["haikube-dyno-ingress"]["ingress"], "from")

    assert reached["2000::/3"] == ["2001:db8:7::/56", "2001:db8:9::/56"]
    assert {"10.0.0.0/8", "169.254.0.0/16"} <= set(reached["0.0.0.0/0"])
    assert {"2001:db8:9:0:ffff::9/128", "10.251.0.9/32"} <= set(let_in), "the gateway's addresses"


def blocks(rules: list[dict[str, Any]], side: str) -> dict[str, list[str]]:
    """Return the networks of rules, each with what it is without."""
    peers = [peer for rule in rules for peer in rule.get(side, ())]
    found = [peer["ipBlock"] for peer in peers if "ipBlock" in peer]
    return {each["cidr"]: each.get("except", []) for each in found}


@contextmanager
def setting(person: Person, **values: str) -> Iterator[None]:
    """Give the operator settings as long as the context lasts."""
    words = ("-n", "haikube-system", "set", "env", "deployment/haikube-operator")
    wait = ("-n", "haikube-system", "rollout", "status", "deployment/haikube-operator")
    try:
        person.kubectl(*words, *(f"{name}={value}" for name, value in values.items()))
        person.kubectl(*wait)
        yield
    finally:
        person.kubectl(*words, *(f"{name}-" for name in values))
        person.kubectl(*wait)


def test_builds_and_dynos_run_in_the_runtime_class_that_is_set(
    workspace: Make, person: Person
) -> None:
    app = workspace("fenced")
    apps.plain(app.folder)
    app.commit()
    person.kubectl("apply", "-f", "-", stdin=json.dumps(RUNTIME))
    classes = {"HAIKUBE_BUILD_RUNTIME_CLASS": "fenced", "HAIKUBE_DYNO_RUNTIME_CLASS": "fenced"}
    try:
        with setting(person, **classes):
            app.push()
            eventually(lambda: app.fetch()[0] == 200, "the first answer")
            used = {runtime(pod) for pod in person.items("pods", app.app)}
            [job] = person.items("jobs", app.app)
            used.add(runtime(job["spec"]["template"]))
            person.kubectl("delete", "app", app.app)
    finally:
        person.kubectl("delete", "runtimeclass", "fenced", "--ignore-not-found")

    assert used == {"fenced"}


def runtime(pod: dict[str, Any]) -> str:
    return str(pod["spec"].get("runtimeClassName", ""))


def test_a_build_whose_node_has_no_users_to_lend_says_so(workspace: Make, person: Person) -> None:
    app = workspace("users")
    apps.plain(app.folder)
    app.commit()
    with setting(person, HAIKUBE_USER_NAMESPACES="on"):
        push = app.begin_push()
        [build] = person.items("builds", app.app)
        name = build["metadata"]["name"]
        told = eventually(lambda: fate(person, name), "what becomes of the build")
        said = heard(push, "HAIKUBE_USER_NAMESPACES is on")
        person.kubectl("patch", "build", name, "--type=merge", "-p", '{"spec":{"cancel":true}}')
        push.communicate(timeout=120)

    if lends_users(person):
        assert told == "BuildSucceeded", said
    else:
        assert told == "UserNamespacesMissing", said
        assert "HAIKUBE_USER_NAMESPACES is on" in said, "the push tells it"


def heard(push: subprocess.Popen[str], text: str) -> str:
    """Return what a push says, up to a text that tells why it waits."""
    assert push.stdout is not None
    said = ""
    for line in push.stdout:
        said += line
        if text in line:
            break
    return said


def fate(person: Person, build: str) -> str:
    """Return what keeps a build from starting, or that it has succeeded; until then nothing."""
    found = person.get("build", build) or {}
    conditions = found.get("status", {}).get("conditions", ())
    reasons = [each["reason"] for each in conditions if each["type"] == "Ready"]
    return next((each for each in reasons if each not in UNDER_WAY), "")


def lends_users(person: Person) -> bool:
    nodes = json.loads(person.kubectl("get", "nodes", "-o", "json"))["items"]
    handlers = [each for node in nodes for each in node["status"].get("runtimeHandlers") or ()]
    return any(each.get("features", {}).get("userNamespaces") for each in handlers)
