"""Drains from a real cluster to a real target: every line, over restarts, outages and slowness."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from heroku.person import Ada
from heroku.receiver import Message, Receiver, address_towards, certificate
from terminal import eventually

_HOST = "drain-target.default.svc.cluster.local"
_SYSTEM = ("kubectl", "-n", "haikube-system")
_SHIPPER = "deployment/haikube-drains"
_SECRET = "a-secret-in-the-path"


def _allow(ada: Ada, networks: str) -> None:
    """Let drains reach private networks, or none; the shipper starts anew."""
    ada.must(*_SYSTEM, "set", "env", _SHIPPER, f"HAIKUBE_DRAIN_NETWORKS={networks}")
    ada.must(*_SYSTEM, "rollout", "status", _SHIPPER, "--timeout=120s")


@pytest.fixture(scope="module")
def receiver(ada: Ada, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """Return a target that the cluster knows by a name and by its authority."""
    key, crt = certificate(tmp_path_factory.mktemp("receiver"), _HOST)
    node = ada.must(
        *("kubectl", "get", "nodes", "-o"),
        'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}',
    )
    authorities = "haikube-drain-authorities"
    made = ("create", "configmap", authorities, f"--from-file=site.crt={crt}")
    ada.run(*_SYSTEM, "delete", "configmap", authorities)  # what a run that was killed left
    target = Receiver(key, crt)
    with target.open():
        pass
    said = ada.run("kubectl", "apply", "-f", "-", stdin=_named(address_towards(node)))
    assert said.code == 0, said.err
    try:
        ada.must(*_SYSTEM, *made)
        _allow(ada, f"{address_towards(node)}/32")
        yield target
    finally:
        ada.run("kubectl", "delete", "service,endpointslice", "drain-target")
        ada.run(*_SYSTEM, "delete", "configmap", authorities)
        ada.must(*_SYSTEM, "set", "env", _SHIPPER, "HAIKUBE_DRAIN_NETWORKS-")


def _named(address: str) -> str:
    """Return a name in the cluster for an address outside."""
    meta = {"name": "drain-target", "namespace": "default"}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {"clusterIP": "None", "ports": [{"port": 443}]},
    }
    endpoints = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**meta, "labels": {"kubernetes.io/service-name": "drain-target"}},
        "addressType": "IPv4",
        "ports": [{"port": 443}],
        "endpoints": [{"addresses": [address]}],
    }
    return f"{json.dumps(service)}\n{json.dumps(endpoints)}"


@contextmanager
def drain(ada: Ada, url: str) -> Iterator[str]:
    """Add a drain and remove it; yields its token."""
    app = ada.names["app"]
    assert f"Successfully added drain {url}" in ada.must("heroku", "drains:add", url, "-a", app)
    listed = json.loads(ada.must("heroku", "drains", "--json", "-a", app))
    try:
        yield next(each["token"] for each in listed if each["url"] == url)
    finally:
        ada.must("heroku", "drains:remove", url, "-a", app)


def print_lines(ada: Ada, word: str, count: int, pause: float) -> None:
    """Let a one-off dyno print numbered lines."""
    script = (
        f"let n=0; (function next() {{ const end = {pause} ? n + 1 : {count};"
        f" while (n < end) console.log('{word} ' + n++);"
        f" if (n < {count}) setTimeout(next, {pause * 1000}) }})()"
    )
    ada.must("heroku", "run:detached", "-a", ada.names["app"], "--", "node", "-e", script)


def numbers(word: str, got: list[Message]) -> list[int]:
    found = (re.fullmatch(rf"{word} (\d+)", each.text) for each in got)
    return [int(each[1]) for each in found if each]


def arrive(word: str, count: int, got: list[Message]) -> None:
    eventually(
        lambda: set(range(count)) <= set(numbers(word, got)), f"{count} lines of {word}", 120
    )


def test_lines_arrive_over_https_and_syslog_until_a_drain_is_removed(
    ada: Ada, receiver: Receiver
) -> None:
    https = f"https://{_HOST}:{receiver.web_port}/{_SECRET}"
    syslog = f"syslog+tls://{_HOST}:{receiver.syslog_port}"
    with receiver.open():
        with drain(ada, https) as token, drain(ada, syslog) as other:
            print_lines(ada, "both", 500, 0)
            arrive("both", 500, receiver.https)
            arrive("both", 500, receiver.syslog)
            assert numbers("both", receiver.https) == list(range(500))
            line = next(each for each in receiver.https if each.text == "both 1")
            assert (line.host, line.app) == ("host", "app")
            assert re.fullmatch(r"run\.\d{4}", line.process)
            assert next(each for each in receiver.syslog if each.text == "both 1").host == other
            assert receiver.headers["Logplex-Drain-Token"] == token
            assert receiver.headers["Content-Type"] == "application/logplex-1"
            told = {(each.app, each.process.split(".")[0]) for each in receiver.https}
            assert ("heroku", "run") in told
        print_lines(ada, "removed", 5, 0)
        eventually(lambda: ada.logged("removed 4"), "lines for nobody", 60)
        assert numbers("removed", receiver.https + receiver.syslog) == []


def test_nothing_is_lost_when_shipper_and_target_go_and_come(ada: Ada, receiver: Receiver) -> None:
    https = f"https://{_HOST}:{receiver.web_port}/{_SECRET}"
    syslog = f"syslog+tls://{_HOST}:{receiver.syslog_port}"
    with drain(ada, https), drain(ada, syslog):
        with receiver.open():
            print_lines(ada, "steady", 800, 0.02)
            eventually(lambda: numbers("steady", receiver.https), "the first line", 60)
            eventually(lambda: numbers("steady", receiver.syslog), "the first line", 60)
            ada.must(
                *(*_SYSTEM, "delete", "pod", "-l", "app.kubernetes.io/name=haikube-drains"),
                *("--grace-period=0", "--force", "--wait=false"),
            )
            eventually(lambda: 300 in numbers("steady", receiver.https), "lines after it", 60)
        eventually(lambda: ada.logged("steady 500"), "lines that nobody takes", 60)
        with receiver.open():
            arrive("steady", 800, receiver.https)
            arrive("steady", 800, receiver.syslog)


def test_a_slow_target_loses_old_lines_and_is_told(ada: Ada, receiver: Receiver) -> None:
    with drain(ada, f"https://{_HOST}:{receiver.web_port}/{_SECRET}") as token:
        receiver.delay = 6.0
        with receiver.open():
            print_lines(ada, "flood", 20_000, 0)
            eventually(
                lambda: any(f"drain '{token}' dropped" in each.text for each in receiver.https),
                "the word about it",
                60,
            )
            receiver.delay = 0.0
            eventually(lambda: 19_999 in numbers("flood", receiver.https), "the last line", 60)
            told = next(each for each in receiver.https if "L10" in each.text)
            assert (told.app, told.process) == ("heroku", "logplex")
            assert len(set(numbers("flood", receiver.https))) < 20_000


def test_a_private_target_is_reached_only_where_the_site_allows_it(
    ada: Ada, receiver: Receiver
) -> None:
    app, url = ada.names["app"], f"https://{_HOST}:{receiver.web_port}/{_SECRET}"
    for host in ("10.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
        refused = ada.run("heroku", "drains:add", f"https://{host}/x", "-a", app)
        assert refused.code == 2
        assert "private" in refused.err
    _allow(ada, "192.0.2.7/32")
    with receiver.open(), drain(ada, url):
        print_lines(ada, "private", 5, 0)
        said = eventually(
            lambda: _said(ada) if "may not reach" in _said(ada) else "", "the refusal", 60
        )
        assert numbers("private", receiver.https) == []
        assert _SECRET not in said


def _said(ada: Ada) -> str:
    return ada.must(*_SYSTEM, "logs", _SHIPPER)
