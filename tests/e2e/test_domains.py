"""An app with more domains than fit into one route: each answers, and what is removed no longer."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable

import sample_apps as apps
from terminal import GATEWAY, Make, Workspace, eventually


def declare(app: Workspace, domains: Iterable[str]) -> None:
    patch = json.dumps({"spec": {"domains": [{"hostname": each} for each in domains]}})
    app.person.kubectl("patch", "app", app.app, "--type=merge", "-p", patch)


def answering(hosts: Iterable[str]) -> set[str]:
    """Return which hosts an app answers at."""
    return {host for host in hosts if _status(host) == http.HTTPStatus.OK}


def _status(host: str) -> int:
    connection = http.client.HTTPConnection(*GATEWAY, timeout=60)
    try:
        connection.request("GET", "/", headers={"Host": host})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def test_twenty_and_a_hundred_domains_answer_and_go(workspace: Make) -> None:
    app = workspace("domains")
    apps.plain(app.folder)
    app.commit()
    app.push()
    hosts = [f"shop-{number}.{app.app}.example.org" for number in range(100)]

    declare(app, hosts[:20])
    eventually(lambda: answering(hosts[:20]) == {*hosts[:20]}, "20 domains answer")
    assert not answering(hosts[20:22])

    declare(app, hosts)
    eventually(lambda: answering(hosts) == {*hosts}, "100 domains answer")
    assert app.answers("hello web.1"), "and the host of its name as before"

    declare(app, hosts[:1])
    eventually(lambda: answering(hosts) == {hosts[0]}, "one is left")
    routes = app.person.items("httproutes", app.app)
    assert [each["metadata"]["name"] for each in routes] == [f"{app.app}-web"]
    assert app.answers("hello web.1")
