"""What must be right before the operator starts; each complaint names the value and the remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from haikube.cluster.errors import ApiError, Forbidden, NotFound
from haikube.cluster.port import Cluster
from haikube.model.names import BUILDPACK, CONFIG_VAR
from haikube.model.resources import CERTIFICATES, GATEWAYS, HTTP_ROUTES, OWN_KINDS, Resource
from haikube.plan.sizes import wrong_sizes
from haikube.settings import Settings

CUSTOM_RESOURCES = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)
_WEEK = 604_800
_SHORTEST_URL = 600
_PLAIN_URL = re.compile(r"https?://[^/@?#\s]+(/\S*)?")


class NotReadyToStart(Exception):
    """The operator must not start like this; the message lists why."""


def check_settings(settings: Settings) -> list[str]:
    """Return what is wrong with the settings, in words."""
    complaints = [
        *_build_env(settings.build_env),
        *_buildpacks(settings.buildpacks),
        *_storage(settings),
        *wrong_sizes(settings),
    ]
    if not _SHORTEST_URL <= settings.slug_url_seconds <= _WEEK:
        complaints.append(
            f"HAIKUBE_SLUG_URL_SECONDS is {settings.slug_url_seconds}; "
            f"use {_SHORTEST_URL} to {_WEEK}, as S3 signs no longer"
        )
    return complaints


def _build_env(variables: Mapping[str, str]) -> list[str]:
    return [
        f"HAIKUBE_BUILD_ENV has {name!r}, which is no name of a variable; write letters, digits, _"
        for name in variables
        if not CONFIG_VAR.fullmatch(name)
    ]


def _buildpacks(names: Mapping[str, str]) -> Iterator[str]:
    for name, target in names.items():
        if not BUILDPACK.fullmatch(name):
            yield f"HAIKUBE_BUILDPACKS has the name {name!r}; write one like heroku/nodejs"
        elif wrong := _wrong_buildpack(target):
            yield f"HAIKUBE_BUILDPACKS: {name} {wrong}"


def _wrong_buildpack(target: str) -> str:
    """Return what is wrong with a buildpack; a URL is not repeated: it may hold a password."""
    if "://" in target or "@" in target:
        refused = "has a URL that is refused; write http(s)://host/path without user or password"
        return "" if _PLAIN_URL.fullmatch(target) else refused
    found = BUILDPACK.fullmatch(target)
    if found and not found["namespace"]:
        return ""
    return (
        f"is mapped to {target!r}; write a buildpack of the platform, such as nodejs, or the "
        "http(s) URL of a git repository or an archive"
    )


def _storage(settings: Settings) -> list[str]:
    endpoint = settings.storage_endpoint
    complaints = []
    if endpoint and not endpoint.startswith(("http://", "https://")):
        complaints.append(f"HAIKUBE_STORAGE_ENDPOINT is {endpoint!r}; write http(s)://host:port")
    if not settings.storage_bucket:
        complaints.append("HAIKUBE_STORAGE_BUCKET is empty; name a bucket")
    given = (settings.storage_access_key, settings.storage_secret_key)
    if not all(each.get_secret_value() for each in given):
        complaints.append(
            "HAIKUBE_STORAGE_ACCESS_KEY or HAIKUBE_STORAGE_SECRET_KEY is empty; "
            "set both in the Secret haikube-storage"
        )
    return complaints


async def check_cluster(cluster: Cluster, settings: Settings) -> list[str]:
    """Return what the cluster lacks, in words."""
    complaints = []
    extra = (CERTIFICATES,) if settings.certificate_issuer else ()
    for kind in (*OWN_KINDS, HTTP_ROUTES, GATEWAYS, *extra):
        name = f"{kind.plural}.{kind.group}"
        try:
            await cluster.get(CUSTOM_RESOURCES, name)
        except NotFound:
            complaints.append(f"the cluster has no CRD {name}; {_remedy(kind)}")
        except Forbidden as error:
            complaints.append(
                f"the CRD {name} may not be read ({error}); apply manifests/base/rbac"
            )
        except ApiError as error:
            complaints.append(f"the API server does not answer: {error}")
            break
    return complaints


def _remedy(kind: Resource) -> str:
    if kind in {HTTP_ROUTES, GATEWAYS}:
        return "install the Gateway API CRDs"
    if kind == CERTIFICATES:
        return "install cert-manager, or unset HAIKUBE_CERTIFICATE_ISSUER"
    return "kubectl apply --server-side -k crds"


async def preflight(cluster: Cluster, settings: Settings) -> None:
    """Raise ``NotReadyToStart`` if anything is wrong."""
    complaints = [*check_settings(settings), *await check_cluster(cluster, settings)]
    if complaints:
        raise NotReadyToStart("haikube-operator cannot start:\n  " + "\n  ".join(complaints))
