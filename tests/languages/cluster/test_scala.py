"""Scala on the cluster: an sbt app with the native packager, and a Play app."""

from __future__ import annotations

from languages.cluster.conftest import Live
from languages.conftest import copy_sample
from languages.journey import CacheSign
from terminal import Make


def test_pekko_http(workspace: Make, live: Live) -> None:
    app = workspace("pekko")
    copy_sample("scala/pekko-http", app.folder)

    journey = live("scala Pekko HTTP", app, CacheSign(once="compiling 1 Scala source"))

    assert journey.command == "target/universal/stage/bin/hello -Dhttp.port=$PORT"
    assert journey.body == "Hello from Pekko HTTP on Scala 2.13.16\n"


def test_play(workspace: Make, live: Live) -> None:
    app = workspace("play")
    app.configure({"PLAY_SECRET": "s" * 32})
    copy_sample("scala/play", app.folder)

    journey = live("scala Play", app, CacheSign(once="compiling 7 Scala sources"))

    assert journey.command == "target/universal/stage/bin/hello -Dhttp.port=$PORT"
    assert "<title>Welcome to Play</title>" in journey.body
