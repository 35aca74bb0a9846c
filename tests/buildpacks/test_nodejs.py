"""Node.js apps as people write them, built on the stack and booted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import sample_apps
from buildpacks import locks
from buildpacks.theatre import Theatre
from haikube.cli.buildpacks import stage_in

pytestmark = pytest.mark.stack

SERVER = """\
const tiny = require("is-number");
require("http").createServer((_, answer) => answer.end("number: " + tiny(7)))
  .listen(process.env.PORT);
"""


def package(**more: Any) -> str:
    return json.dumps({"name": "demo", "version": "1.0.0", "private": True, **more})


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """Build one small app, so that others find Node.js in their cache."""
    with stage_in(tmp_path_factory.mktemp("warm")) as stage:
        theatre = Theatre(stage)
        theatre.build({"package.json": package(), "server.js": SERVER}).succeeded()
        yield theatre


@pytest.fixture
def app(theatre: Theatre, warm: Theatre) -> Theatre:
    theatre.share_cache(warm)
    return theatre


def test_express_as_its_generator_makes_it(app: Theatre) -> None:
    sample_apps.express(app.app)
    locks.npm_lock(app.app)
    first = app.build().succeeded()
    assert "-----> Node.js app detected" in first.log
    assert "Installing node modules (npm ci)" in first.log
    assert first.processes == {"web": "npm start"}
    with app.boot(first.outcome.result, first.processes["web"]) as dyno:
        answer = dyno.get()
        assert answer.status == 200
        assert b"<title>Express</title>" in answer.body
        assert dyno.stop() == 143

    cache = app.stage.objects.folder / "cache.tar.zst"
    kept = cache.stat().st_mtime_ns
    second = app.build().succeeded()
    assert "Using cached node 24." in second.log
    assert "Restored from the cache: the lock file has not changed" in second.log
    assert cache.stat().st_mtime_ns == kept


def test_without_a_lock_file_versions_stay_for_a_week(app: Theatre) -> None:
    app.write(
        {
            "package.json": package(
                scripts={"start": "node server.js"},
                dependencies={"is-number": "^7.0.0"},
                devDependencies={"is-odd": "3.0.1"},
            ),
            "server.js": SERVER,
        }
    )
    first = app.build().succeeded()
    assert "Installing node modules (npm install)" in first.log
    listed = "ls; ls node_modules; du -b --exclude=.package-lock.json node_modules | tail -n 1"
    shown = app.run(first.outcome.result, listed)
    assert "package-lock.json" not in shown
    assert "is-odd" not in shown

    cache = app.stage.objects.folder / "cache.tar.zst"
    kept = cache.stat().st_mtime_ns
    again = app.build().succeeded()
    assert "Restored from the cache: package.json has not changed" in again.log
    assert cache.stat().st_mtime_ns == kept
    assert app.run(again.outcome.result, listed) == shown
    for log in (first.log, again.log):
        assert " !     No lock file found" in log

    app.write({"package.json": package(dependencies={"is-number": "6.0.0"})})
    assert "Installing node modules (npm install)" in app.build().succeeded().log


def test_build_scripts_run_and_build_tools_leave(app: Theatre) -> None:
    app.write(
        {
            "package.json": package(
                scripts={
                    "heroku-prebuild": "echo prebuild sees $SECRET",
                    "build": "is-ci || node -e \"require('is-odd'); console.log('built')\"",
                    "heroku-cleanup": "ls node_modules > left.txt",
                    "start": "node server.js",
                },
                dependencies={"is-number": "7.0.0"},
                devDependencies={"is-odd": "3.0.1", "is-ci": "4.1.0"},
            ),
            "server.js": SERVER,
        }
    )
    app.config = {"SECRET": "config vars"}
    locks.npm_lock(app.app)
    for _ in range(2):
        built = app.build().succeeded()
        assert "prebuild sees config vars" in built.log
        assert "-----> Running build" in built.log
        shown = app.run(built.outcome.result, "cat left.txt; echo $NODE_ENV $WEB_MEMORY")
        assert shown.split() == ["is-number", "production", "512"]


def test_postbuild_replaces_build_and_a_failure_names_it(app: Theatre) -> None:
    scripts = {"build": "echo never", "heroku-postbuild": "echo instead && exit 3"}
    log = app.build({"package.json": package(scripts=scripts), "server.js": SERVER}).failed()
    assert "instead" in log
    assert "never" not in log
    assert " !     The script 'heroku-postbuild' of package.json failed" in log


@pytest.mark.parametrize("manager", ["yarn", "pnpm"])
def test_other_package_managers_by_their_lock_file(app: Theatre, manager: str) -> None:
    app.write(
        {
            "package.json": package(
                scripts={"start": "node server.js"},
                dependencies={"is-number": "7.0.0"},
                devDependencies={"is-odd": "3.0.1"},
            ),
            "server.js": SERVER,
        }
    )
    {"yarn": locks.yarn_lock, "pnpm": locks.pnpm_lock}[manager](app.app)
    built = app.build().succeeded()
    assert f"Installing {manager}@" in built.log
    with app.boot(built.outcome.result, built.processes["web"]) as dyno:
        assert dyno.get().body == b"number: true"
    assert app.run(built.outcome.result, "ls node_modules").split() == ["is-number"]
    again = app.build().succeeded()
    assert "Restored from the cache" in again.log
    assert app.run(again.outcome.result, "ls node_modules").split() == ["is-number"]


def test_modern_yarn_with_plug_n_play(app: Theatre) -> None:
    app.write(
        {
            "package.json": package(
                scripts={"start": "node server.js"}, dependencies={"is-number": "7.0.0"}
            ),
            "server.js": SERVER,
        }
    )
    locks.modern_yarn_lock(app.app)
    built = app.build().succeeded()
    assert "Installing @yarnpkg/cli-dist@4" in built.log
    assert built.processes == {"web": "yarn start"}
    with app.boot(built.outcome.result, built.processes["web"]) as dyno:
        assert dyno.get().body == b"number: true"


@pytest.mark.parametrize(
    ("manager", "linker"),
    [
        ("yarn@3.8.7", "node-modules"),
        ("yarn@3.8.7", "pnp"),
        ("yarn@4.9.2", "node-modules"),
        ("yarn@4.9.2", "pnp"),
        ("pnpm@8.15.9", ""),
        ("pnpm@11.9.0", ""),
    ],
)
def test_every_step_of_a_package_manager(app: Theatre, manager: str, linker: str) -> None:
    """Its own scripts, development packages only while it builds, a start, and all that again."""
    name, version = manager.split("@")
    app.write(
        {
            "package.json": package(
                packageManager=manager,
                scripts={
                    "build": "is-ci || node -e \"require('is-odd'); console.log('built')\"",
                    "heroku-cleanup": "echo cleaned",
                    "start": "node server.js",
                },
                dependencies={"is-number": "7.0.0"},
                devDependencies={"is-odd": "3.0.1", "is-ci": "4.1.0"},
            ),
            "server.js": SERVER,
            **({".yarnrc.yml": f"nodeLinker: {linker}\n"} if linker else {}),
        }
    )
    {"yarn": locks.modern_yarn_lock, "pnpm": locks.pnpm_lock}[name](app.app, version)
    command = f"{name} start"
    for _ in range(2):
        built = app.build().succeeded()
        assert "-----> Running build" in built.log
        assert "cleaned" in built.log
        found = app.run(built.outcome.result, "ls node_modules .yarn/cache 2>/dev/null")
        assert "is-number" in found
        assert "is-odd" not in found
        with app.boot(built.outcome.result, command) as dyno:
            assert dyno.get().body == b"number: true"


def test_a_workspace_of_pnpm_starts_without_a_terminal(app: Theatre) -> None:
    app.write(
        {
            "package.json": package(
                packageManager="pnpm@11.9.0",
                scripts={"start": "node server.js"},
                dependencies={"is-number": "7.0.0", "greet": "workspace:*"},
                devDependencies={"is-odd": "3.0.1"},
            ),
            "pnpm-workspace.yaml": "packages:\n  - packages/*\n",
            "packages/greet/package.json": package(
                name="greet", devDependencies={"is-odd": "3.0.1"}
            ),
            "packages/greet/index.js": "module.exports = 'hello'\n",
            "server.js": SERVER.replace('"number: "', 'require("greet")'),
            "Procfile": "web: pnpm start\n",
        }
    )
    locks.pnpm_lock(app.app, "11.9.0")
    built = app.build().succeeded()
    found = app.run(built.outcome.result, "find . -path '*/node_modules/is-*' -prune -print")
    assert "is-number" in found
    assert "is-odd" not in found
    with app.boot(built.outcome.result, built.processes["web"]) as dyno:
        assert dyno.get().body == b"hellotrue"


def test_a_client_that_a_script_installs_has_its_development_packages(app: Theatre) -> None:
    app.config = {"NPM_CONFIG_PRODUCTION": "false"}
    install = "cd client && npm install && npm run build"
    app.write(
        {
            "package.json": package(scripts={"heroku-postbuild": install}),
            "client/package.json": package(
                scripts={"build": "node -e \"require('is-odd'); console.log('client is built')\""},
                devDependencies={"is-odd": "3.0.1"},
            ),
            "server.js": SERVER,
        }
    )
    locks.npm_lock(app.app)
    assert "client is built" in app.build().succeeded().log


def test_folders_that_the_app_names_come_back(app: Theatre) -> None:
    count = ".next/cache/count"
    build = f"cat {count} 2>/dev/null || echo first; mkdir -p .next/cache; echo second >{count}"
    files = {
        "package.json": package(scripts={"build": build}, cacheDirectories=[".next/cache"]),
        "server.js": SERVER,
    }
    assert "first" in app.build(files).succeeded().log
    again = app.build().succeeded().log
    assert "Restored from the cache: .next/cache" in again
    assert "second" in again.partition("-----> Running build")[2]


def test_an_engine_is_resolved_by_its_range(theatre: Theatre) -> None:
    engines = {"node": ">=20.10 <21"}
    built = theatre.build({"package.json": package(engines=engines), "server.js": SERVER})
    assert "Downloading and installing node 20." in built.succeeded().log
    assert theatre.run(built.outcome.result, "node --version").startswith("v20.")
    assert theatre.run(built.outcome.result, "npm --version").startswith("10.")


@pytest.mark.parametrize(
    ("range_", "words"),
    [
        ("99.x", ["'99.x' of engines.node", "Available are: ", "22.x", "24.x"]),
        ("not a range", ["'not a range'", 'such as "24.x"']),
    ],
)
def test_an_engine_nobody_has(theatre: Theatre, range_: str, words: list[str]) -> None:
    log = theatre.build({"package.json": package(engines={"node": range_})}).failed()
    assert all(word in log for word in words)


def test_a_package_that_does_not_exist(app: Theatre) -> None:
    dependencies = {"haikube-no-such-package-4711": "1.0.0"}
    log = app.build({"package.json": package(dependencies=dependencies)}).failed()
    assert " !     No lock file found" in log
    assert " !     The package 'haikube-no-such-package-4711" in log
    assert "${NPM_TOKEN}" in log


def test_a_lock_file_that_does_not_fit(app: Theatre) -> None:
    app.write({"package.json": package(dependencies={"is-number": "7.0.0"})})
    locks.npm_lock(app.app)
    app.write({"package.json": package(dependencies={"is-number": "6.0.0"})})
    assert " !     The lock file does not fit package.json" in app.build().failed()


def test_two_lock_files(app: Theatre) -> None:
    files = {"package.json": package(), "package-lock.json": "{}", "yarn.lock": ""}
    log = app.build(files).failed()
    assert "several lock files found: package-lock.json yarn.lock" in log


def test_a_broken_package_json(app: Theatre) -> None:
    assert " !     package.json is not valid JSON" in app.build({"package.json": "{,}"}).failed()


def test_nothing_to_start(app: Theatre) -> None:
    built = app.build({"package.json": package()})
    assert built.outcome.result["reason"] == "NoProcessTypes"
