"""Server-side apply and who owns which field, alike in memory and on a real API server."""

from __future__ import annotations

from typing import Any

import pytest

from contract.widgets import WIDGETS, Place
from haikube.cluster.errors import Conflict, Invalid
from haikube.cluster.port import Json
from haikube.engine.ownership import covers, owned_fields
from haikube.model.resources import CONFIG_MAPS, DEPLOYMENTS, HTTP_ROUTES, SERVICES, Resource


async def test_an_apply_makes_what_is_missing(place: Place) -> None:
    made = await place.cluster.apply(WIDGETS, place.widget(size=1), manager="us")

    assert made["spec"] == {"size": 1}
    assert made["metadata"]["generation"] == 1


async def test_applying_the_same_again_changes_nothing(place: Place) -> None:
    """A real server may move the version on the first repetition, so compare the next two."""
    await place.cluster.apply(WIDGETS, place.widget(size=1), manager="us")
    second = await place.cluster.apply(WIDGETS, place.widget(size=1), manager="us")
    third = await place.cluster.apply(WIDGETS, place.widget(size=1), manager="us")

    assert second["metadata"]["generation"] == 1
    assert second["metadata"]["resourceVersion"] == third["metadata"]["resourceVersion"]


async def test_a_field_that_is_left_out_goes_away(place: Place) -> None:
    await place.cluster.apply(WIDGETS, place.widget(size=1, color="red"), manager="us")

    applied = await place.cluster.apply(WIDGETS, place.widget(size=1), manager="us")

    assert applied["spec"] == {"size": 1}


async def test_a_field_of_another_stays(place: Place) -> None:
    await place.cluster.apply(WIDGETS, place.widget(size=1), manager="us")
    await place.cluster.apply(WIDGETS, place.widget(color="red"), manager="them")

    applied = await place.cluster.apply(WIDGETS, place.widget(size=2), manager="us")

    assert applied["spec"] == {"size": 2, "color": "red"}


async def test_a_field_of_two_goes_away_with_the_second(place: Place) -> None:
    await place.cluster.apply(WIDGETS, place.widget(size=1, color="red"), manager="us")
    await place.cluster.apply(WIDGETS, place.widget(color="red"), manager="them")

    kept = await place.cluster.apply(WIDGETS, place.widget(size=1), manager="us")
    gone = await place.cluster.apply(WIDGETS, place.widget(words=["a"]), manager="them")

    assert kept["spec"] == {"size": 1, "color": "red"}
    assert gone["spec"] == {"size": 1, "words": ["a"]}


async def test_another_value_for_a_field_of_another_needs_force(place: Place) -> None:
    await place.cluster.apply(WIDGETS, place.widget(size=1), manager="them")

    with pytest.raises(Conflict):
        await place.cluster.apply(WIDGETS, place.widget(size=2), manager="us", force=False)
    taken = await place.cluster.apply(WIDGETS, place.widget(size=2), manager="us")

    assert taken["spec"] == {"size": 2}
    assert not covers(owned_fields(taken, "them"), place.widget(size=1))
    assert covers(owned_fields(taken, "us"), place.widget(size=2))


async def test_two_managers_share_a_keyed_list(place: Place) -> None:
    ours = {"hostname": "a", "port": 1}
    await place.cluster.apply(WIDGETS, place.widget(domains=[ours]), manager="us")
    await place.cluster.apply(WIDGETS, place.widget(domains=[{"hostname": "b"}]), manager="them")

    changed = await place.cluster.apply(
        WIDGETS, place.widget(domains=[{"hostname": "a"}]), manager="us"
    )
    left = await place.cluster.apply(WIDGETS, place.widget(), manager="us")

    assert changed["spec"]["domains"] == [{"hostname": "a"}, {"hostname": "b"}]
    assert left["spec"]["domains"] == [{"hostname": "b"}]


async def test_an_atomic_list_is_owned_as_a_whole(place: Place) -> None:
    await place.cluster.apply(WIDGETS, place.widget(words=["a", "b"]), manager="us")

    applied = await place.cluster.apply(WIDGETS, place.widget(words=["c"]), manager="us")

    assert applied["spec"]["words"] == ["c"]


async def test_a_uid_guards_an_apply(place: Place) -> None:
    body = place.widget(size=1)
    body["metadata"]["uid"] = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"

    with pytest.raises(Conflict):
        await place.cluster.apply(WIDGETS, body, manager="us")
    await place.cluster.create(WIDGETS, place.widget(size=1))
    with pytest.raises(Invalid, match=r"metadata\.uid"):
        await place.cluster.apply(WIDGETS, body, manager="us")


async def test_a_status_is_applied_by_itself(place: Place) -> None:
    made = await place.cluster.create(WIDGETS, place.widget(size=1))
    ready = [{"type": "Ready", "status": "True"}]
    body = place.widget(size=7)
    body["metadata"]["uid"] = made["metadata"]["uid"]

    judged = await place.cluster.apply_status(
        WIDGETS, {**body, "status": {"note": "fine", "conditions": ready}}, manager="us"
    )
    again = await place.cluster.apply_status(
        WIDGETS, {**body, "status": {"conditions": ready}}, manager="us"
    )

    assert judged["spec"] == {"size": 1}
    assert again["status"] == {"observedGeneration": -1, "conditions": ready}


# What the engine's drift detection stands on: see haikube.engine.ownership.


def _deployment(place: Place) -> Json:
    container = {
        "name": "dyno",
        "image": "none.invalid/none",
        "args": ["python app.py"],
        "env": [{"name": "PORT", "value": "8080"}],
        "envFrom": [{"secretRef": {"name": "vars"}}],
        "ports": [{"name": "http", "containerPort": 8080}],
        "resources": {"limits": {"cpu": "1000m", "memory": "512Mi"}},
        "securityContext": {"capabilities": {"drop": ["ALL"]}, "privileged": False},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - in a pod
        "startupProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
    }
    pod = {
        "hostNetwork": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 30,
        "securityContext": {"runAsNonRoot": True, "fsGroup": 12345},
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
        "tolerations": [],
    }
    labels = {"app": "x"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "x", "namespace": place.namespace, "annotations": {"a/b": "c"}},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "strategy": {"rollingUpdate": {"maxSurge": "100%", "maxUnavailable": 0}},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def _service(place: Place) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "x", "namespace": place.namespace, "labels": {"a": "b"}},
        "spec": {
            "selector": {"app": "x"},
            "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}],
        },
    }


def _route(place: Place) -> Json:
    return {
        "apiVersion": HTTP_ROUTES.api_version,
        "kind": HTTP_ROUTES.kind,
        "metadata": {"name": "x", "namespace": place.namespace},
        "spec": {
            "parentRefs": [{"name": "none", "namespace": "default"}],
            "hostnames": ["x.example.com"],
            "rules": [{"backendRefs": [{"name": "x", "port": 80}]}],
        },
    }


def _config_map(place: Place) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "x", "namespace": place.namespace},
        "data": {"a": "b"},
    }


_CASES: list[Any] = [
    (DEPLOYMENTS, _deployment, {"spec": {"replicas": 0, "paused": True}}, True),
    (DEPLOYMENTS, _deployment, {"metadata": {"labels": {"their": "own"}}}, True),
    (DEPLOYMENTS, _deployment, {"spec": {"minReadySeconds": 1}}, True),
    (DEPLOYMENTS, _deployment, {"spec": {"strategy": {"rollingUpdate": {"maxSurge": 1}}}}, False),
    (DEPLOYMENTS, _deployment, {"metadata": {"annotations": {"a/b": "edited"}}}, False),
    (DEPLOYMENTS, _deployment, {"metadata": {"annotations": {"a/b": None}}}, False),
    (SERVICES, _service, {"spec": {"selector": {"app": "evil"}}}, False),
    (SERVICES, _service, {"metadata": {"labels": {"a": None}}}, False),
    (HTTP_ROUTES, _route, {"spec": {"hostnames": ["evil.example.com"]}}, False),
    (HTTP_ROUTES, _route, {"metadata": {"labels": {"their": "own"}}}, True),
    (CONFIG_MAPS, _config_map, {"data": {"a": "edited"}}, False),
    (CONFIG_MAPS, _config_map, {"data": {"theirs": "x"}}, True),
]


@pytest.mark.parametrize(("resource", "body", "edit", "still"), _CASES)
async def test_an_edit_of_our_fields_shows_in_what_we_own(
    place: Place, resource: Resource, body: Any, edit: Json, *, still: bool
) -> None:
    wanted = body(place)
    applied = await place.cluster.apply(resource, wanted, manager="us")

    edited = await place.cluster.patch(resource, "x", place.namespace, edit)

    assert covers(owned_fields(applied, "us"), wanted)
    assert covers(owned_fields(edited, "us"), wanted) is still


async def test_an_edit_inside_a_container_shows_in_what_we_own(place: Place) -> None:
    wanted = _deployment(place)
    applied = await place.cluster.apply(DEPLOYMENTS, wanted, manager="us")
    pod = applied["spec"]["template"]["spec"]
    pod["containers"][0]["image"] = "evil.invalid/evil"

    edited = await place.cluster.patch(
        DEPLOYMENTS, "x", place.namespace, {"spec": {"template": {"spec": pod}}}
    )
    repaired = await place.cluster.apply(DEPLOYMENTS, wanted, manager="us")

    assert not covers(owned_fields(edited, "us"), wanted)
    assert covers(owned_fields(repaired, "us"), wanted)
