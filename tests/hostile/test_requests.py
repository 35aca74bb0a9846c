"""Requests that want much for little: memory, time or a place that they must not have."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import sample_apps as apps
from hostile.test_fences import answers_quickly, credential, restarts
from terminal import GATEWAY, Make, Person, Workspace, eventually

HAVES = 200_000
TELL = """
import http.server, json, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(dict(self.headers)).encode())

http.server.HTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
"""


def line(text: str) -> bytes:
    return f"{len(text) + 5:04x}{text}\n".encode()


def stored(app: Workspace) -> str:
    """Push a branch that is only stored; returns its commit."""
    apps.plain(app.folder)
    app.commit()
    app.push("main:side")
    return app.git("rev-parse", "HEAD").stdout.strip()


def headers(person: Person, service: str, **extra: str) -> dict[str, str]:
    return {
        "Host": f"api.localhost:{GATEWAY[1]}",
        "Authorization": credential(person),
        "Content-Type": f"application/x-git-{service}-request",
        **extra,
    }


@pytest.mark.parametrize("protocol", ["version=0", "version=2"])
def test_a_fetch_that_says_to_have_everything_ends(
    workspace: Make, person: Person, protocol: str
) -> None:
    app = workspace("haves")
    commit = stored(app)
    haves = b"".join(line(f"have {number:040x}") for number in range(1, HAVES))
    if protocol == "version=2":
        begin = line("command=fetch") + b"0001" + line(f"want {commit}")
        body = begin + haves + line("done") + b"0000"
    else:
        begin = line(f"want {commit} multi_ack_detailed side-band-64k")
        body = begin + b"0000" + haves + line("done")
    assert len(body) < 16 << 20
    before, started = restarts(person), time.monotonic()
    connection = http.client.HTTPConnection(*GATEWAY, timeout=120)
    wish = headers(person, "upload-pack", **{"Git-Protocol": protocol})
    connection.request("POST", f"/{app.app}.git/git-upload-pack", body, wish)
    assert answers_quickly()
    answer = connection.getresponse()
    said = answer.read()
    connection.close()

    assert b"PACK" in said, said[-300:]
    assert time.monotonic() - started < 60
    assert restarts(person) == before


def test_a_fetch_that_is_longer_than_any_is_refused(workspace: Make, person: Person) -> None:
    app = workspace("haves")
    commit = stored(app)
    body = line(f"want {commit}") + b"0000" + line(f"have {'1' * 40}") * 500_000
    connection = http.client.HTTPConnection(*GATEWAY, timeout=120)
    connection.request(
        "POST", f"/{app.app}.git/git-upload-pack", body, headers(person, "upload-pack")
    )
    answer = connection.getresponse()
    answer.read()
    connection.close()

    assert answer.status == 413
    assert answers_quickly()


@pytest.mark.parametrize("service", ["receive-pack", "upload-pack"])
def test_a_body_that_stops_coming_is_given_up(
    workspace: Make, person: Person, service: str
) -> None:
    app = workspace("slow")
    wish = headers(person, service, **{"Content-Length": "1000000"})
    head = f"POST /{app.app}.git/git-{service} HTTP/1.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in wish.items())
    started = time.monotonic()
    with socket.create_connection(GATEWAY, timeout=150) as slow:
        slow.sendall(head.encode() + b"\r\n0000")
        assert answers_quickly()
        eventually(lambda: given_up(person, f"/{app.app}.git/git-{service}"), "its end", 140)
    assert time.monotonic() - started > 50


def given_up(person: Person, path: str) -> bool:
    """Tell whether the api has ended a request, whatever the gateway still holds of it."""
    said = person.kubectl("-n", "haikube-system", "logs", "deploy/haikube-api", "--tail=500")
    return any(path in each and '"status": 400' in each for each in said.splitlines())


def metrics(person: Person) -> str:
    pod = json.loads(
        person.kubectl(
            *("-n", "haikube-system", "get", "pods", "-o", "json"),
            *("-l", "app.kubernetes.io/name=haikube-api"),
        )
    )["items"][0]["metadata"]["name"]
    path = f"/api/v1/namespaces/haikube-system/pods/{pod}:8080/proxy/metrics"
    return person.kubectl("get", "--raw", path)


def test_invented_methods_leave_nothing_behind(person: Person) -> None:
    before = len(metrics(person).splitlines())
    for number in range(500):
        connection = http.client.HTTPConnection(*GATEWAY, timeout=60)
        connection.request(f"INVENTED{number}", "/apps", headers={"Host": "api.localhost"})
        connection.getresponse().read()
        connection.close()
    after = metrics(person)

    assert "INVENTED" not in after
    assert len(after.splitlines()) < before + 50
    assert answers_quickly()


def told(app: Workspace) -> dict[str, str]:
    """Return what the app is told of a request that came by TLS, as its sender says."""
    connection = http.client.HTTPConnection(*GATEWAY, timeout=60)
    wish = {
        "Host": f"{app.app}.localhost:{GATEWAY[1]}",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "203.0.113.7",
    }
    try:
        connection.request("GET", "/", headers=wish)
        answer = connection.getresponse()
        body = answer.read()
    except OSError:
        return {}
    finally:
        connection.close()
    return dict(json.loads(body)) if answer.status == 200 else {}


@contextmanager
def trusting(person: Person, network: str) -> Iterator[None]:
    """Let the gateway take a network for that of proxies before it."""
    gateway = ("-n", "haikube-gateway")
    words = (*gateway, "set", "env", "deployment/haikube-gateway")
    wait = (*gateway, "rollout", "status", "deployment/haikube-gateway")
    person.kubectl(*words, f"HAIKUBE_TRUSTED_PROXIES={network}")
    try:
        person.kubectl(*wait)
        yield
    finally:
        person.kubectl(*words, "HAIKUBE_TRUSTED_PROXIES=127.0.0.1/32")
        person.kubectl(*wait)


def test_only_a_trusted_proxy_is_believed(workspace: Make, person: Person) -> None:
    app = workspace("proxied")
    apps.plain(app.folder)
    app.write("app.py", TELL)
    app.commit()
    app.push()
    stranger = eventually(lambda: told(app), "the app's answer")
    address = stranger["X-Forwarded-For"]
    with trusting(person, f"{address}/32"):
        proxy = eventually(
            lambda: (found := told(app)).get("X-Forwarded-Proto") == "https" and found,
            "the gateway that trusts",
        )

    assert stranger["X-Forwarded-Proto"] == "http"
    assert "203.0.113.7" not in address
    assert proxy["X-Forwarded-For"] == f"203.0.113.7, {address}"
