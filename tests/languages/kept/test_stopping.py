"""Every process of every kind of dyno hears that it is to stop, and has time to finish."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import sample_apps as apps
from terminal import Make, Workspace, eventually

JOB = """
import signal, sys, time

def stop(*_):
    print("heard it", flush=True)
    time.sleep(1)
    print("finished the job", flush=True)
    sys.exit(0)

signal.signal(signal.SIGTERM, stop)
print("begun", flush=True)
time.sleep(600)
"""
pytestmark = [pytest.mark.languages, pytest.mark.kept, pytest.mark.timeout(1200)]

BEHIND = "python job.py | cat; true"
"""A line whose job is neither the first child nor the last."""

IPV6_ALONE = """
import http.server, os, socket

class Server(http.server.HTTPServer):
    address_family = socket.AF_INET6

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        super().server_bind()

server = Server(("::", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler)
print("listening", flush=True)
server.serve_forever()
"""


def pods(app: Workspace, part: str) -> list[dict[str, Any]]:
    """Return the running pods whose name has this part."""
    found = app.person.items("pods", app.app)
    running = [each for each in found if each["status"].get("phase") == "Running"]
    return [each for each in running if part in each["metadata"]["name"]]


def log(app: Workspace, pod: str) -> str:
    return app.person.kubectl("logs", pod, check=False)


@contextmanager
def followed(app: Workspace, part: str) -> Iterator[list[str]]:
    """Yield what a dyno's log will hold at its end; it has begun its job by then."""
    [pod] = eventually(lambda: pods(app, part), f"the dyno {part}")
    name = pod["metadata"]["name"]
    eventually(lambda: "begun" in log(app, name), f"the job of {part}")
    following = subprocess.Popen(
        ["kubectl", "logs", "-f", name],
        env=app.person.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    said: list[str] = []
    try:
        yield said
        said.append(following.communicate(timeout=120)[0])
    finally:
        following.kill()


def hears(said: list[str]) -> bool:
    return "heard it\nfinished the job\n" in said[0]


def test_what_is_told_to_stop_hears_it_and_who_cannot_be_reached_is_not_ready(
    workspace: Make,
) -> None:
    app = workspace("stops")
    apps.plain(app.folder)
    app.write("job.py", JOB)
    app.write("app.py", IPV6_ALONE)
    app.write("Procfile", f"web: python app.py\nworker: {BEHIND}\n")
    app.commit()
    rollout = json.dumps({"spec": {"rollout": {"bootTimeoutSeconds": 8}}})
    app.person.kubectl("patch", "app", app.app, "--type=merge", "-p", rollout)
    said = app.push()
    assert "R10" in said, said[-2000:]
    assert app.fetch()[0] == 503

    app.person.kubectl("scale", f"formation/{app.app}-worker", "--replicas=1")
    with followed(app, "-worker-") as worker:
        app.person.kubectl("scale", f"formation/{app.app}-worker", "--replicas=0")
    assert hears(worker), worker

    app.person.kubectl("create", "-f", "-", stdin=json.dumps(one_off(app)))
    with followed(app, "run-1") as run:
        app.person.kubectl("delete", "dyno", f"{app.app}-run-1", "--wait=false")
    assert hears(run), run

    app.write("Procfile", f"web: python app.py\nrelease: {BEHIND}\n")
    app.commit()
    push = app.begin_push()
    with followed(app, "-release-") as phase:
        app.person.kubectl("annotate", "release", f"{app.app}-v3", "haikube.dev/stop=now")
    push.communicate(timeout=120)
    assert hears(phase), phase


def one_off(app: Workspace) -> dict[str, Any]:
    return {
        "apiVersion": "haikube.dev/v1alpha1",
        "kind": "Dyno",
        "metadata": {"name": f"{app.app}-run-1", "labels": {"haikube.dev/app": app.app}},
        "spec": {"appRef": {"name": app.app}, "command": [BEHIND]},
    }
