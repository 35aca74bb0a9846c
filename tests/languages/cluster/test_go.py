"""Go on the cluster: gin, by the toolchain line of its module, and the standard library."""

from __future__ import annotations

from languages.cluster.conftest import Live
from languages.conftest import copy_sample
from languages.journey import CacheSign
from terminal import Make

CACHED = CacheSign(once="Installing Go")


def test_gin_with_its_toolchain_line(workspace: Make, live: Live) -> None:
    app = workspace("gin")
    copy_sample("go/gin", app.folder)

    journey = live("go gin", app, CACHED)

    assert journey.command == "bin/hello-gin"
    assert journey.body == "Hello from gin v1.11.0 on go1.26.6\n"


def test_net_http_stops_by_its_own_handler(workspace: Make, live: Live) -> None:
    app = workspace("nethttp")
    copy_sample("go/net-http", app.folder)

    journey = live("go net/http", app, CACHED)

    assert journey.command == "bin/hello"
    assert journey.body.startswith("Hello from net/http on go1.25.")
    assert journey.ended.exit_code == 0
