"""Python apps as their frameworks' tools make them: Django by pip, FastAPI by uv."""

from __future__ import annotations

from pathlib import Path

import pytest

import sample_apps
from buildpacks import locks
from haikube.build.harness.rehearsal import Stage
from languages.conftest import Note
from languages.proof import SLUG_RATIO, prove

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


def test_django_as_startproject_makes_it(stage: Stage, tmp_path: Path, note: Note) -> None:
    app = tmp_path / "app"
    app.mkdir()
    sample_apps.django(app, greeting="Hello from Django")

    proof = prove(stage, app)

    note("python Django", proof)
    assert proof.web.status == 200
    assert proof.web.body.startswith("Hello from Django web.1")
    assert proof.web.exit_code == 0
    assert "They are what the unchanged requirements.txt asks for" in proof.again.log
    assert "127 static files copied" in proof.again.log
    assert not proof.changed
    assert proof.weight <= SLUG_RATIO


def test_fastapi_with_a_lock_file_of_uv(stage: Stage, tmp_path: Path, note: Note) -> None:
    app = tmp_path / "app"
    app.mkdir()
    sample_apps.fastapi(app)
    locks.uv_lock(app)

    proof = prove(stage, app)

    note("python FastAPI (uv)", proof)
    assert proof.web.body == '{"hello":"fastapi"}'
    assert "Restoring packages from the cache" in proof.again.log
    assert not proof.changed
    assert proof.weight <= SLUG_RATIO
