"""Clojure on the cluster: ring and compojure, built by Leiningen."""

from __future__ import annotations

import shutil

from languages.cluster.conftest import Live
from languages.conftest import copy_sample
from languages.journey import CacheSign
from languages.mirrors.clojars import MIRRORS, clojars_mirror
from terminal import Make


def test_ring_and_compojure(workspace: Make, live: Live) -> None:
    app = workspace("ring")
    copy_sample("clojure/ring", app.folder)
    shutil.copytree(clojars_mirror(), app.folder / "mirror")
    app.configure(MIRRORS)

    sign = CacheSign(reused="Nothing has changed: using what the last build made")
    journey = live("clojure ring", app, sign)

    assert journey.command == "java $JVM_OPTS -jar target/hello-standalone.jar"
    assert journey.body == "Hello from ring and compojure on Clojure 1.12.0\n"
