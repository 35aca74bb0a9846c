"""Webhooks on the cluster: what happens to an app reaches a server of its people, signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from heroku.person import Ada
from heroku.steps import holds
from terminal import eventually

SECRET = "s3cret"
INCLUDES = ("api:release", "api:build", "api:formation", "dyno")


@dataclass
class Receiver:
    """A server on this machine: refuses each event once, and remembers what it was told."""

    url: str = ""
    tries: Counter[str] = field(default_factory=Counter)
    told: dict[str, Any] = field(default_factory=dict)
    forged: list[str] = field(default_factory=list)

    def take(self, headers: Any, body: bytes) -> int:
        """Return the status of the answer."""
        event = json.loads(body)
        signed = base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
        if headers["Heroku-Webhook-Hmac-SHA256"] != signed:
            self.forged.append(event["id"])
        self.tries[event["id"]] += 1
        if self.tries[event["id"]] == 1:
            return 500
        self.told[event["id"]] = event
        return 204

    @property
    def includes(self) -> set[str]:
        return {each["webhook_metadata"]["event"]["include"] for each in self.told.values()}


@contextmanager
def receiving(host: str) -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(receiver.take(self.headers, body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    receiver.url = f"http://{host}:{server.server_port}/hook"
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


@pytest.fixture
def receiver(ada: Ada) -> Iterator[Receiver]:
    """Return a server that pods reach at this machine's end of the wire to the node."""
    path = "jsonpath={.items[0].status.addresses[?(@.type=='InternalIP')].address}"
    node = ada.must("kubectl", "get", "nodes", "-o", path).strip()
    with receiving(f"{node.rpartition('.')[0]}.1") as found:
        yield found


def test_releases_builds_formations_and_dynos_are_told(ada: Ada, receiver: Receiver) -> None:
    app = ada.names["app"]
    for_app = ("-a", app)
    hook = ("-i", ",".join(INCLUDES), "-l", "sync", "-u", receiver.url, "-s", SECRET)
    ada.must("heroku", "webhooks:add", *for_app, *hook)
    try:
        ada.must("heroku", "config:set", "HOOK=1", *for_app)
        ada.must("heroku", "ps:scale", "queue=1", *for_app)
        folder = ada.home / app
        ada.must("git", "commit", "-q", "--allow-empty", "-m", "told", cwd=folder)
        ada.must("git", "push", "-q", "heroku", "main", cwd=folder)
        eventually(lambda: receiver.includes >= set(INCLUDES), "every sort of event", 90)
        _assert_the_cli_shows_them(ada, receiver)
    finally:
        ada.run("heroku", "ps:scale", "queue=0", *for_app)
        listed = ada.run("heroku", "webhooks", *for_app).out
        for id_ in re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", listed):
            ada.run("heroku", "webhooks:remove", id_, *for_app)

    assert receiver.forged == []
    release = next(each for each in receiver.told.values() if each["resource"] == "release")
    assert release["data"]["app"]["name"] == app
    assert set(receiver.tries.values()) >= {2}


def _assert_the_cli_shows_them(ada: Ada, receiver: Receiver) -> None:
    app = ada.names["app"]
    deliveries = ada.must("heroku", "webhooks:deliveries", "-a", app)
    assert holds(deliveries, "succeeded"), deliveries
    for include in INCLUDES:
        assert include in deliveries
    some = next(iter(receiver.told.values()))
    event = some["webhook_metadata"]["event"]["id"]
    delivery = some["webhook_metadata"]["delivery"]["id"]
    assert event in ada.run("heroku", "webhooks:events", "-a", app).out
    shown = ada.run("heroku", "webhooks:events:info", event, "-a", app)
    assert holds(shown.out, f'"id": "{event}"'), shown
    shown = ada.run("heroku", "webhooks:deliveries:info", delivery, "-a", app)
    assert holds(shown.out, "succeeded"), shown
