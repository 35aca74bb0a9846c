"""Fences around strangers' code and requests: what they reach, fill up and bring down."""

from __future__ import annotations

import http.client
import json
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import sample_apps as apps
from hostile.compiles import hostile
from hostile.packs import delta_bomb
from terminal import GATEWAY, Make, Person, eventually

LOOK_AROUND = """
[[ ! -e /var/run/secrets/kubernetes.io ]] && echo 'no token here'
api=https://${KUBERNETES_SERVICE_HOST:-kubernetes.default.svc}:443
for path in /api/v1/secrets /api/v1/namespaces/default/pods /apis/haikube.dev/v1alpha1/apps; do
  code=$(curl -sk -m 5 -o /dev/null -w '%{http_code}' "$api$path" || true)
  echo "asked $path: $code."
done
touch /haikube/owned /usr/bin/owned 2>/dev/null && echo 'wrote outside'
id -u
exit 3
"""
FILL_STORAGE = """
url=$(cat /haikube/urls/log-put)
head -c 60000000 /dev/zero >filling
curl -sS -o /dev/null -w 'stored: %{http_code}.\\n' -T filling "$url"
sleep 240
"""


def test_a_build_has_no_token_and_gets_nothing_of_the_api_server(workspace: Make) -> None:
    app = workspace("looks")
    hostile(app, LOOK_AROUND)
    said = app.push(check=False)
    answers = [line.split()[-1] for line in said.splitlines() if "asked /" in line]

    assert "no token here" in said, said[-2000:]
    assert "wrote outside" not in said
    assert "12345" in said
    assert len(answers) == 3
    assert set(answers) <= {"000.", "401.", "403."}, said[-2000:]


def test_a_build_that_stores_more_than_a_build_may_is_ended_and_its_bytes_go(
    workspace: Make,
) -> None:
    app = workspace("fills")
    hostile(app, FILL_STORAGE)
    said = app.push(check=False)
    events = app.person.kubectl("get", "events", "--field-selector", "reason=StoredTooMuch")

    assert "stored: 200." in said, said[-2000:]
    assert "canceled" in said, said[-2000:]
    assert "at most 40000000 may be: they are removed" in events


@contextmanager
def full_storage(person: Person) -> Iterator[None]:
    """Let the platform think that its storage is full."""
    words = ("-n", "haikube-system", "set", "env", "deployment/haikube-operator")
    wait = ("-n", "haikube-system", "rollout", "status", "deployment/haikube-operator")
    person.kubectl(*words, "HAIKUBE_STORAGE_LIMIT=1")
    try:
        person.kubectl(*wait)
        yield
    finally:
        person.kubectl(*words, "HAIKUBE_STORAGE_LIMIT-")
        person.kubectl(*wait)


def test_a_full_storage_refuses_a_build_with_its_reason(workspace: Make, person: Person) -> None:
    app = workspace("late")
    apps.plain(app.folder)
    app.commit()
    with full_storage(person):
        said = app.push(check=False)
        [made] = person.items("builds", app.app)

    assert "the object storage holds" in said, said[-2000:]
    assert made["status"]["failure"]["reason"] == "StorageFull"
    assert "jobName" not in made["status"]


def credential(person: Person) -> str:
    """Return what git sends as Authorization."""
    asked = f"protocol=http\nhost=api.localhost:{GATEWAY[1]}\n\n"
    told = person.run("haikube", "git-credential", "get", stdin=asked).stdout
    found = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    pair = f"{found['username']}:{found['password']}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def restarts(person: Person) -> int:
    """Return how often the api was restarted."""
    words = ("-n", "haikube-system", "get", "pods", "-l", "app.kubernetes.io/name=haikube-api")
    pods = json.loads(person.kubectl(*words, "-o", "json"))["items"]
    return sum(each["status"]["containerStatuses"][0]["restartCount"] for each in pods)


def answers_quickly() -> bool:
    connection = http.client.HTTPConnection(*GATEWAY, timeout=60)
    started = time.monotonic()
    connection.request("GET", "/healthz", headers={"Host": "api.localhost"})
    status = connection.getresponse().status
    connection.close()
    return status == 200 and time.monotonic() - started < 10


@pytest.mark.parametrize("size", [1 << 30, 8 << 30], ids=["1 GiB", "8 GiB"])
def test_a_push_that_unpacks_without_end_brings_nobody_down(
    workspace: Make, person: Person, size: int
) -> None:
    app = workspace("bomb")
    before, push = restarts(person), delta_bomb(size)
    assert len(push.body) < 200_000
    connection = http.client.HTTPConnection(*GATEWAY, timeout=300)
    headers = {
        "Host": f"api.localhost:{GATEWAY[1]}",
        "Authorization": credential(person),
        "Content-Type": "application/x-git-receive-pack-request",
    }
    connection.request("POST", f"/{app.app}.git/git-receive-pack", push.body, headers)
    assert answers_quickly()
    answer = connection.getresponse()
    said = answer.read().decode(errors="replace")
    connection.close()

    assert "ok refs/heads/main" not in said, said
    assert restarts(person) == before
    eventually(answers_quickly, "the api", 30)
    assert not person.items("builds", app.app)
