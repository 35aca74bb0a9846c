"""Slug pack and unpack against the bare ``tar | zstd`` pipeline, in the real images.

Both sides run in one pod each, by turns, on the slug of a real app of about 100 MB.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

import sample_apps
from bench.pairs import Measured, speed_at_least, timed
from terminal import Person, Workspace

PAIRS = 5
LIMIT = 0.9

_PACK = """
from pathlib import Path
from haikube.build.deadline import Deadline
from haikube.build.packing import pack
from haikube.build.slug import TAR_OPTIONS
from time import monotonic
start = monotonic()
pack(Path('/build/src'), Path('/build/slug.tar.zst'), TAR_OPTIONS, level=3, deadline=Deadline(600))
print(monotonic() - start)
"""
_PACK_REFERENCE = (
    "start=$EPOCHREALTIME; "
    "tar --create --sort=name --numeric-owner --owner=12345 --group=12345 -C /build/src . "
    "| zstd -q -3 -T0 -c > /build/reference.tar.zst; end=$EPOCHREALTIME; "
    "echo $((${end/./} - ${start/./}))e-6"
)
_UNPACK_REFERENCE = 'curl -sf "$(cat /haikube/slug/url)" | zstd -dcq | tar -x -C / ./app'
_CLEAN = "find /app -mindepth 1 -delete; rm -f /tmp/.haikube-slug"


def run(person: Person, scratch: Path) -> list[Measured]:
    """Measure with the slug of an app that brings numpy and pandas."""
    app = Workspace(person, f"bench-{secrets.token_hex(3)}", scratch / "slug")
    app.folder.mkdir(parents=True)
    person.run("git", "init", "-q", cwd=app.folder)
    person.haikube("create", app.app, cwd=app.folder)
    sample_apps.plain(app.folder)
    app.write("requirements.txt", "numpy\npandas\nscipy\n")
    app.commit()
    app.push()
    try:
        return _measure(person, _current(person, app.app))
    finally:
        person.kubectl("delete", "app", app.app, "--wait=false")


def _measure(person: Person, release: str) -> list[Measured]:
    stack = person.get("stack", "debian-13")
    assert stack is not None
    name = f"bench-{secrets.token_hex(3)}"
    pods = [
        _pod(f"{name}-pack", stack["spec"]["buildImage"], release),
        _pod(f"{name}-unpack", stack["spec"]["runImage"], release),
    ]
    try:
        person.kubectl("create", "-f", "-", stdin=yaml.safe_dump_all(pods))
        for pod in pods:
            person.kubectl(
                "wait", "--for=condition=Ready", f"pod/{pod['metadata']['name']}", "--timeout=60s"
            )
        return [_pack(person, f"{name}-pack"), _unpack(person, f"{name}-unpack")]
    finally:
        person.kubectl("delete", "pod", f"{name}-pack", f"{name}-unpack", "--wait=false")


def _pack(person: Person, pod: str) -> Measured:
    run_in = _in(person, pod)
    run_in(
        "mkdir -p /build/src && cd /build/src && "
        'curl -sf "$(cat /haikube/slug/url)" | zstd -dcq | tar -x --strip-components=2'
    )
    pairs = [
        (
            float(run_in(f'PYTHONPATH=/haikube/lib python3 -c "{_PACK}"')),
            float(run_in(_PACK_REFERENCE)),
        )
        for _ in range(PAIRS)
    ]
    size = run_in("du -sm /build/src | cut -f1").strip()
    return speed_at_least("slug pack", pairs, LIMIT, f"{size} MB; reference `tar \\| zstd`")


def _unpack(person: Person, pod: str) -> Measured:
    run_in = _in(person, pod)

    def measured(command: str) -> float:
        run_in(_CLEAN)
        return timed(lambda: run_in(command))

    run_in(f"{_CLEAN}; {_UNPACK_REFERENCE}")
    # No second for the name: nobody names this pod, and a dyno has its own by the time it is here.
    pairs = [(measured("/haikube/fetch 1 0"), measured(_UNPACK_REFERENCE)) for _ in range(PAIRS)]
    return speed_at_least("slug unpack", pairs, LIMIT, "reference `curl \\| zstd \\| tar`")


def _in(person: Person, pod: str) -> Callable[[str], str]:
    def run_in(command: str) -> str:
        return person.kubectl("exec", pod, "--", "bash", "-c", command)

    return run_in


def _current(person: Person, app: str) -> str:
    found = person.get("app", app)
    assert found is not None
    return str(found["status"]["currentRelease"]["name"])


def _pod(name: str, image: str, release: str) -> dict[str, Any]:
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {
        "name": "bench",
        "image": image,
        "command": ["sleep", "infinity"],
        "env": [
            {"name": "HOME", "value": "/app"},
            {"name": "HAIKUBE_POD", "value": name},
        ],
        "securityContext": security,
        "volumeMounts": [
            {"name": "slug", "mountPath": "/haikube/slug"},
            {"name": "build", "mountPath": "/build"},
        ],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 12345,
                "runAsGroup": 12345,
                "fsGroup": 12345,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [
                {"name": "slug", "secret": {"secretName": f"{release}-slug"}},
                {"name": "build", "emptyDir": {}},
            ],
        },
    }
