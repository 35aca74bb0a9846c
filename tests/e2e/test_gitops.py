"""An App that declares its source builds and runs with ``kubectl apply`` alone."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

import sample_apps as apps
from haikube.cli.archive import write_archive
from terminal import Person, Workspace, eventually

SERVER = """
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  labels: {{app: {name}}}
spec:
  automountServiceAccountToken: false
  securityContext:
    runAsNonRoot: true
    runAsUser: 12345
    seccompProfile: {{type: RuntimeDefault}}
  containers:
    - name: files
      image: {image}
      command: [python3, -m, http.server, "8000", --directory, /files]
      securityContext: {{allowPrivilegeEscalation: false, capabilities: {{drop: [ALL]}}}}
      volumeMounts: [{{name: files, mountPath: /files}}]
  volumes:
    - name: files
      configMap: {{name: {name}}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec:
  selector: {{app: {name}}}
  ports: [{{port: 80, targetPort: 8000}}]
"""

APP = """
apiVersion: haikube.dev/v1alpha1
kind: App
metadata: {{name: {app}}}
spec:
  source:
    blob:
      url: http://{server}.default.svc.cluster.local/app.tar.gz
      checksum: sha256:{digest}
"""

KUSTOMIZATION = (
    "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [app.yaml]\n"
)


@pytest.fixture
def served(person: Person, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Serve an app's tarball inside the cluster; gives the server's name and the digest."""
    folder = tmp_path / "source"
    folder.mkdir()
    apps.plain(folder, "from gitops")
    archive = tmp_path / "app.tar.gz"
    with archive.open("wb") as out:
        write_archive(folder, out)
    name = f"files-{secrets.token_hex(3)}"
    stack = person.get("stack", "debian-13")
    assert stack is not None
    person.kubectl("create", "configmap", name, f"--from-file=app.tar.gz={archive}")
    person.kubectl(
        "apply", "-f", "-", stdin=SERVER.format(name=name, image=stack["spec"]["buildImage"])
    )
    person.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s")
    yield name, hashlib.sha256(archive.read_bytes()).hexdigest()
    person.kubectl("delete", f"pod/{name}", f"service/{name}", f"configmap/{name}", "--wait=false")


def test_apply_k_builds_and_runs(person: Person, served: tuple[str, str], tmp_path: Path) -> None:
    server, digest = served
    app = f"gitops-{secrets.token_hex(3)}"
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(KUSTOMIZATION)
    (folder / "app.yaml").write_text(APP.format(app=app, server=server, digest=digest))
    try:
        person.kubectl("apply", "-k", str(folder))
        person.kubectl("wait", "--for=condition=Ready", f"app/{app}", "--timeout=180s")
        eventually(lambda: Workspace(person, app, folder).answers("from gitops web.1"), "200")
        person.kubectl("apply", "-k", str(folder))
        assert len(person.items("builds", app)) == 1
    finally:
        person.kubectl("delete", "app", app, "--wait=false")


def test_a_wrong_checksum_is_a_condition_that_names_it(
    person: Person, served: tuple[str, str], tmp_path: Path
) -> None:
    server, _ = served
    app = f"gitops-{secrets.token_hex(3)}"
    (tmp_path / "app.yaml").write_text(APP.format(app=app, server=server, digest="0" * 64))
    try:
        person.kubectl("apply", "-f", str(tmp_path / "app.yaml"))
        person.kubectl(
            "wait", "--for=condition=BuildSucceeded=False", f"app/{app}", "--timeout=120s"
        )
        assert "checksum" in person.kubectl("get", "app", app, "-o", "yaml")
    finally:
        person.kubectl("delete", "app", app, "--wait=false")
