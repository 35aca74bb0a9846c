"""When the packages of a Node.js app are cached as a whole, in bash alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from buildpacks.shell import Shell


class Tree:
    """Tells what Node.js packages are cached by, in a week of one's choice."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        runtime = shell.place / "build" / ".heroku" / "node"
        runtime.mkdir(parents=True)
        (runtime / "version").write_text("24.1.0")

    def key(self, week: str = "2026-01") -> str:
        line = f"NODE_ENV=production\ndate() {{ echo {week}; }}\ntree_key npm"
        return self.shell.run(line, "package", "manager", "runtime", "install")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(Shell(tmp_path, "nodejs"))


def test_packages_without_a_lock_file_are_kept_for_a_week(tree: Tree) -> None:
    tree.shell.write({"package.json": '{"dependencies": {"a": "~1.0"}}'})
    first = tree.key()
    assert first == tree.key()
    assert first != tree.key("2026-02")
    tree.shell.write({"package.json": '{"dependencies": {"a": "~1.1"}}'})
    assert tree.key() not in {"", first}


def test_packages_of_a_lock_file_are_kept_while_it_stays(tree: Tree) -> None:
    tree.shell.write({"package.json": '{"dependencies": {"a": "~1.0"}}'})
    tree.shell.write({"package-lock.json": "{}"})
    assert tree.key() == tree.key("2026-02") != ""
    before = tree.key()
    tree.shell.write({"package-lock.json": '{"packages": {}}'})
    assert tree.key() not in {"", before}


@pytest.mark.parametrize(
    "package",
    [
        {"workspaces": ["a"]},
        {"scripts": {"postinstall": "x"}},
        {"scripts": {"prepublish": "x"}},
        {"scripts": {"pnpm:devPreinstall": "x"}},
        {"dependencies": {"a": "file:a"}},
        {"devDependencies": {"a": "../a.tgz"}},
        {"dependencies": {"a": "workspace:*"}},
        {"dependencies": {"a": "portal:./a"}},
        {"overrides": {"a": {"b": "./b"}}},
        {"resolutions": {"a": "file:./a"}},
        {"pnpm": {"overrides": {"a": "link:../a"}}},
    ],
    ids=json.dumps,
)
@pytest.mark.parametrize("lock", [{}, {"yarn.lock": "# yarn lockfile v1"}], ids=["no lock", "lock"])
def test_packages_that_no_file_tells_are_not_kept(
    tree: Tree, package: Mapping[str, object], lock: Mapping[str, str]
) -> None:
    tree.shell.write({"package.json": json.dumps(package), **lock})
    assert tree.key() == ""


@pytest.mark.parametrize(
    ("text", "kept"),
    [("packages:\n  - packages/*\n", False), ("onlyBuiltDependencies:\n  - esbuild\n", True)],
)
def test_packages_of_a_workspace_of_pnpm_are_not_kept(tree: Tree, text: str, *, kept: bool) -> None:
    lock = {"pnpm-lock.yaml": "lockfileVersion: '9.0'\n"}
    tree.shell.write({"package.json": "{}", "pnpm-workspace.yaml": text, **lock})
    assert bool(tree.key()) is kept


def test_packages_in_the_source_are_not_replaced_by_those_of_another_push(tree: Tree) -> None:
    tree.shell.write({"package.json": "{}"})
    assert tree.key()
    (tree.shell.place / "build" / "node_modules").mkdir()
    assert tree.key() == ""


def test_packages_are_not_kept_where_the_app_says_so(tree: Tree) -> None:
    tree.shell.write({"package.json": "{}"})
    tree.shell.write({"NODE_MODULES_CACHE": "false"}, "env")
    assert tree.key() == ""
