"""What a commit may end with, besides an error of the API server."""

from __future__ import annotations

from dataclasses import dataclass

from haikube.model.resources import Resource


@dataclass(frozen=True, slots=True)
class Committed:
    """All writes of a plan are done (``writes`` is how many calls changed something)."""

    writes: int = 0
    requeue_after: float | None = None


class Stale(Exception):
    """The object that was seen is gone or another one now; the store knows better: look again."""

    def __init__(self, resource: Resource, namespace: str, name: str) -> None:
        super().__init__(f"{resource.kind} {namespace}/{name} has changed meanwhile; look again")
        self.resource = resource
        self.namespace = namespace
        self.name = name


class Foreign(Exception):
    """An object of that name belongs to somebody else; it is never taken over."""

    def __init__(
        self, resource: Resource, namespace: str, name: str, owner: str, uid: str = ""
    ) -> None:
        super().__init__(
            f"{resource.kind} {name} in namespace {namespace} belongs to {owner}; "
            "rename or delete it"
        )
        self.resource = resource
        self.namespace = namespace
        self.name = name
        self.owner = owner
        self.uid = uid


class Contested(Foreign):
    """Somebody undoes our changes again and again; we stop for a while instead of fighting."""

    def __init__(self, resource: Resource, namespace: str, name: str) -> None:
        super().__init__(resource, namespace, name, "somebody else as well")

    def __str__(self) -> str:
        return (
            f"{self.resource.kind} {self.name} in namespace {self.namespace} is changed by "
            "somebody else again and again; its metadata.managedFields tell by whom: "
            "let one of the two go"
        )
