"""Packages that are folders of the app are those of this push, each time; built on the stack."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from buildpacks import locks
from buildpacks.theatre import Theatre

pytestmark = pytest.mark.stack

SERVER = """\
const said = require("greet");
require("http").createServer((_, answer) => answer.end(said)).listen(process.env.PORT);
"""
MEMBER = "require('is-number')(7) ? '{}' : 'no number'"


def package(name: str, **more: Any) -> str:
    return json.dumps({"name": name, "version": "1.0.0", "private": True, **more})


@pytest.mark.parametrize(
    ("wish", "lock", "more"),
    [
        ("file:./packages/greet", locks.yarn_lock, {}),
        ("workspace:*", locks.pnpm_lock, {"pnpm-workspace.yaml": "packages:\n  - packages/*\n"}),
    ],
    ids=["copied by Yarn 1", "a member of a workspace of pnpm"],
)
def test_a_second_push_has_its_own(
    theatre: Theatre, wish: str, lock: Callable[[Path], None], more: dict[str, str]
) -> None:
    build = 'node -e "require(`./packages/greet`)"'.replace("`", "'")
    scripts = {"start": "node server.js", "build": build}
    theatre.write(
        {
            "package.json": package("shop", dependencies={"greet": wish}, scripts=scripts),
            "packages/greet/package.json": package("greet", dependencies={"is-number": "7.0.0"}),
            "packages/greet/index.js": f"module.exports = {MEMBER.format('one')}\n",
            "server.js": SERVER,
            **more,
        }
    )
    lock(theatre.app)
    theatre.build().succeeded()
    changed = f"module.exports = {MEMBER.format('two')}\n"
    second = theatre.build({"packages/greet/index.js": changed}).succeeded()

    with theatre.boot(second.outcome.result, second.processes["web"]) as dyno:
        assert dyno.get().body == b"two"
