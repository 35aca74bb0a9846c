"""What a Node.js app runs, and by which manager; bash alone."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from buildpacks.shell import ROOT, Shell


@pytest.mark.parametrize(
    ("document", "release"),
    [({"scripts": {"start": "x"}}, "web: npm start"), ({}, "--- {}")],
)
def test_the_default_process_of_node(
    tmp_path: Path, document: Mapping[str, object], release: str
) -> None:
    (tmp_path / "package.json").write_text(json.dumps(document))
    shown = subprocess.run(
        [ROOT / "nodejs" / "bin" / "release", tmp_path], capture_output=True, text=True, check=True
    ).stdout
    assert release in shown


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
    ("version", "focus", "words"),
    [
        ("3.8.7", "false", "Yarn 3.8.7 cannot take development packages out"),
        ("2.4.3", "false", "Yarn 2.4.3 cannot take development packages out"),
        ("3.8.7", "true", "\nyarn workspaces focus --all --production\n"),
        ("4.9.2", "false", "\nyarn workspaces focus --all --production\n"),
    ],
)
def test_yarn_before_4_prunes_by_a_plugin_alone(
    shell: Callable[[str], Shell], version: str, focus: str, words: str
) -> None:
    stub = f"""
    manager_run() {{ "$@"; }}
    yarn() {{
      case $* in
      --version) echo {version} ;;
      *--help) {focus} ;;
      *) echo "yarn $*" ;;
      esac
    }}
    """
    shown = shell("nodejs").run(f"{stub}\necho\nprune_with_yarn", "manager", "package", "install")
    assert words in shown
    assert shown.count("focus --all") + shown.count("cannot take") == 1
