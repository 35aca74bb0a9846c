"""Raw objects as the API server returns them, with everything a test does not care about."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from haikube.model import labels
from haikube.model.names import formation_name, release_name, slug_secret_name

NAMESPACE = "team"
CREATED = "2026-01-01T00:00:00Z"
DIGEST = f"sha256:{'ab' * 32}"
TYPES = {"web": "python app.py", "worker": "python work.py"}

Raw = dict[str, Any]

_versions = itertools.count(10)


def meta(name: str, kind: str, **extra: Any) -> Raw:
    """Return metadata; the uid follows from kind and name."""
    return {
        "name": name,
        "namespace": NAMESPACE,
        "uid": f"uid-{kind}-{name}".lower(),
        "generation": 1,
        "resourceVersion": str(next(_versions)),
        "creationTimestamp": CREATED,
        **extra,
    }


def obj(api: str, kind: str, metadata: Raw, **rest: Any) -> Raw:
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def owned_by(kind: str, name: str) -> Raw:
    api = "batch/v1" if kind == "Job" else "haikube.dev/v1alpha1"
    uid = f"uid-{kind}-{name}".lower()
    owner = {"apiVersion": api, "kind": kind, "name": name, "uid": uid, "controller": True}
    return {"ownerReferences": [{**owner, "blockOwnerDeletion": True}]}


def app_labels(app: str) -> dict[str, str]:
    return {labels.APP: app, labels.APP_UID: f"uid-app-{app}"}


def _ours(of: str) -> Raw:
    """Return what every object of ours has that belongs to an app."""
    return {**owned_by("App", of), "labels": app_labels(of)}


def app(
    name: str = "hello", *, status: Raw | None = None, namespace: str = NAMESPACE, **spec: Any
) -> Raw:
    extra = {"namespace": namespace}
    if namespace != NAMESPACE:
        extra["uid"] = f"uid-app-{namespace}-{name}"
    extra |= spec.pop("metadata", {})
    return obj(
        "haikube.dev/v1alpha1", "App", meta(name, "App", **extra), spec=spec, status=status or {}
    )


def stack(name: str = "debian-13", **spec: Any) -> Raw:
    metadata = meta(name, "Stack")
    del metadata["namespace"]
    images = {"runImage": f"run/{name}:1", "buildImage": f"build/{name}:1"}
    return obj("haikube.dev/v1alpha1", "Stack", metadata, spec={**images, **spec})


def archive(uid: str = "uid-app-hello") -> Raw:
    return {"archive": {"key": f"sources/{uid}/b.tar.gz", "digest": DIGEST, "sizeBytes": 10}}


def build(
    name: str = "b1",
    *,
    of: str = "hello",
    status: Raw | None = None,
    metadata: Raw | None = None,
    **spec: Any,
) -> Raw:
    wanted = {"appRef": {"name": of}, "source": archive(), "stack": "debian-13", **spec}
    metadata = meta(name, "Build", **{**_ours(of), **(metadata or {})})
    return obj("haikube.dev/v1alpha1", "Build", metadata, spec=wanted, status=status or {})


def slug(
    types: Mapping[str, str] | None = None, size: int = 1000, key: str = "slugs/uid-app-hello/b"
) -> Raw:
    listed = [{"name": each, "command": line} for each, line in (types or TYPES).items()]
    return {"key": key, "digest": DIGEST, "sizeBytes": size, "processTypes": listed}


def succeeded(types: Mapping[str, str] | None = None, finished: str = CREATED) -> Raw:
    """Return the status of a build that made a slug."""
    return {
        "result": "Succeeded",
        "slug": slug(types),
        "stack": "debian-13",
        "language": "Python",
        "startedAt": CREATED,
        "finishedAt": finished,
        "conditions": [_condition("Succeeded", "True"), _condition("Ready", "True")],
    }


def failed(reason: str = "CompileFailed", message: str = "repair it") -> Raw:
    """Return the status of a build or release that failed."""
    conditions = [
        _condition("Succeeded", "False", reason, message),
        _condition("Ready", "False", reason, message),
        _condition("Stalled", "True", reason, message),
    ]
    failure = {"reason": reason, "message": message}
    return {"result": "Failed", "failure": failure, "conditions": conditions}


def _condition(kind: str, status: str, reason: str = "Done", message: str = "done") -> Raw:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": 1,
        "lastTransitionTime": CREATED,
    }


def ready_status(version: int = 1, quantity: int = 1, of: str = "hello") -> Raw:
    """Return the status of a formation whose dynos are all up."""
    return {
        "observedGeneration": 1,
        "readyReplicas": quantity,
        "replicas": quantity,
        "release": {"name": release_name(of, version), "version": version},
        "conditions": [_condition("Ready", "True", "DynosUp", "1/1 dynos run")],
    }


def release(
    version: int = 1,
    *,
    of: str = "hello",
    result: str | None = "Succeeded",
    types: Mapping[str, str] | None = None,
    size: int = 1000,
    metadata: Raw | None = None,
    status: Raw | None = None,
    **spec: Any,
) -> Raw:
    name = release_name(of, version)
    wanted = {
        "appRef": {"name": of},
        "version": version,
        "stack": "debian-13",
        "slug": slug(types, size),
        "configRef": {"name": name},
        "description": f"Deploy {version}",
        **spec,
    }
    done = {"result": result} if result else {}
    metadata = meta(name, "Release", **{**_ours(of), **(metadata or {})})
    made_at = {labels.CONFIG_VERSION: CONFIG_VERSION}
    metadata["annotations"] = {**made_at, **metadata.get("annotations", {})}
    return obj(
        "haikube.dev/v1alpha1", "Release", metadata, spec=wanted, status={**done, **(status or {})}
    )


def initial(of: str = "hello", **more: Any) -> Raw:
    """Return the release that an app has from its creation on."""
    found = release(1, of=of, description="Initial release", **more)
    del found["spec"]["slug"], found["spec"]["stack"]
    return found


def request(rollback_of: int, name: str = "hello-rollback-x", **spec: Any) -> Raw:
    """Return what a person asks a rollback with."""
    wanted = {"appRef": {"name": "hello"}, "rollbackOf": rollback_of, **spec}
    return obj("haikube.dev/v1alpha1", "Release", meta(name, "Release"), spec=wanted, status={})


def formation(
    process_type: str = "web",
    quantity: int = 1,
    *,
    of: str = "hello",
    status: Raw | None = None,
    **spec: Any,
) -> Raw:
    name = formation_name(of, process_type)
    wanted = {"appRef": {"name": of}, "processType": process_type, "quantity": quantity, **spec}
    metadata = meta(name, "Formation", **_ours(of))
    return obj("haikube.dev/v1alpha1", "Formation", metadata, spec=wanted, status=status or {})


def dyno(name: str = "run-1", *, of: str = "hello", status: Raw | None = None, **spec: Any) -> Raw:
    metadata = meta(name, "Dyno", **_ours(of))
    wanted = {"appRef": {"name": of}, **spec}
    return obj("haikube.dev/v1alpha1", "Dyno", metadata, spec=wanted, status=status or {})


def encoded(values: Mapping[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(text.encode()).decode() for key, text in values.items()}


def secret(
    name: str,
    values: Mapping[str, str] | None = None,
    *,
    of: str = "hello",
    component: str = "config",
    owner: tuple[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    created: str = CREATED,
) -> Raw:
    marks = {
        labels.MANAGED_BY: labels.MANAGED_BY_HAIKUBE,
        **app_labels(of),
        labels.COMPONENT: component,
    }
    extra = {
        "labels": marks,
        "annotations": dict(annotations or {}),
        "creationTimestamp": created,
        **owned_by(*(owner or ("App", of))),
    }
    metadata = meta(name, "Secret", **extra)
    return obj("v1", "Secret", metadata, data=encoded(values or {}), type="Opaque")


CONFIG_VERSION = "7"


def config(
    values: Mapping[str, str] | None = None, of: str = "hello", version: str = CONFIG_VERSION
) -> Raw:
    """Return the config Secret; releases are made at its first version unless they say so."""
    found = secret(f"{of}-config", values, of=of)
    found["metadata"]["resourceVersion"] = version
    return found


def snapshot(version: int = 1, values: Mapping[str, str] | None = None, **extra: Any) -> Raw:
    name = release_name("hello", version)
    owner = ("Release", name)
    return secret(name, values, component="config-snapshot", owner=owner, **extra)


def slug_url(version: int = 1, expires: str = "2026-01-08T00:00:00Z") -> Raw:
    name = release_name("hello", version)
    return secret(
        slug_secret_name(name),
        {"url": "http://s3/x", "digest": DIGEST},
        component="slug-url",
        owner=("Release", name),
        annotations={labels.EXPIRES_AT: expires},
    )


def job(name: str, owner: tuple[str, str], *conditions: tuple[str, str]) -> Raw:
    """Return a Job; ``conditions`` are pairs of a true type and its reason."""
    status = [{"type": kind, "status": "True", "reason": reason} for kind, reason in conditions]
    metadata = meta(name, "Job", labels=_managed(), **owned_by(*owner))
    return obj("batch/v1", "Job", metadata, spec={}, status={"conditions": status})


def _managed() -> dict[str, str]:
    return {labels.MANAGED_BY: labels.MANAGED_BY_HAIKUBE, **app_labels("hello")}


def ended(code: int = 0, message: str = "", reason: str = "", seconds: int = 40) -> Raw:
    """Return the state of a container that has ended."""
    finished = f"2026-01-01T00:{seconds // 60:02}:{seconds % 60:02}Z"
    known = {"exitCode": code, "message": message, "reason": reason or "Completed"}
    return {"terminated": {**known, "startedAt": CREATED, "finishedAt": finished}}


def waiting(reason: str, message: str = "") -> Raw:
    return {"waiting": {"reason": reason, "message": message}}


UNSCHEDULABLE: Raw = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/1 nodes",
}
RUNNING: Raw = {"running": {"startedAt": CREATED}}


def pod(
    name: str,
    *,
    owner: tuple[str, str] | None = None,
    marks: Mapping[str, str] | None = None,
    state: Raw | None = None,
    last: Raw | None = None,
    ready: bool = False,
    dyno: str = "",
    created: str = CREATED,
    deleting: bool = False,
    status: Raw | None = None,
    conditions: Iterable[Raw] = (),
) -> Raw:
    extra: Raw = {"labels": {**_managed(), **(marks or {})}, "creationTimestamp": created}
    if owner:
        extra |= owned_by(*owner)
    if dyno:
        extra["annotations"] = {labels.DYNO: dyno}
    if deleting:
        extra["deletionTimestamp"] = CREATED
    container = {"state": state or {}, "lastState": last or {}, "ready": ready, "restartCount": 0}
    phase = {"phase": "Running", "containerStatuses": [container], "conditions": [*conditions]}
    return obj("v1", "Pod", meta(name, "Pod", **extra), status={**phase, **(status or {})})


def dyno_marks(version: int = 1, process_type: str = "web", hash_: str = "aaa") -> dict[str, str]:
    return {
        labels.FORMATION: formation_name("hello", process_type),
        labels.RELEASE: release_name("hello", version),
        "pod-template-hash": hash_,
    }


def deployment(
    process_type: str = "web",
    version: int = 1,
    *,
    replicas: int = 1,
    ready: int | None = None,
    generation: int = 1,
    observed: int | None = None,
    conditions: Iterable[Raw] = (),
) -> Raw:
    name = formation_name("hello", process_type)
    marks = {**_managed(), labels.RELEASE: release_name("hello", version)}
    up = replicas if ready is None else ready
    status = {
        "observedGeneration": generation if observed is None else observed,
        "replicas": replicas,
        "updatedReplicas": replicas,
        "readyReplicas": up,
        "availableReplicas": up,
        "conditions": [*conditions],
    }
    extra = {"labels": marks, "generation": generation, **owned_by("Formation", name)}
    return obj("apps/v1", "Deployment", meta(name, "Deployment", **extra), status=status)


def route(*, admitted: bool | None = True, reason: str = "NotAllowed") -> Raw:
    conditions = (
        [{"type": "Accepted", "status": str(admitted), "reason": reason, "message": "says Traefik"}]
        if admitted is not None
        else []
    )
    extra = {"labels": _managed(), **owned_by("Formation", "hello-web")}
    return obj(
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        meta("hello-web", "HTTPRoute", **extra),
        spec={"hostnames": ["hello.localhost"]},
        status={"parents": [{"conditions": conditions}]},
    )


def budget(process_type: str = "web") -> Raw:
    name = formation_name("hello", process_type)
    extra = {"labels": _managed(), **owned_by("Formation", name)}
    return obj("policy/v1", "PodDisruptionBudget", meta(name, "PodDisruptionBudget", **extra))


def node(name: str, **spec: Any) -> Raw:
    return obj(
        "v1", "Node", {"name": name, "uid": f"uid-{name}", "resourceVersion": "1"}, spec=spec
    )


def service() -> Raw:
    extra = {"labels": _managed(), **owned_by("Formation", "hello-web")}
    return obj("v1", "Service", meta("hello-web", "Service", **extra), spec={})
