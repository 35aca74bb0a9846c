"""What every Kubernetes object says about itself, parsed once and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from haikube.model.times import EPOCH, parse_time

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Meta:
    """Identity and bookkeeping; ``controller`` is the uid of the controlling owner, or empty."""

    name: str
    namespace: str
    uid: str
    resource_version: str
    generation: int
    created: datetime
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    controller: str
    deleting: bool

    @property
    def age_key(self) -> tuple[datetime, str]:
        """Return what objects are sorted by: the oldest first, ties by name."""
        return (self.created, self.name)


def parse_meta(obj: Raw) -> Meta:
    """Return the metadata of any object; what is absent is empty."""
    meta = obj.get("metadata") or {}
    created = meta.get("creationTimestamp")
    return Meta(
        name=meta.get("name", ""),
        namespace=meta.get("namespace", ""),
        uid=meta.get("uid", ""),
        resource_version=meta.get("resourceVersion", ""),
        generation=meta.get("generation", 0),
        created=parse_time(created) if created else EPOCH,
        labels=meta.get("labels") or {},
        annotations=meta.get("annotations") or {},
        controller=_controller(meta.get("ownerReferences") or []),
        deleting="deletionTimestamp" in meta,
    )


def _controller(owners: list[Raw]) -> str:
    return next((owner.get("uid", "") for owner in owners if owner.get("controller")), "")


def ref_name(spec: Raw, field: str) -> str:
    """Return the name in a reference like ``appRef: {name: hello}``, or empty."""
    return (spec.get(field) or {}).get("name") or ""
