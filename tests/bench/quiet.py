"""An idle platform writes nothing, and a restarted operator neither.

The evidence is the API server's: the resourceVersion of every object of 200 Apps, before and
after. A write that changes nothing would not show there, so the operator's own counter is read too.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterator
from typing import Any

import yaml

from terminal import Person, eventually

APPS = 200
IDLE_SECONDS = 600
SYSTEM = ("-n", "haikube-system")
KINDS = (
    "apps.haikube.dev,builds.haikube.dev,releases.haikube.dev,formations.haikube.dev,"
    "deployments,services,httproutes,secrets,jobs,pods"
)
_OPERATOR = "app.kubernetes.io/name=haikube-operator"


def run(person: Person, idle_seconds: int = IDLE_SECONDS) -> list[tuple[str, str, bool]]:
    """Return (name, what was seen, kept) for the idle and the restart benchmark."""
    namespace = f"bench-{secrets.token_hex(3)}"
    person.kubectl("create", "namespace", namespace)
    try:
        _populate(person, namespace)
        before = _settled(person, namespace)
        idle = _idle(person, namespace, before, idle_seconds)
        restart = _restart(person, namespace, _versions(person, namespace))
    finally:
        person.kubectl("delete", "namespace", namespace, "--wait=false")
    return [idle, restart]


def _idle(
    person: Person, namespace: str, before: dict[str, str], seconds: int
) -> tuple[str, str, bool]:
    writes = _writes(person)
    time.sleep(seconds)
    changed = _changed(before, _versions(person, namespace))
    made = _writes(person) - writes
    said = f"{made:.0f} writes, {len(changed)} of {len(before)} objects changed in {seconds} s"
    return (f"idle operator, {APPS} Apps: writes", said, not made and not changed)


def _restart(person: Person, namespace: str, before: dict[str, str]) -> tuple[str, str, bool]:
    person.kubectl(*SYSTEM, "delete", "pod", "-l", _OPERATOR, "--wait=true")
    eventually(lambda: _leader(person), "a new leader")
    time.sleep(30)
    changed = _changed(before, _versions(person, namespace))
    made = _writes(person)
    said = f"{made:.0f} writes, {len(changed)} of {len(before)} objects changed after the restart"
    return (f"operator restart, {APPS} unchanged Apps: writes", said, not made and not changed)


def _populate(person: Person, namespace: str) -> None:
    """Make Apps with a release whose web is scaled to 0: all children exist, no pod runs."""
    names = [f"quiet-{number:03d}" for number in range(APPS)]
    _create(person, [_own("App", namespace, name, name, {}) for name in names])
    text = person.kubectl("-n", namespace, "get", "apps.haikube.dev", "-o", "json")
    uids = {each["metadata"]["name"]: each["metadata"]["uid"] for each in json.loads(text)["items"]}
    _create(person, [body for name in names for body in _running(namespace, name, uids[name])])


def _create(person: Person, documents: list[dict[str, Any]]) -> None:
    person.kubectl("create", "-f", "-", stdin=yaml.safe_dump_all(documents))


def _own(
    kind: str, namespace: str, app: str, name: str, spec: dict[str, Any], uid: str = ""
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": namespace}
    metadata["labels"] = {"haikube.dev/app": app} | ({"haikube.dev/app-uid": uid} if uid else {})
    version = "haikube.dev/v1alpha1"
    if uid:
        owner = {"apiVersion": version, "kind": "App", "name": app, "uid": uid, "controller": True}
        metadata["ownerReferences"] = [owner | {"blockOwnerDeletion": True}]
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def _running(namespace: str, app: str, uid: str) -> Iterator[dict[str, Any]]:
    """Yield the rest of an app: a formation of nothing, and a release of a slug."""
    ref = {"appRef": {"name": app}}
    formation = {**ref, "processType": "web", "quantity": 0}
    yield _own("Formation", namespace, app, f"{app}-web", formation, uid)
    slug = {
        "key": f"slugs/{uid}/none.tar.zst",
        "digest": "sha256:" + "0" * 64,
        "sizeBytes": 1000,
        "processTypes": [{"name": "web", "command": "true"}],
    }
    release = {
        **ref,
        "version": 2,
        "stack": "debian-13",
        "slug": slug,
        "configRef": {"name": f"{app}-v2"},
        "description": "Benchmark",
    }
    yield _own("Release", namespace, app, f"{app}-v2", release, uid)


def _versions(person: Person, namespace: str) -> dict[str, str]:
    columns = "custom-columns=K:.kind,N:.metadata.name,V:.metadata.resourceVersion"
    text = person.kubectl("-n", namespace, "get", KINDS, "-o", columns, "--no-headers")
    rows = [line.split() for line in text.splitlines()]
    return {f"{row[0]}/{row[1]}": row[2] for row in rows if len(row) == 3}


def _settled(person: Person, namespace: str) -> dict[str, str]:
    """Return the versions once every App is Ready and nothing moved for 15 s."""
    everything = ("apps.haikube.dev", "--all", "--timeout=300s")
    person.kubectl("-n", namespace, "wait", "--for=condition=Ready", *everything)
    before: dict[str, str] = {}
    while before != (now := _versions(person, namespace)):
        before = now
        time.sleep(15)
    return before


def _changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def _leader(person: Person) -> str | None:
    for line in person.kubectl(*SYSTEM, "get", "pods", "-l", _OPERATOR, "-o", "name").split():
        if re.search(r"^haikube_leader 1", _metrics(person, line), re.MULTILINE):
            return line
    return None


def _metrics(person: Person, pod: str) -> str:
    name = pod.rsplit("/", 1)[-1]
    path = f"/api/v1/namespaces/haikube-system/pods/{name}:9090/proxy/metrics"
    return person.kubectl("get", "--raw", path, check=False)


def _writes(person: Person) -> float:
    """Return how many writes the leader counted, its own Lease aside."""
    pod = eventually(lambda: _leader(person), "a leader")
    found = re.findall(r"^haikube_writes_total\{[^}]*\} (\S+)", _metrics(person, pod), re.MULTILINE)
    return sum(float(value) for value in found)
