"""What a Node.js app runs, and by which manager; bash alone."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from buildpacks.shell import ROOT, Shell

START = {"scripts": {"start": "x"}}


def wanting(manager: object) -> dict[str, object]:
    """Return what a package.json says that insists on a package manager."""
    return {"devEngines": {"packageManager": manager}}


@pytest.mark.parametrize(
    ("document", "files", "release"),
    [
        (START, [], "web: npm start\n"),
        ({}, [], "--- {}\n"),
        ({}, ["server.js"], "web: npm start\n"),
        (START | wanting({"name": "pnpm"}), [], "web: pnpm start\n"),
        (START | wanting({"name": "yarn", "onFail": "download"}), [], "web: yarn start\n"),
        (START | wanting([{"name": "pnpm", "version": ">=9"}]), [], "web: pnpm start\n"),
        (START | wanting({"name": "pnpm", "onFail": "warn"}), [], "web: npm start\n"),
        (START | wanting({"name": "bun"}), [], "web: npm start\n"),
        (START | wanting("pnpm"), [], "web: npm start\n"),
        (START | {"devEngines": "x"}, [], "web: npm start\n"),
        (wanting({"name": "pnpm"}), ["server.js"], "web: node server.js\n"),
        (START | wanting({"name": "pnpm"}), [".pnp.cjs"], "web: yarn start\n"),
    ],
)
def test_the_default_process_of_node(
    tmp_path: Path, document: Mapping[str, object], files: list[str], release: str
) -> None:
    (tmp_path / "package.json").write_text(json.dumps(document))
    for name in files:
        (tmp_path / name).touch()
    shown = subprocess.run(
        [ROOT / "nodejs" / "bin" / "release", tmp_path], capture_output=True, text=True, check=True
    ).stdout
    assert shown.endswith(release)


PREBUILD = {"scripts": {"heroku-prebuild": "x"}}


@pytest.mark.parametrize(
    ("document", "manager", "forced"),
    [
        (PREBUILD, "npm", ""),
        (PREBUILD, "pnpm", ""),
        (PREBUILD | wanting({"name": "npm"}), "npm", ""),
        (PREBUILD | wanting({"name": "pnpm"}), "pnpm", "true"),
    ],
)
def test_what_runs_first_is_run_by_npm_whatever_devengines_say(
    shell: Callable[[str], Shell], document: Mapping[str, object], manager: str, forced: str
) -> None:
    made = shell("nodejs")
    made.write({"package.json": json.dumps(document)})
    (made.place / "packs" / "npm").write_text('#!/bin/sh\necho "$* [$npm_config_force]"\n')
    (made.place / "packs" / "npm").chmod(0o755)
    line = f"PATH={made.place}/packs:$PATH\nrun_prebuild {manager}"
    assert f"run heroku-prebuild [{forced}]\n" in made.run(line, "package", "scripts")


def test_the_platform_s_npm_stands_outside_of_the_app(shell: Callable[[str], Shell]) -> None:
    made = shell("nodejs")
    for name in ("bin", "lib/node_modules/npm/bin"):
        (made.place / "node" / name).mkdir(parents=True)
    node = made.place / "node" / "bin" / "node"
    node.write_text('#!/bin/sh\necho "$PWD $*"\n')
    node.chmod(0o755)
    shown = made.run(f'cd "$BUILD_DIR"\nwith_npm {made.place}/node view x', "runtime")
    assert shown.split()[0] == str(made.place / "tmp")
    assert shown.endswith(" view x\n")


def test_a_server_for_tools_has_no_default_process(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"scripts": {"start": "x"}}')
    (tmp_path / "Procfile").write_text("mcp-tools: node server.js\n")
    release = [ROOT / "nodejs" / "bin" / "release", tmp_path]
    assert subprocess.check_output(release, text=True) == "--- {}\n"


@pytest.mark.parametrize("manager", ["npm", "yarn", "pnpm"])
def test_scripts_run_by_the_package_manager_of_the_app(
    shell: Callable[[str], Shell], manager: str
) -> None:
    made = shell("nodejs")
    made.write({"package.json": json.dumps({"scripts": {"build": "x"}})})
    (made.place / "packs" / manager).write_text('#!/bin/sh\necho "$0 $*" | sed "s|.*/||"\n')
    (made.place / "packs" / manager).chmod(0o755)
    line = f"PATH={made.place}/packs:$PATH\nbuild_app {manager}"
    shown = made.run(line, "package", "scripts")
    assert shown == f"-----> Running build\n       {manager} run build\n"


@pytest.mark.parametrize(
    ("manager", "script", "words"),
    [
        ("npm", "build", "npm run build -- --prod --aot"),
        ("yarn", "build", "yarn run build --prod --aot"),
        ("pnpm", "build", "pnpm run build --prod --aot"),
        ("npm", "heroku-postbuild", "npm run heroku-postbuild"),
    ],
)
def test_flags_for_the_build_script_alone(
    shell: Callable[[str], Shell], manager: str, script: str, words: str
) -> None:
    made = shell("nodejs")
    made.write({"package.json": json.dumps({"scripts": {script: "x"}})})
    made.write({"NODE_BUILD_FLAGS": "--prod  --aot"}, "env")
    line = f'run() {{ echo "$*"; }}\nbuild_app {manager}'
    shown = made.run(line, "package", "scripts")
    assert shown.splitlines()[-1] == words
    assert ("flags of NODE_BUILD_FLAGS: --prod --aot" in shown) is (script == "build")


@pytest.mark.parametrize(
    ("version", "focus", "words"),
    [
        ("3.8.7", "false", "\nyarn install --mode=skip-build\n"),
        ("2.4.3", "false", "\nyarn install --skip-builds\n"),
        ("3.8.7", "true", "\nyarn workspaces focus --all --production\n"),
        ("4.9.2", "false", "\nyarn workspaces focus --all --production\n"),
    ],
)
def test_yarn_before_4_prunes_with_and_without_its_plugin(
    shell: Callable[[str], Shell], version: str, focus: str, words: str
) -> None:
    stub = f"""
    manager_run() {{ (cd "$BUILD_DIR" && "$@"); }}
    yarn() {{
      case $* in
      --version) echo {version} ;;
      *list*) printf '{{"location": "."}} {{"location": "packages/a"}}' ;;
      install*) echo "yarn $*"; cat package.json packages/a/package.json; echo new >yarn.lock ;;
      *--help) {focus} ;;
      *) echo "yarn $*" ;;
      esac
    }}
    """
    made = shell("nodejs")
    build = made.place / "build"
    (build / "packages" / "a").mkdir(parents=True)
    text = '{"devDependencies": {"x": "1"}, "dependencies": {"y": "1"}}\n'
    files = {"package.json": text, "packages/a/package.json": text, "yarn.lock": "old"}
    made.write(files)
    shown = made.run(f"{stub}\necho\nprune_with_yarn", "manager", "package", "install")
    assert words in shown
    assert shown.count("yarn workspaces focus") + shown.count("yarn install") == 1
    assert "devDependencies" not in shown
    assert {name: (build / name).read_text() for name in files} == files
    made.write({".pnp.cjs": ""})
    made.run(f"{stub}\nprune_with_yarn", "manager", "package", "install")
    pruned = "install --" in words and "devDependencies" not in (build / "package.json").read_text()
    assert pruned is ("install --" in words)
