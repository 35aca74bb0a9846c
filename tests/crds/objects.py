"""Valid objects of each kind, to be bent by tests."""

from __future__ import annotations

from typing import Any

from haikube.model.resources import BY_KIND

DIGEST = "sha256:" + "0" * 64
SLUG = {"key": "slugs/a/b.tar.zst", "digest": DIGEST, "sizeBytes": 1}
ARCHIVE = {"key": "sources/a/b.tar.gz", "digest": DIGEST, "sizeBytes": 1}
SPECS: dict[str, dict[str, Any]] = {
    "App": {},
    "Build": {
        "appRef": {"name": "hello"},
        "source": {"archive": ARCHIVE},
        "stack": "debian-13",
    },
    "Release": {
        "appRef": {"name": "hello"},
        "version": 1,
        "stack": "debian-13",
        "slug": SLUG,
        "configRef": {"name": "hello-v1"},
        "description": "Deploy 1a2b3c4d",
    },
    "Formation": {"appRef": {"name": "hello"}, "processType": "web", "quantity": 1},
    "Dyno": {"appRef": {"name": "hello"}, "command": ["bash"]},
    "Stack": {"runImage": "example/run:1", "buildImage": "example/build:1"},
}
NAMES = {
    "App": "hello",
    "Build": "hello-1",
    "Release": "hello-v1",
    "Formation": "hello-web",
    "Dyno": "run-1",
    "Stack": "crds-test",
}


def make(kind: str, name: str | None = None, **spec: object) -> dict[str, Any]:
    """Return a valid object with some fields of its spec replaced; None takes one away."""
    fields = {key: value for key, value in (SPECS[kind] | spec).items() if value is not None}
    return {
        "apiVersion": BY_KIND[kind].api_version,
        "kind": kind,
        "metadata": {"name": name or NAMES[kind]},
        "spec": fields,
    }
