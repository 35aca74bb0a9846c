"""A Node.js app whose settings are for dynos and for people, not for the platform's own steps."""

from __future__ import annotations

import json

import pytest

from buildpacks import locks
from buildpacks.theatre import Theatre

pytestmark = pytest.mark.stack

SERVER = """\
require("http").createServer((_, answer) => answer.end("early: " + global.early))
  .listen(process.env.PORT);
"""


def test_it_is_built_and_has_them_where_it_runs(theatre: Theatre) -> None:
    theatre.config = {
        "NODE_EXTRA_CA_CERTS": "/app/made-at-boot.pem",
        "NODE_OPTIONS": "--require ./early.js --max-http-header-size=20000",
    }
    document = {
        "name": "bent",
        "version": "1.0.0",
        "packageManager": "pnpm@10.12.0",
        "scripts": {
            "heroku-prebuild": "echo before anything",
            "build": "node -p process.env.NODE_OPTIONS",
            "start": "node server.js",
        },
        "dependencies": {"is-number": "7.0.0"},
    }
    theatre.write({"server.js": SERVER, "early.js": "global.early = true\n"})
    theatre.write({"package.json": json.dumps(document)})
    locks.pnpm_lock(theatre.app)
    document["devEngines"] = {"packageManager": {"name": "pnpm", "onFail": "error"}}

    built = theatre.build({"package.json": json.dumps(document)}).succeeded()

    assert "before anything" in built.log
    assert "       --max-http-header-size=20000\n" in built.log
    assert "What NODE_OPTIONS preloads is for dynos" in built.log
    assert built.processes == {"web": "pnpm start"}
    with theatre.boot(built.outcome.result, "pnpm start") as dyno:
        assert dyno.get().body == b"early: true"
