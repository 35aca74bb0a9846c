"""A folder of this machine as an HTTP server inside the cluster: what builds fetch from elsewhere.

It must never be part of an app: it stands for the internet, not for the platform.
"""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from terminal import Person

FILES = "exec python3 -m http.server 8000 --directory /files/served"
"""Serves the files as they are. Another command may do more with the folder /files/served."""

_GIT = """
git clone --quiet --bare /files/served/it.bundle /tmp/git/it.git
mkdir -p /tmp/www/cgi-bin && cd /tmp/www
printf '#!/bin/sh\\nexec git http-backend\\n' > cgi-bin/git && chmod +x cgi-bin/git
export GIT_PROJECT_ROOT=/tmp/git GIT_HTTP_EXPORT_ALL=1
exec python3 -W ignore -m http.server --cgi 8000
"""
_FILLED = "until [[ -e /files/served ]]; do sleep 0.1; done"
_MANIFEST = """
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  labels: {{app: {name}}}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: 0
  securityContext:
    runAsNonRoot: true
    runAsUser: 12345
    fsGroup: 12345
    seccompProfile: {{type: RuntimeDefault}}
  containers:
    - name: files
      image: {image}
      command: [bash, -c, {command}]
      securityContext: {{allowPrivilegeEscalation: false, capabilities: {{drop: [ALL]}}}}
      readinessProbe: {{tcpSocket: {{port: 8000}}, periodSeconds: 1}}
      volumeMounts: [{{name: files, mountPath: /files}}]
  volumes:
    - name: files
      emptyDir: {{}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec:
  selector: {{app: {name}}}
  ports: [{{port: 80, targetPort: 8000}}]
"""


@dataclass(frozen=True)
class FileServer:
    """A server whose address is known before it has anything to serve."""

    person: Person
    name: str

    @property
    def url(self) -> str:
        """Return the base URL, as pods reach it, without a last slash."""
        return f"http://{self.name}.default.svc.cluster.local"

    def fill(self, folder: Path) -> None:
        """Copy the folder's content and return once it is served. To be called once."""
        self.person.kubectl("cp", str(folder), f"{self.name}:/files/arriving")
        self.person.kubectl("exec", self.name, "--", "mv", "/files/arriving", "/files/served")
        self.person.kubectl("wait", "--for=condition=Ready", f"pod/{self.name}", "--timeout=60s")


@contextmanager
def file_server(person: Person, command: str = FILES) -> Iterator[FileServer]:
    """Run a server in the cluster while the context lasts; ``command`` starts when it is filled."""
    name = f"files-{secrets.token_hex(3)}"
    person.kubectl("apply", "-f", "-", stdin=_manifest(person, name, command))
    try:
        running = "--for=jsonpath={.status.phase}=Running"
        person.kubectl("wait", running, f"pod/{name}", "--timeout=60s")
        yield FileServer(person, name)
    finally:
        person.kubectl("delete", f"pod/{name}", f"service/{name}", "--wait=false")


@contextmanager
def repository_server(person: Person, folder: Path) -> Iterator[str]:
    """Serve the content of a folder as the branch ``main`` of a git repository; gives its URL."""
    with tempfile.TemporaryDirectory() as scratch, file_server(person, _GIT) as server:
        for words in (
            ("init", "-q"),
            ("add", "-A"),
            ("commit", "-qm", "first"),
            ("bundle", "create", "-q", f"{scratch}/it.bundle", "main"),
        ):
            person.run("git", *words, cwd=folder)
        server.fill(Path(scratch))
        yield f"{server.url}/cgi-bin/git/it.git"


def _manifest(person: Person, name: str, command: str) -> str:
    stack = person.get("stack", "debian-13")
    assert stack is not None
    script = json.dumps(f"{_FILLED}\n{command}")
    return _MANIFEST.format(name=name, image=stack["spec"]["buildImage"], command=script)
