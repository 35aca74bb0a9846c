"""Python on the cluster: what Django generates, and FastAPI with a lock file."""

from __future__ import annotations

import sample_apps
from buildpacks import locks
from languages.cluster.conftest import Live
from languages.journey import CacheSign
from terminal import Make

CACHED = CacheSign(reused="Using cached install of Python 3.13")


def test_django(workspace: Make, live: Live) -> None:
    app = workspace("django")
    sample_apps.django(app.folder, greeting="Hello from Django")

    journey = live("python django", app, CACHED)

    assert journey.command == "gunicorn mysite.wsgi"
    assert journey.body.startswith("Hello from Django web.1")


def test_fastapi(workspace: Make, live: Live) -> None:
    app = workspace("fastapi")
    sample_apps.fastapi(app.folder)
    locks.uv_lock(app.folder)

    journey = live("python fastapi", app, CACHED)

    assert journey.command == "uvicorn main:app --host 0.0.0.0 --port $PORT"
    assert journey.body == '{"hello":"fastapi"}'
