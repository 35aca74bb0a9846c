"""Node.js on the cluster: what Express generates, and Node-RED as it is published."""

from __future__ import annotations

import sample_apps
from buildpacks import locks
from languages.cluster.conftest import Live
from languages.journey import CacheSign
from terminal import Make

CACHED = CacheSign(reused="Restored from the cache: the lock file has not changed")


def test_express(workspace: Make, live: Live) -> None:
    app = workspace("express")
    sample_apps.express(app.folder)
    locks.npm_lock(app.folder)

    journey = live("nodejs express", app, CACHED)

    assert journey.command == "npm start"
    assert "Welcome to Express" in journey.body


def test_node_red(workspace: Make, live: Live) -> None:
    app = workspace("nodered")
    sample_apps.node_red(app.folder)
    locks.npm_lock(app.folder)

    journey = live("nodejs Node-RED", app, CACHED)

    assert journey.command == "npm start"
    assert "<title>Node-RED</title>" in journey.body
