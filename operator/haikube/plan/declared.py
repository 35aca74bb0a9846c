"""The source an App declares, as a Build: deploying by ``kubectl apply`` alone.

The Build's name follows from what is declared, so the same declaration is built once, and a
changed one again. A git ref is not polled: name a commit or a tag, and change it to deploy.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from haikube.model import labels
from haikube.model.app import App
from haikube.model.intents import Create
from haikube.model.resources import APPS, BUILDS
from haikube.plan.children import app_labels, child_metadata

_SHOWN = 60


def source_digest(app: App) -> str:
    """Return the digest of all that a declared build follows from; empty without a source."""
    if app.source is None:
        return ""
    inputs = [app.source.spec(), app.stack, app.buildpacks]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:8]


def declared_build_name(app: App) -> str:
    """Return the name of the Build of the declared source; empty without one."""
    digest = source_digest(app)
    return f"{app.meta.name}-b-{digest}" if digest else ""


def declared_build(app: App, default_stack: str) -> Create | None:
    """Return the Build of the declared source, or None."""
    if app.source is None:
        return None
    marks = {labels.SOURCE_DIGEST: source_digest(app)}
    metadata = child_metadata(
        declared_build_name(app), (APPS, app.meta), app_labels(app.meta), marks
    )
    spec: dict[str, Any] = {
        "appRef": {"name": app.meta.name},
        "source": app.source.spec(),
        "stack": app.stack or default_stack,
        "description": _description(app),
    }
    if app.buildpacks:
        spec["buildpacks"] = list(app.buildpacks)
    body = {"apiVersion": BUILDS.api_version, "kind": BUILDS.kind, "metadata": metadata}
    return Create(BUILDS, {**body, "spec": spec})


def _description(app: App) -> str:
    if app.source is None:
        return ""
    if app.source.kind == "git":
        return f"Deploy {str(app.source.fields.get('ref', ''))[:_SHOWN]}".rstrip()
    return f"Deploy {str(app.source.fields.get('checksum', ''))[:15]}".rstrip()
