"""The metadata of what we create: owners by uid, labels, selectors and deletions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from haikube.model import labels
from haikube.model.intents import Delete
from haikube.model.meta import Meta
from haikube.model.resources import Resource

_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?", re.ASCII)
_STEM_LENGTH = 40

CONFIG = "config"
SNAPSHOT = "config-snapshot"
SLUG_URL = "slug-url"
BUILD_URLS = "build-urls"
BUILD = "build"
PHASE = "release-phase"
DYNO = "dyno"
ONE_OFF = "one-off"
"""What a child is for, as its label says (``labels.COMPONENT``)."""


def owner_reference(resource: Resource, meta: Meta) -> dict[str, Any]:
    """Return the reference by which the garbage collector knows the owner."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": meta.name,
        "uid": meta.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def child_metadata(
    name: str,
    owner: tuple[Resource, Meta],
    marks: Mapping[str, str],
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the metadata of an object that belongs to ``owner``."""
    resource, meta = owner
    made = {
        "name": name,
        "namespace": meta.namespace,
        "labels": dict(marks),
        "ownerReferences": [owner_reference(resource, meta)],
    }
    return {**made, "annotations": dict(annotations)} if annotations else made


def app_labels(app: Meta) -> dict[str, str]:
    """Return the labels of our own kinds: which app, and which incarnation of it."""
    return {labels.APP: app.name, labels.APP_UID: app.uid}


def child_labels(app: Meta, component: str) -> dict[str, str]:
    """Return the labels of the Kubernetes objects below our kinds."""
    return {
        labels.MANAGED_BY: labels.MANAGED_BY_HAIKUBE,
        **app_labels(app),
        labels.COMPONENT: component,
    }


@lru_cache(4096)
def label_value(text: str) -> str:
    """Return a valid label value for any text; what is valid already stays as it is."""
    if _LABEL_VALUE.fullmatch(text):
        return text
    stem = re.sub(r"[^A-Za-z0-9]+", "-", text)[:_STEM_LENGTH].strip("-")
    digest = hashlib.sha256(text.encode()).hexdigest()[:6]
    return f"{stem}-{digest}".lstrip("-")


def delete(resource: Resource, meta: Meta) -> Delete:
    """Return the deletion of exactly the object that was seen."""
    return Delete(resource, meta.namespace, meta.name, meta.uid, meta.resource_version)
