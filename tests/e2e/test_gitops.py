"""An App that declares its source builds and runs with ``kubectl apply`` alone."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

import sample_apps as apps
from fileserver import file_server, repository_server
from haikube.cli.archive import write_archive
from terminal import Person, Workspace, eventually

APP = """
apiVersion: haikube.dev/v1alpha1
kind: App
metadata: {{name: {app}}}
spec:
  source:
    {source}
"""
BLOB = "blob: {{url: '{base}/app.tar.gz', checksum: 'sha256:{digest}'}}"
REPOSITORY = "git: {{url: '{url}', ref: {ref}}}"

KUSTOMIZATION = (
    "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [app.yaml]\n"
)


@pytest.fixture
def blob(person: Person, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Serve an app's tarball; gives the base URL and the digest."""
    folder = tmp_path / "source"
    folder.mkdir()
    apps.plain(folder, "from gitops")
    archive = tmp_path / "served" / "app.tar.gz"
    archive.parent.mkdir()
    with archive.open("wb") as out:
        write_archive(folder, out)
    with file_server(person) as server:
        server.fill(archive.parent)
        yield server.url, hashlib.sha256(archive.read_bytes()).hexdigest()


@pytest.fixture
def repository(person: Person, tmp_path: Path) -> Iterator[str]:
    """Serve an app's git repository over smart HTTP; gives its URL."""
    folder = tmp_path / "source"
    folder.mkdir()
    apps.plain(folder, "from a repository")
    with repository_server(person, folder) as url:
        yield url


def test_apply_k_builds_and_runs(person: Person, blob: tuple[str, str], tmp_path: Path) -> None:
    base, digest = blob
    app = f"gitops-{secrets.token_hex(3)}"
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(KUSTOMIZATION)
    (folder / "app.yaml").write_text(
        APP.format(app=app, source=BLOB.format(base=base, digest=digest))
    )
    try:
        person.kubectl("apply", "-k", str(folder))
        person.kubectl("wait", "--for=condition=Ready", f"app/{app}", "--timeout=180s")
        eventually(lambda: Workspace(person, app, folder).answers("from gitops web.1"), "200")
        person.kubectl("apply", "-k", str(folder))
        assert len(person.items("builds", app)) == 1
    finally:
        person.kubectl("delete", "app", app, "--wait=false")


def test_a_declared_repository_builds_and_a_missing_ref_is_named(
    person: Person, repository: str, tmp_path: Path
) -> None:
    app = f"gitops-{secrets.token_hex(3)}"
    declared = APP.format(app=app, source=REPOSITORY.format(url=repository, ref="main"))
    missing = APP.format(app=app, source=REPOSITORY.format(url=repository, ref="no-such-ref"))
    try:
        person.kubectl("apply", "-f", "-", stdin=declared)
        person.kubectl("wait", "--for=condition=Ready", f"app/{app}", "--timeout=180s")
        answers = Workspace(person, app, tmp_path).answers
        eventually(lambda: answers("from a repository web.1"), "200")

        person.kubectl("apply", "-f", "-", stdin=missing)
        person.kubectl("wait", "--for=condition=Ready=False", f"app/{app}", "--timeout=180s")

        def told() -> bool:
            status = (person.get("app", app) or {})["status"]
            return "no-such-ref" in json.dumps(status)

        eventually(told, "the App names the ref")
        assert answers("from a repository web.1"), "the release before goes on serving"
    finally:
        person.kubectl("delete", "app", app, "--wait=false")


def test_a_wrong_checksum_is_a_condition_that_names_it(
    person: Person, blob: tuple[str, str]
) -> None:
    base, _ = blob
    app = f"gitops-{secrets.token_hex(3)}"
    source = BLOB.format(base=base, digest="0" * 64)
    try:
        person.kubectl("apply", "-f", "-", stdin=APP.format(app=app, source=source))
        person.kubectl(
            "wait", "--for=condition=BuildSucceeded=False", f"app/{app}", "--timeout=180s"
        )
        assert "checksum" in person.kubectl("get", "app", app, "-o", "yaml")
    finally:
        person.kubectl("delete", "app", app, "--wait=false")
