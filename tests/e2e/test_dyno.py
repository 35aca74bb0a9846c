"""What a dyno of the real cluster finds: its folders, its scripts and its environment."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import sample_apps as apps
from terminal import Workspace, eventually

Make = Callable[[str], Workspace]

TELL = """
import http.server, json, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        told = {"env": dict(os.environ), "cwd": os.getcwd(), "uid": os.getuid()}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(told).encode())

http.server.HTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
"""


def told(app: Workspace) -> dict[str, Any]:
    """Return what the app tells of itself, empty while it does not answer."""
    status, body = app.fetch()
    return dict(json.loads(body)) if status == 200 else {}


def test_a_dyno_finds_what_it_finds_on_heroku(workspace: Make) -> None:
    app = workspace("finds")
    apps.plain(app.folder)
    app.write("app.py", TELL)
    app.write(".profile.d/a.sh", 'export FROM_PROFILE_D="$HOME in $PWD"\n')
    app.write(".profile", 'export FROM_PROFILE="$FROM_PROFILE_D, $DYNO"\n')
    app.commit("first")
    commit = app.git("rev-parse", "HEAD").stdout.strip()
    app.push()
    found = eventually(lambda: told(app), "the app tells")
    env = found["env"]

    assert (found["cwd"], env["HOME"]) == ("/app", "/app")
    assert found["uid"] != 0
    assert env["FROM_PROFILE"] == "/app in /app, web.1"
    assert env["PORT"].isdigit()
    assert env["DYNO"] == "web.1"
    assert env["STACK"] == "debian-13"
    assert int(env["MEMORY_AVAILABLE"]) > 0
    assert int(env["WEB_CONCURRENCY"]) >= 1
    assert env["HEROKU_APP_NAME"] == app.app
    assert env["HEROKU_APP_DEFAULT_DOMAIN_NAME"].startswith(f"{app.app}.")
    assert env["HEROKU_RELEASE_VERSION"] == "v2"
    assert env["HEROKU_BUILD_COMMIT"] == env["HEROKU_SLUG_COMMIT"] == commit
    assert env["HEROKU_BUILD_DESCRIPTION"] == env["HEROKU_SLUG_DESCRIPTION"]
    assert commit[:7] in env["HEROKU_BUILD_DESCRIPTION"]
    assert re.fullmatch(r"[0-9a-f-]{36}", env["HEROKU_APP_ID"])
    assert re.fullmatch(r"[0-9a-f-]{36}", env["HEROKU_DYNO_ID"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", env["HEROKU_RELEASE_CREATED_AT"])
    assert not [name for name in env if name.startswith("KUBERNETES_")]
