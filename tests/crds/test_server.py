"""What the API server does with our kinds: defaults, scale, selectors, explain, apply."""

from __future__ import annotations

import json

import pytest

from crds import schema
from crds.kubectl import Kubectl
from crds.objects import make
from haikube.model.resources import OWN_KINDS, Resource

pytestmark = pytest.mark.cluster


def test_the_server_accepts_every_crd_whole(kubectl: Kubectl) -> None:
    for name in schema.names():
        crd = kubectl.json("get", "crd", f"{name}.haikube.dev")
        conditions = {each["type"]: each["status"] for each in crd["status"]["conditions"]}

        assert conditions["Established"] == conditions["NamesAccepted"] == "True", name
        assert conditions.get("NonStructuralSchema", "False") == "False", name


def test_defaults_are_the_servers(kubectl: Kubectl) -> None:
    dry = ("create", "--dry-run=server", "-f", "-")

    app = kubectl.json(*dry, stdin=make("App", source={"git": {"url": "https://a.example/x"}}))
    formation = kubectl.json(*dry, stdin=make("Formation", quantity=None))
    dyno = kubectl.json(*dry, stdin=make("Dyno"))

    assert app["spec"]["maintenance"] == "Disabled"
    assert app["spec"]["source"]["git"]["ref"] == "main"
    assert app["status"] == {"observedGeneration": -1}
    assert formation["spec"] == make("Formation", quantity=None)["spec"]
    assert dyno["spec"]["ttlSeconds"] == 3600
    assert dyno["spec"]["attach"] is False


def test_a_formation_scales_with_kubectl_alone(kubectl: Kubectl) -> None:
    kubectl.ok("create", "-f", "-", stdin=make("Formation", "hello-scaled"))

    kubectl.ok("scale", "formation/hello-scaled", "--replicas=3")
    scaled = kubectl.json("get", "formation", "hello-scaled")
    path = f"/apis/haikube.dev/v1alpha1/namespaces/{kubectl.namespace}/formations"
    scale = json.loads(kubectl.ok("get", "--raw", f"{path}/hello-scaled/scale"))

    assert scaled["spec"]["quantity"] == 3
    assert scale["spec"]["replicas"] == 3


def test_a_scale_outlives_an_apply_that_leaves_quantity_out(kubectl: Kubectl) -> None:
    applied = make("Formation", "hello-applied", quantity=None)
    apply = ("apply", "--server-side", "--field-manager=gitops", "-f", "-")
    kubectl.ok(*apply, stdin=applied)
    kubectl.ok("scale", "formation/hello-applied", "--replicas=4")

    kubectl.ok(*apply, stdin=applied)

    assert kubectl.json("get", "formation", "hello-applied")["spec"]["quantity"] == 4


@pytest.mark.parametrize(
    ("plural", "bodies", "selector", "wanted"),
    [
        (
            "builds",
            [make("Build", "sel-1"), make("Build", "sel-2", appRef={"name": "other"})],
            "spec.appRef.name=other",
            ["sel-2"],
        ),
        (
            "releases",
            [make("Release", "sel-v1", appRef={"name": "sel"}), make("Release")],
            "spec.appRef.name=sel",
            ["sel-v1"],
        ),
        (
            "formations",
            [make("Formation", "hello-sel", processType="sel"), make("Formation")],
            "spec.processType=sel,spec.appRef.name=hello",
            ["hello-sel"],
        ),
        (
            "dynos",
            [make("Dyno", "sel-1", appRef={"name": "sel"}), make("Dyno")],
            "spec.appRef.name=sel",
            ["sel-1"],
        ),
    ],
)
def test_lists_select_by_field(
    kubectl: Kubectl, plural: str, bodies: list[object], selector: str, wanted: list[str]
) -> None:
    for body in bodies:
        kubectl.ok("create", "-f", "-", stdin=body)

    found = kubectl.json("get", plural, "--field-selector", selector)["items"]

    assert [each["metadata"]["name"] for each in found] == wanted


@pytest.mark.parametrize("resource", OWN_KINDS, ids=lambda each: each.kind)
def test_every_field_is_explained(kubectl: Kubectl, resource: Resource) -> None:
    explained = kubectl.ok("explain", "--recursive", f"{resource.plural}.haikube.dev")
    spec = kubectl.ok("explain", f"{resource.plural}.spec", "--api-version=haikube.dev/v1alpha1")

    assert "<no description>" not in spec
    for name in schema.child(schema.root(schema.load(resource.plural)), "spec")["properties"]:
        assert f" {name}\t" in explained, name
        assert f" {name}\t" in spec, name


def test_a_status_keeps_what_the_schema_knows_and_no_more(kubectl: Kubectl) -> None:
    kubectl.ok("create", "-f", "-", stdin=make("Build", "status-test", appRef={"name": "nobody"}))
    status = {
        "observedGeneration": 1,
        "result": "Failed",
        "failure": {"reason": "CompileFailed", "message": "pip failed; see the log"},
        "surprise": "gone",
        "conditions": [
            {
                "type": "Succeeded",
                "status": "False",
                "reason": "CompileFailed",
                "message": "pip failed; see the log",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }
        ],
    }
    patch = ("patch", "build", "status-test", "--subresource=status", "--type=merge")

    kubectl.ok(*patch, "-p", json.dumps({"status": status}))
    stored = kubectl.json("get", "builds", "--field-selector", "status.result=Failed")

    ours = [each for each in stored["items"] if each["metadata"]["name"] == "status-test"]
    assert ours[0]["status"]["failure"]["reason"] == "CompileFailed"
    assert "surprise" not in ours[0]["status"]


def test_a_result_that_is_no_result_is_refused(kubectl: Kubectl) -> None:
    kubectl.ok("create", "-f", "-", stdin=make("Build", "bad-status"))

    patch = ("patch", "build", "bad-status", "--subresource=status", "--type=merge")
    message = kubectl.refusal(*patch, "-p", '{"status":{"result":"Exploded"}}')

    assert 'supported values: "Pending", "Running", "Succeeded", "Failed", "Canceled"' in message


def test_the_category_lists_our_kinds_and_all_does_not(kubectl: Kubectl) -> None:
    kubectl.ok("create", "-f", "-", stdin=make("App", "listed"))

    assert "haikube.dev" not in kubectl.ok("get", "all", "-o", "name")
    assert "app.haikube.dev/listed" in kubectl.ok("get", "haikube", "-o", "name")


def test_the_first_screen_of_an_app(kubectl: Kubectl) -> None:
    kubectl.ok("create", "-f", "-", stdin=make("App", "screen"))

    header = kubectl.ok("get", "hkapp", "screen").splitlines()[0].split()

    assert header == ["NAME", "READY", "RELEASE", "WEB", "URL", "AGE"]
