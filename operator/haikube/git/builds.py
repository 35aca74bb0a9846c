"""What a push needs of builds: make one with the caller's own rights, then listen to it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from haikube.cluster import errors
from haikube.cluster.port import Cluster, Json
from haikube.git.refusal import NotAllowed, Refused
from haikube.git.source import Archive
from haikube.model import labels
from haikube.model.resources import ACCESS_REVIEWS, APPS, BUILDS

_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX: Final = 6
_NO_DIGEST: Final = f"sha256:{'0' * 64}"


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository of one app as one caller may use it; ``url`` is where the app answers.

    ``app`` is the name of its object, ``called`` what people call it since it was renamed.

    ``stack``, ``buildpacks`` and ``path`` are what the app declares for its builds.
    """

    app: str
    called: str
    namespace: str
    uid: str
    url: str
    author: str
    cluster: Cluster
    stack: str
    buildpacks: Sequence[Mapping[str, str]] = ()
    path: str = ""


class Listener(Protocol):
    """Follows a build; implemented by ``haikube.logs``."""

    def stream(
        self, cluster: Cluster, namespace: str, name: str, *, offset: int = 0
    ) -> AsyncIterator[bytes]:
        """Yield the build's log from ``offset``; an empty chunk for each second without any."""
        ...

    async def obstacle(self, cluster: Cluster, namespace: str, name: str) -> str:
        """Return what keeps a build from its release, empty where nothing does."""
        ...

    async def finished(self, cluster: Cluster, namespace: str, name: str) -> Json:
        """Return the build once it has a result and, after a success, its release."""
        ...

    def release_phase(self, cluster: Cluster, namespace: str, release: str) -> AsyncIterator[bytes]:
        """Yield what the release command prints, until the release has a result."""
        ...

    async def released(self, cluster: Cluster, namespace: str, release: str) -> bool:
        """Tell whether a release that has a result succeeded."""
        ...

    async def boot_problem(self, cluster: Cluster, namespace: str, app: str, version: int) -> str:
        """Return "" once an app runs a release, else what keeps it from that."""
        ...


async def require_right(repository: Repository) -> None:
    """Refuse who may not create builds, before anything is sent; creating one asks again."""
    wish = {
        "namespace": repository.namespace,
        "verb": "create",
        "group": BUILDS.group,
        "resource": BUILDS.plural,
    }
    body = {
        "apiVersion": ACCESS_REVIEWS.api_version,
        "kind": ACCESS_REVIEWS.kind,
        "metadata": {},
        "spec": {"resourceAttributes": wish},
    }
    review = await repository.cluster.create(ACCESS_REVIEWS, body)
    if not (review.get("status") or {}).get("allowed"):
        raise _forbidden(repository)


async def create_build(
    repository: Repository,
    source: dict[str, Any],
    version: str,
    *,
    buildpacks: Sequence[Mapping[str, str]] = (),
    name: str = "",
    push: str = "",
) -> Json:
    """Create a Build of ``source`` (``archive`` or ``blob``) as the caller.

    ``push`` names the push it is for. Raises ``Refused`` where the cluster said no, and
    ``errors.ApiError`` where it did not say: the Build may be there all the same.
    """
    packs = [dict(pack) for pack in buildpacks or repository.buildpacks]
    optional = {"version": version, "buildpacks": packs}
    body = _build(repository, name or new_name(repository.app), source)
    body["spec"] |= {key: value for key, value in optional.items() if value}
    if push:
        body["metadata"]["annotations"] = {labels.PUSH: push}
    return await _create(repository, body)


async def forestall(repository: Repository, name: str) -> bool:
    """Use a Build's name up, so that nobody can make it any more; False where it exists.

    What is created is a Build that was canceled before it began.
    """
    nothing = {"key": f"sources/{repository.uid}/none", "digest": _NO_DIGEST, "sizeBytes": 0}
    body = _build(repository, name, {"archive": nothing})
    body["spec"]["cancel"] = True
    try:
        await repository.cluster.create(BUILDS, body)
    except errors.AlreadyExists:
        return False
    return True


def new_name(app: str) -> str:
    """Return a name for a Build that no other has."""
    return f"{app}-b-{_random()}"


def _build(repository: Repository, name: str, source: dict[str, Any]) -> Json:
    return {
        "apiVersion": BUILDS.api_version,
        "kind": BUILDS.kind,
        "metadata": {
            "name": name,
            "namespace": repository.namespace,
            "labels": {labels.APP: repository.app, labels.APP_UID: repository.uid},
            "ownerReferences": [_owner(repository)],
        },
        "spec": {
            "appRef": {"name": repository.app},
            "source": source | ({"path": repository.path} if repository.path else {}),
            "stack": repository.stack,
            "author": repository.author,
        },
    }


async def _create(repository: Repository, body: Json) -> Json:
    try:
        return await repository.cluster.create(BUILDS, body)
    except errors.Forbidden as error:
        raise _forbidden(repository) from error
    except errors.Unauthorized as error:
        raise Refused("The token expired during the push", "Run: haikube login") from error
    except (errors.Invalid, errors.NotFound) as error:
        raise Refused(f"The cluster refused the build: {error.message}") from error


def archive_source(archive: Archive) -> dict[str, Any]:
    """Return ``Build.spec.source`` of a stored archive."""
    return {"archive": {"key": archive.key, "digest": archive.digest, "sizeBytes": archive.size}}


def _forbidden(repository: Repository) -> NotAllowed:
    return NotAllowed(
        f"{repository.author} may not create builds in namespace {repository.namespace}",
        "Ask its owner for the role haikube-developer",
    )


def _owner(repository: Repository) -> dict[str, Any]:
    """Return the reference that lets Kubernetes delete the build with its app."""
    return {
        "apiVersion": APPS.api_version,
        "kind": APPS.kind,
        "name": repository.app,
        "uid": repository.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _random() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_SUFFIX))
