"""The state behind ``FakeCluster``: objects, their owners by field, versions and deletion."""

from __future__ import annotations

import base64
import copy
import itertools
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from haikube.cluster.apply import Owners, Written, managed_fields
from haikube.cluster.errors import Invalid, NotFound
from haikube.cluster.fields import complete
from haikube.cluster.history import History, Record
from haikube.cluster.port import Json
from haikube.model.resources import SECRETS, Resource

Name = tuple[str, str]
"""Namespace (empty for cluster-scoped kinds) and name."""

Default = Callable[[Json], Json]
Check = Callable[[Json | None, Json], str | None]

_SERVER_METADATA = ("uid", "creationTimestamp", "deletionTimestamp", "generation")
_NO_SPEC = frozenset({"apiVersion", "kind", "metadata", "status"})


def identity(resource: Resource, namespace: str, name: str) -> Json:
    """Return the least an object is."""
    metadata = {"name": name}
    if resource.namespaced:
        metadata["namespace"] = namespace
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata}


class Objects:
    """All objects by kind and name."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.history = History()
        self.version = 1
        self.defaults: dict[Resource, Default] = {SECRETS: _with_encoded_data}
        self.checks: dict[Resource, Check] = {}
        self._now = now
        self._objects: dict[Resource, dict[Name, Json]] = {}
        self._owners: dict[str, Owners] = {}
        self._serials = itertools.count(1)

    def next_serial(self) -> int:
        """Return a number not used before, for uids and generated names."""
        return next(self._serials)

    def of(self, resource: Resource) -> dict[Name, Json]:
        """Return the objects of one kind."""
        return self._objects.setdefault(resource, {})

    def existing(self, resource: Resource, namespace: str, name: str) -> Json:
        """Return one object or raise ``NotFound``."""
        found = self.of(resource).get((namespace, name))
        if found is None:
            raise NotFound(404, "NotFound", f'{resource.plural} "{name}" not found')
        return found

    def owners(self, obj: Json) -> Owners:
        """Return who owns which fields of an object."""
        return self._owners.get(obj["metadata"].get("uid", ""), {})

    def save(self, resource: Resource, live: Json | None, written: Written) -> Json:
        """Store what was written, if it differs; returns a copy of what is stored."""
        new = self._completed(resource, live, written.obj)
        message = self.checks[resource](live, new) if resource in self.checks else None
        if message:
            raise Invalid(422, "Invalid", f"{resource.kind} {new['metadata']['name']}: {message}")
        metadata = new["metadata"]
        if live is not None and _same(live, new) and written.owners == self.owners(live):
            return copy.deepcopy(live)
        self._owners[metadata["uid"]] = written.owners
        metadata["managedFields"] = managed_fields(written.owners, resource.api_version)
        if metadata.get("deletionTimestamp") and not metadata.get("finalizers"):
            self._remove(resource, live or new, cascade=True)
        else:
            self._store(resource, live, new)
        return copy.deepcopy(new)

    def delete(self, resource: Resource, live: Json, *, cascade: bool) -> None:
        """Remove an object, or mark it as dying if it has finalizers."""
        if not live["metadata"].get("finalizers"):
            self._remove(resource, live, cascade=cascade)
        elif not live["metadata"].get("deletionTimestamp"):
            dying = copy.deepcopy(live)
            dying["metadata"]["deletionTimestamp"] = self._stamp()
            self._store(resource, live, dying)

    def _completed(self, resource: Resource, live: Json | None, written: Json) -> Json:
        new = copy.deepcopy(written)
        default = self.defaults.get(resource)
        new = default(new) if default else new
        complete(new)
        name, namespace = new["metadata"]["name"], new["metadata"].get("namespace") or "default"
        base = identity(resource, namespace, name)
        metadata = {**new["metadata"], **base["metadata"]}
        if live is None:
            metadata["uid"] = f"uid-{self.next_serial()}"
            metadata["creationTimestamp"] = self._stamp()
            metadata["generation"] = 1
        else:
            kept = {
                key: live["metadata"][key] for key in _SERVER_METADATA if key in live["metadata"]
            }
            metadata.update(kept)
            metadata["generation"] += int(_spec(live) != _spec(new))
        return {**new, **base, "metadata": metadata}

    def _store(self, resource: Resource, old: Json | None, new: Json) -> None:
        self.version += 1
        metadata = new["metadata"]
        metadata["resourceVersion"] = str(self.version)
        self.of(resource)[metadata.get("namespace", ""), metadata["name"]] = new
        self.history.add(Record(self.version, resource, old, new))

    def _remove(self, resource: Resource, live: Json, *, cascade: bool) -> None:
        metadata = live["metadata"]
        del self.of(resource)[metadata.get("namespace", ""), metadata["name"]]
        self._owners.pop(metadata["uid"], None)
        self.version += 1
        self.history.add(Record(self.version, resource, live, None))
        self._collect(metadata["uid"], cascade=cascade)

    def _collect(self, owner: str, *, cascade: bool) -> None:
        """Do the garbage collector's work after an owner went away."""
        for resource, objects in list(self._objects.items()):
            for obj in [obj for obj in objects.values() if owner in _owner_uids(obj)]:
                if cascade and _owner_uids(obj) == {owner}:
                    self.delete(resource, obj, cascade=True)
                else:
                    self._disown(resource, obj, owner)

    def _disown(self, resource: Resource, obj: Json, owner: str) -> None:
        orphan = copy.deepcopy(obj)
        left = [ref for ref in obj["metadata"]["ownerReferences"] if ref["uid"] != owner]
        orphan["metadata"]["ownerReferences"] = left
        self._store(resource, obj, orphan)

    def _stamp(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _with_encoded_data(secret: Json) -> Json:
    """Do as the API server does with the write-only ``stringData``."""
    plain = secret.pop("stringData", {})
    if plain:
        coded = {key: base64.b64encode(text.encode()).decode() for key, text in plain.items()}
        secret["data"] = {**secret.get("data", {}), **coded}
    return secret


def _owner_uids(obj: Mapping[str, Any]) -> set[str]:
    return {ref["uid"] for ref in obj["metadata"].get("ownerReferences", ())}


def _spec(obj: Json) -> Json:
    return {key: value for key, value in obj.items() if key not in _NO_SPEC}


def _same(live: Json, new: Json) -> bool:
    return _without_versions(live) == _without_versions(new)


def _without_versions(obj: Json) -> Json:
    server = {"resourceVersion", "managedFields"}
    metadata = {key: value for key, value in obj["metadata"].items() if key not in server}
    return {**obj, "metadata": metadata}
