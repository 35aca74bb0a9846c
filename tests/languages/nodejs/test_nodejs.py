"""Node.js apps that nobody here wrote: express by its generator, Node-RED from the registry."""

from __future__ import annotations

from pathlib import Path

import pytest

import sample_apps
from buildpacks import locks
from haikube.build.harness.rehearsal import Stage
from languages.conftest import Note
from languages.proof import SLUG_RATIO, prove

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


def test_express_as_its_generator_makes_it(stage: Stage, tmp_path: Path, note: Note) -> None:
    app = tmp_path / "app"
    app.mkdir()
    sample_apps.express(app)
    locks.npm_lock(app)

    proof = prove(stage, app)

    note("nodejs express", proof)
    assert proof.web.status == 200
    assert "<title>Express</title>" in proof.web.body
    assert "Restored from the cache: the lock file has not changed" in proof.again.log
    assert not proof.changed
    assert proof.weight <= SLUG_RATIO


def test_node_red(stage: Stage, tmp_path: Path, note: Note) -> None:
    app = tmp_path / "app"
    app.mkdir()
    sample_apps.node_red(app)
    locks.npm_lock(app)

    proof = prove(stage, app)

    note("nodejs Node-RED", proof)
    assert proof.web.status == 200
    assert "Node-RED" in proof.web.body
    assert not proof.changed
    assert proof.weight <= SLUG_RATIO
