"""What a build pod is given: its request, single-object URLs, and the Job that runs it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from haikube.model import labels, names
from haikube.model.app import App
from haikube.model.build import Build
from haikube.model.intents import Create, Presign
from haikube.model.resources import BUILDS, JOBS, SECRETS
from haikube.model.stack import Stack
from haikube.model.times import format_time
from haikube.plan.children import BUILD, BUILD_URLS, child_labels, child_metadata, label_value
from haikube.plan.context import Context
from haikube.settings import Settings

CA_FILE = "ca-bundle.crt"
REQUEST_FILE = "request.json"
_MARGIN = 60


def timeout(build: Build, app: App, settings: Settings) -> int:
    """Return the time limit of the compile: of the build, else the app, else the platform."""
    return build.timeout or app.build_timeout or settings.build_timeout


def deadline(build: Build, app: App, settings: Settings) -> int:
    """Return when the Job is ended although the engine has not ended itself."""
    return timeout(build, app, settings) + settings.build_overhead


def urls_secret(build: Build, app: App, stack: Stack, ca_bundle: str, context: Context) -> Create:
    """Return the Secret with the request and the URLs; an expired one is signed anew.

    They live no longer than two attempts of the Job can.
    """
    life = 2 * deadline(build, app, context.settings) + _MARGIN
    expires = format_time(context.now + timedelta(seconds=life))
    metadata = child_metadata(
        names.build_urls_secret_name(build.meta.name),
        (BUILDS, build.meta),
        _labels(build, app, BUILD_URLS),
        {labels.EXPIRES_AT: expires},
    )
    request = json.dumps(_request(build, app, stack, context.settings), sort_keys=True)
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "Opaque",
        "stringData": {REQUEST_FILE: request, **({CA_FILE: ca_bundle} if ca_bundle else {})},
    }
    return Create(SECRETS, body, presigned=_urls(build, app, stack, life), renew=True)


def build_job(build: Build, app: App, stack: Stack, ca_bundle: str, context: Context) -> Create:
    """Return the Job."""
    settings = context.settings
    marks = _labels(build, app, BUILD)
    values = {
        "metadata": child_metadata(build.meta.name, (BUILDS, build.meta), marks),
        "labels": marks,
        "deadline": deadline(build, app, settings),
        "ttl": settings.build_ttl,
        "runtime_class": settings.build_runtime_class,
        "user_namespaces": context.own_users(settings.build_runtime_class),
        "image": stack.build_image,
        "pull_policy": settings.image_pull_policy,
        "env": _env(settings),
        "resources": _resources(settings),
        "disk": settings.build_disk,
        "urls_secret": names.build_urls_secret_name(build.meta.name),
        "url_items": [{"key": each, "path": each} for each in _urls(build, app, stack, 1)],
        "config_secret": app.config,
        "ca_bundle": bool(ca_bundle),
    }
    return Create(JOBS, context.render("build-job", values))


def _labels(build: Build, app: App, component: str) -> dict[str, str]:
    return {**child_labels(app.meta, component), labels.BUILD: label_value(build.meta.name)}


def _urls(build: Build, app: App, stack: Stack, life: int) -> dict[str, Presign]:
    app_uid, build_uid = app.meta.uid, build.meta.uid
    mark = app.meta.annotations.get(labels.BUILD_CACHE, "")
    cache = names.cache_key(app_uid, stack.meta.name, mark)
    urls = {
        "cache-get": Presign("GET", cache, life),
        "cache-put": Presign("PUT", cache, life),
        "log-put": Presign("PUT", names.log_key(app_uid, build_uid), life),
        "result-get": Presign("GET", names.result_key(app_uid, build_uid), life),
        "result-put": Presign("PUT", names.result_key(app_uid, build_uid), life),
        "slug-put": Presign("PUT", names.slug_key(app_uid, build_uid), life),
    }
    for name, digest in _runtimes(stack).items():
        key = names.runtime_key(stack.meta.name, name, digest)
        urls[f"runtime-{name}"] = Presign("GET", key, life)
    if build.source is not None and build.source.kind == "archive":
        urls["source"] = Presign("GET", build.source.fields["key"], life)
    return urls


def _runtimes(stack: Stack) -> dict[str, str]:
    """Return what the platform made for the stack, by name: the digest of each."""
    return {names.runtime_name(each.language, each.version): each.digest for each in stack.runtimes}


def _request(build: Build, app: App, stack: Stack, settings: Settings) -> Mapping[str, Any]:
    return {
        "build": build.meta.uid,
        "app": app.meta.name,
        "source": _source(build),
        "stack": stack.meta.name,
        "alias": stack.alias,
        "buildpacks": list(build.buildpacks or app.buildpacks),
        "buildpackNames": dict(settings.buildpacks),
        "sourceVersion": build.version,
        **({"runtimes": _runtimes(stack)} if stack.runtimes else {}),
        "limits": {
            "timeoutSeconds": timeout(build, app, settings),
            "slugBytes": settings.slug_limit,
            "slugWarningBytes": settings.slug_warning,
            "sourceBytes": settings.source_limit,
            "logBytes": settings.build_log_limit,
            "cacheBytes": settings.cache_limit,
        },
    }


def _source(build: Build) -> dict[str, Any]:
    """Return the source as the engine reads it; the key of an archive stays with us."""
    if build.source is None:
        return {}
    shown = {key: value for key, value in build.source.fields.items() if key != "key"}
    return {**build.source.spec(), build.source.kind: shown}


def _env(settings: Settings) -> list[dict[str, str]]:
    chosen = {"HOME": "/app", **settings.build_env}
    return [{"name": name, "value": value} for name, value in sorted(chosen.items())]


def _resources(settings: Settings) -> dict[str, dict[str, str]]:
    return {
        "requests": {
            "cpu": settings.build_cpu_request,
            "memory": settings.build_memory_request,
        },
        "limits": {"cpu": settings.build_cpu, "memory": settings.build_memory},
    }
